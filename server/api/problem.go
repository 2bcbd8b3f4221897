package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/bellwire/bellwire/realtime"
)

// problem is what went wrong, as RFC 9457 words it.
type problem struct {
	code   realtime.Code
	status int
	detail string
}

func newProblem(code realtime.Code, detail string) *problem {
	return &problem{code: code, status: code.HTTPStatus(), detail: detail}
}

// withStatus is for what HTTP has a finer word for than the catalogue.
func (p *problem) withStatus(status int) *problem {
	p.status = status
	return p
}

// problemDocument is the body of an application/problem+json answer.
type problemDocument struct {
	Type   string        `json:"type"`
	Title  string        `json:"title"`
	Status int           `json:"status"`
	Detail string        `json:"detail"`
	Code   realtime.Code `json:"code"`
	Name   string        `json:"name"`
}

func (p *problem) document() problemDocument {
	return problemDocument{
		Type: "urn:bellwire:problem:" + p.code.Name(), Title: p.code.Meaning(), Status: p.status, Detail: p.detail,
		Code: p.code, Name: p.code.Name(),
	}
}

func (p *problem) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.status)
	_ = json.NewEncoder(w).Encode(p.document())
}

// problemOf words an error of the node. What is not meant for the caller goes to the log and becomes a constant text.
func (a *API) problemOf(err error, method string) *problem {
	var known *realtime.Error
	switch {
	case errors.As(err, &known) && known.Code.HTTPStatus() != 0:
		return newProblem(known.Code, known.Message)
	case errors.Is(err, context.DeadlineExceeded):
		return newProblem(realtime.CodeTimeout, realtime.CodeTimeout.Meaning())
	case errors.Is(err, context.Canceled):
		return newProblem(realtime.CodeUnavailable, "the request was given up")
	}
	a.config.Logger.Error("a method of the API failed", "method", method, "error", err)
	return newProblem(realtime.CodeInternal, realtime.CodeInternal.Meaning())
}

// WriteProblem answers a request outside the API in the API's words.
func WriteProblem(w http.ResponseWriter, code realtime.Code, status int, detail string) {
	newProblem(code, detail).withStatus(status).write(w)
}

// NotFound answers what has no handler.
func NotFound(w http.ResponseWriter, _ *http.Request) {
	WriteProblem(w, realtime.CodeNotFound, http.StatusNotFound, "there is nothing at this path")
}
