package client

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/bellwire/bellwire/realtime"
)

// Payload makes a payload of data (MSG-8): a realtime.Payload is taken as it is, []byte becomes opaque bytes, and
// everything else, json.RawMessage included, one JSON value as encoding/json writes it.
func Payload(data any) (realtime.Payload, error) {
	switch data := data.(type) {
	case realtime.Payload:
		return checkPayload(data)
	case []byte:
		return realtime.Binary(data), nil
	case json.RawMessage:
		return checkPayload(realtime.JSON(data))
	}
	value, err := json.Marshal(data)
	if err != nil {
		return realtime.Payload{}, fmt.Errorf("client: %w", err)
	}
	return realtime.JSON(value), nil
}

// checkPayload sees to it that what says it is JSON is one compact value: anything else could end the message it is in.
func checkPayload(p realtime.Payload) (realtime.Payload, error) {
	if p.Encoding != realtime.EncodingJSON {
		return p, nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, p.Bytes); err != nil {
		return realtime.Payload{}, fmt.Errorf("client: the payload is not JSON: %w", err)
	}
	return realtime.JSON(compact.Bytes()), nil
}
