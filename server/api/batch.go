package api

import (
	"context"

	"github.com/bellwire/bellwire/server/document"
)

// batchDepth is how much deeper a payload lies in a batch than in a request of its own.
const batchDepth = 3

// batchCommands are the methods that a batch may call.
var batchCommands = []string{"publish", "update", "broadcast"}

// batch carries out many commands in the order given. Each has a result of its own; one that fails does not keep the
// others from theirs.
func (a *API) batch(ctx context.Context, in *document.Object) ([]byte, error) {
	in.Require("commands")
	commands := in.Documents("commands", a.config.BatchCommandsMax)
	if err := in.End(); err != nil {
		return nil, err
	}
	answer := []byte(`{"results":[`)
	for i, command := range commands {
		if i > 0 {
			answer = append(answer, ',')
		}
		answer = a.appendResult(ctx, answer, command)
	}
	return append(answer, "]}"...), nil
}

// appendResult appends {"publish":…}, with what the method answers, or {"error":…}.
func (a *API) appendResult(ctx context.Context, b []byte, command *document.Object) []byte {
	result, name, err := a.batchCommand(ctx, command)
	if err != nil {
		return a.appendProblem(b, err, "batch")
	}
	b = append(append(append(b, `{"`...), name...), `":`...)
	return append(append(b, result...), '}')
}

func (a *API) batchCommand(ctx context.Context, command *document.Object) (result []byte, name string, err error) {
	if err := ctx.Err(); err != nil {
		return nil, "", err
	}
	defer a.recovered("batch", &err)
	name, fields := command.Choice(batchCommands...)
	switch name {
	case "publish":
		result, err = a.publish(ctx, fields)
	case "update":
		result, err = a.update(ctx, fields)
	case "broadcast":
		result, err = a.broadcast(ctx, fields)
	default:
		err = command.Err()
	}
	return result, name, err
}
