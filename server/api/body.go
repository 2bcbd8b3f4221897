package api

import (
	"errors"
	"io"
	"math"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/bellwire/bellwire/realtime"
)

// depthMax lets a payload be as deep as a client's may be (MSG-9): the body is one level around it.
const depthMax = 31

// readBody reads the whole body. An empty one is an empty object.
func (a *API) readBody(w http.ResponseWriter, r *http.Request) ([]byte, *problem) {
	if r.ContentLength > a.config.BodyBytesMax {
		return nil, a.bodyTooLarge(w)
	}
	if encoding := r.Header.Values("Content-Encoding"); len(encoding) > 0 {
		return nil, newProblem(realtime.CodeBadRequest, "the body must not be compressed").withStatus(http.StatusUnsupportedMediaType)
	}
	body, err := a.readAll(w, r)
	if err != nil {
		return nil, a.bodyProblem(w, err)
	}
	if len(body) == 0 {
		return []byte("{}"), nil
	}
	if !isJSON(r.Header.Values("Content-Type")) {
		return nil, newProblem(realtime.CodeBadRequest, "the Content-Type must be application/json").withStatus(http.StatusUnsupportedMediaType)
	}
	return body, nil
}

// readAll takes the length that was announced at its word, up to a size that costs nothing when it is a lie: net/http lets
// a body be no longer than that.
func (a *API) readAll(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	const trustedBytesMax = 16 << 10
	if r.ContentLength >= 0 && r.ContentLength <= trustedBytesMax {
		body := make([]byte, r.ContentLength)
		n, err := io.ReadFull(r.Body, body)
		return body[:n], err
	}
	return io.ReadAll(http.MaxBytesReader(w, r.Body, a.config.BodyBytesMax))
}

func (a *API) bodyProblem(w http.ResponseWriter, err error) *problem {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return a.bodyTooLarge(w)
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.Header().Set("Connection", "close")
		return newProblem(realtime.CodeTimeout, "the body did not come in time").withStatus(http.StatusRequestTimeout)
	}
	w.Header().Set("Connection", "close")
	return newProblem(realtime.CodeBadRequest, "the body did not come whole")
}

func (a *API) bodyTooLarge(w http.ResponseWriter) *problem {
	w.Header().Set("Connection", "close")
	return newProblem(realtime.CodeTooLarge, "the body is larger than "+strconv.FormatInt(a.config.BodyBytesMax, 10)+" bytes")
}

// isJSON takes application/json, in UTF-8 or without saying so.
func isJSON(fields []string) bool {
	if len(fields) != 1 {
		return false
	}
	if fields[0] == "application/json" {
		return true
	}
	kind, parameters, err := mime.ParseMediaType(fields[0])
	if err != nil || kind != "application/json" {
		return false
	}
	return isUTF8(parameters)
}

// isUTF8 reports whether a media type's parameters say nothing or that the text is in UTF-8.
func isUTF8(parameters map[string]string) bool {
	charset, named := parameters["charset"]
	return len(parameters) == 0 || len(parameters) == 1 && named && strings.EqualFold(charset, "utf-8")
}

func setRetryAfter(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(wait.Seconds())))))
}
