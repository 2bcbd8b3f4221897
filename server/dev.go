package server

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/server/api"
	"github.com/bellwire/bellwire/server/auth"
	"github.com/bellwire/bellwire/server/document"
)

const (
	devTokenLifetime = time.Hour
	devBodyBytesMax  = 4 << 10
	devDepthMax      = 8
)

// devToken mints a token for whoever asks, so that the demo has real ones. It exists in development mode only. A page of
// another site cannot ask: the request must come from this server's own pages, by one of the allowed host names (VC-24),
// and as JSON, which no form sends (VC-40).
func (s *Server) devToken() http.Handler {
	sameOrigin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			api.WriteProblem(w, realtime.CodeBadRequest, http.StatusMethodNotAllowed, "the method must be POST")
			return
		}
		if sameOrigin.Check(r) != nil {
			api.WriteProblem(w, realtime.CodePermissionDenied, http.StatusForbidden, "only this server's own pages may ask")
			return
		}
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
			api.WriteProblem(w, realtime.CodeBadRequest, http.StatusUnsupportedMediaType, "the Content-Type must be application/json")
			return
		}
		token, err := s.mintDevToken(http.MaxBytesReader(w, r.Body, devBodyBytesMax))
		if err != nil {
			refusal := realtime.AsError(err)
			api.WriteProblem(w, refusal.Code, refusal.Code.HTTPStatus(), refusal.Message)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"token": token})
	})
}

func (s *Server) mintDevToken(body io.Reader) (string, error) {
	text, err := io.ReadAll(body)
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return "", realtime.NewError(realtime.CodeTooLarge, "the body is larger than 4 KiB")
	}
	if err != nil {
		return "", realtime.NewError(realtime.CodeBadRequest, "the body did not come whole")
	}
	in := document.Parse(text, devDepthMax)
	order := auth.Order{
		User: in.Text("user"), Lifetime: devTokenLifetime, Issuer: s.config.Tokens.Issuer, Audience: s.config.Tokens.Audience,
	}
	order.Info, _ = in.ObjectValue("info")
	if err := in.End(); err != nil {
		return "", err
	}
	key := auth.SigningKey{Algorithm: "HS256", Private: []byte(s.config.Tokens.HMACSecret)}
	return auth.Mint(key, order, time.Now())
}
