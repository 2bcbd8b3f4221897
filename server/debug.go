package server

import (
	"net/http"
	"net/http/pprof"
	"runtime/debug"
)

// addDebug serves what Go tells of a running process, for `go tool pprof` and for measuring memory. It belongs on the
// internal address alone: a profile of the heap can be read for what clients sent.
func addDebug(rt *router) {
	rt.prefixes["/debug/pprof/"] = onlyGet(http.HandlerFunc(pprof.Index)) // and every profile by its name
	rt.exact["/debug/pprof/cmdline"] = onlyGet(http.HandlerFunc(pprof.Cmdline))
	rt.exact["/debug/pprof/profile"] = onlyGet(http.HandlerFunc(pprof.Profile))
	rt.exact["/debug/pprof/symbol"] = onlyGet(http.HandlerFunc(pprof.Symbol))
	rt.exact["/debug/pprof/trace"] = onlyGet(http.HandlerFunc(pprof.Trace))
	rt.exact["/debug/free"] = http.HandlerFunc(free)
}

// free collects garbage and gives the memory back to the system, so that what the process holds can be seen from outside.
func free(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		http.Error(w, "the method must be POST", http.StatusMethodNotAllowed)
		return
	}
	debug.FreeOSMemory()
	w.WriteHeader(http.StatusNoContent)
}
