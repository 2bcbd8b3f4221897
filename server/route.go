package server

import (
	"io/fs"
	"net/http"
	"strings"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/server/api"
	"github.com/bellwire/bellwire/web"
)

// Where the lines are.
const (
	webSocketPath = "/ws"
	eventsPath    = "/sse"
)

// router finds handlers by the exact path. It cleans and redirects nothing: a path that is not spelled as it should be
// does not exist (AP-10).
type router struct {
	exact    map[string]http.Handler
	prefixes map[string]http.Handler // each ends with a slash
}

func (rt *router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w)
	handler := rt.find(r)
	if r.Header.Get("Upgrade") != "" && r.URL.Path != webSocketPath {
		// VC-22: whoever asked for an upgrade may send what is no request next.
		w.Header().Set("Connection", "close")
		api.WriteProblem(w, realtime.CodeNotFound, http.StatusNotFound, "there is no WebSocket at this path; it is at /ws")
		return
	}
	if r.Method == http.MethodConnect && (r.ProtoMajor != 2 || r.URL.Path != "/ws") {
		if r.ProtoMajor == 1 {
			w.Header().Set("Connection", "close")
		}
		api.WriteProblem(w, realtime.CodeBadRequest, http.StatusMethodNotAllowed, "this server is no proxy")
		return
	}
	handler.ServeHTTP(w, r)
}

func (rt *router) find(r *http.Request) http.Handler {
	if r.URL.RawPath != "" {
		return http.HandlerFunc(api.NotFound) // an escape that changes the meaning, such as %2f
	}
	if handler, found := rt.exact[r.URL.Path]; found {
		return handler
	}
	for prefix, handler := range rt.prefixes {
		if strings.HasPrefix(r.URL.Path, prefix) && prefix != "/" {
			return handler
		}
	}
	if handler, found := rt.prefixes["/"]; found {
		return handler
	}
	return http.HandlerFunc(api.NotFound)
}

// securityFields hold for every answer: no guessing of types, no framing, no referrer. Their values are shared by all
// answers; a handler that wants another one sets the field anew.
var securityFields = [...]struct {
	name   string // as net/http spells it
	values []string
}{
	{"X-Content-Type-Options", []string{"nosniff"}},
	{"X-Frame-Options", []string{"DENY"}},
	{"Referrer-Policy", []string{"no-referrer"}},
	{"Cross-Origin-Opener-Policy", []string{"same-origin"}},
	{"Content-Security-Policy", []string{"default-src 'none'; frame-ancestors 'none'"}},
}

func secure(w http.ResponseWriter) {
	header := w.Header()
	for i := range securityFields {
		header[securityFields[i].name] = securityFields[i].values
	}
}

// routes returns what is served on the main address and, when there is one, on the internal address.
func (s *Server) routes(methods *api.API) (public, internal http.Handler) {
	health := map[string]http.Handler{
		"/healthz": http.HandlerFunc(api.Healthz),
		"/readyz":  api.Readyz(s.node.Ready, s.logger),
	}
	outside := &router{exact: map[string]http.Handler{webSocketPath: s.websocket, eventsPath: s.events}, prefixes: map[string]http.Handler{}}
	inside := outside
	metrics := s.metrics.Handler()
	if s.config.InternalListen != "" {
		inside = &router{exact: map[string]http.Handler{}, prefixes: map[string]http.Handler{}}
		internal = inside
	} else if !s.config.MetricsOpen {
		metrics = methods.Protect(metrics)
	}
	for path, handler := range health {
		outside.exact[path], inside.exact[path] = handler, handler
	}
	inside.exact["/metrics"] = onlyGet(metrics)
	inside.prefixes[api.Prefix] = methods
	if internal != nil && s.config.InternalDebug {
		addDebug(inside)
	}
	s.addPages(outside)
	return outside, internal
}

func (s *Server) addPages(rt *router) {
	rt.prefixes["/client/"] = onlyGet(http.StripPrefix("/client/", files(web.Client(), "", clientHeader)))
	rt.exact["/console"] = http.HandlerFunc(api.NotFound) // kept for the console to come
	if s.config.Dev {
		rt.exact["/dev/token"] = s.devToken()
	}
	if s.config.Demo {
		rt.prefixes["/"] = onlyGet(http.StripPrefix("/", files(web.Demo(), "index.html", demoHeader)))
		return
	}
	rt.exact["/"] = onlyGet(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("Bellwire. The line is at /ws.\n"))
	}))
}

func onlyGet(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "the method must be GET", http.StatusMethodNotAllowed)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// demoHeader lets the demo load its own scripts and styles and open a line to its own server, and nothing else.
func demoHeader(header http.Header) {
	header.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "+
		"font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	header.Set("Cache-Control", "no-cache")
}

// clientHeader lets pages of other origins import the client: it is public and the same for everybody.
func clientHeader(header http.Header) {
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Cache-Control", "no-cache")
}

// files serves the files of a folder by their exact names, and index for the folder itself (AD-07).
func files(folder fs.FS, index string, setHeader func(http.Header)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Path
		if name == "" {
			name = index
		}
		if !fs.ValidPath(name) {
			api.NotFound(w, r)
			return
		}
		content, err := fs.ReadFile(folder, name)
		if err != nil {
			api.NotFound(w, r)
			return
		}
		setHeader(w.Header())
		w.Header().Set("Content-Type", contentType(name))
		_, _ = w.Write(content)
	})
}

// contentType is a closed list, so that it does not depend on the machine.
func contentType(name string) string {
	types := map[string]string{
		".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
		".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".woff2": "font/woff2",
		".txt": "text/plain; charset=utf-8", ".json": "application/json", ".map": "application/json", ".webmanifest": "application/manifest+json",
	}
	if found := types[name[max(0, strings.LastIndexByte(name, '.')):]]; found != "" {
		return found
	}
	return "application/octet-stream"
}
