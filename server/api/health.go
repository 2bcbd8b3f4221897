package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"
)

// readyTimeout bounds the question to the backend: a load balancer does not wait longer.
const readyTimeout = 2 * time.Second

type healthAnswer struct {
	Status string `json:"status"`
}

// Healthz says that the process runs and answers. It asks nobody, so that a broken backend restarts nothing.
func Healthz(w http.ResponseWriter, r *http.Request) {
	writeHealth(w, r, http.StatusOK, "ok")
}

// Readyz says whether this node can serve now. It really asks the backend, and is 503 while the node drains (LIV-5).
func Readyz(ready func(context.Context) error, logger *slog.Logger) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if err := ready(ctx); err != nil {
			logger.Warn("not ready", "error", err)
			writeHealth(w, r, http.StatusServiceUnavailable, "not ready")
			return
		}
		writeHealth(w, r, http.StatusOK, "ready")
	}
}

func writeHealth(w http.ResponseWriter, r *http.Request, status int, word string) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "the method must be GET", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(healthAnswer{word})
}
