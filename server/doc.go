// Package server is the process: it makes backend, node, transports and API from a configuration, serves them, and takes
// them down gently.
//
//	s, err := server.New(server.Options{Config: cfg, Version: version, Logger: logger})
//	if err := s.Listen(); err != nil { … }
//	err = s.Run(ctx) // until ctx ends; then it drains
//
// It is the only place that knows all parts. Each part is given a plain struct of its own.
//
// Concurrency: New, Listen and Run are called once, in this order; everything else may be called at any time. Run owns
// every goroutine it starts, and waits for all of them.
package server
