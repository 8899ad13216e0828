// Package control is how commands on the same machine reach a running hub: HTTP over a unix socket in its data folder, JSON, errors as
// problem details. Who may open the folder may do everything; the socket itself is for its owner only.
//
// The hub gives the handler (New); a command calls with a Client.
package control

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"holdfast/sync/fault"
)

// File is the socket's name in the hub's data folder.
const File = "hub.sock"

// Server listens on the socket of a data folder.
type Server struct {
	dir     string
	handler http.Handler
	log     *slog.Logger
	srv     *http.Server
}

// NewServer makes a server for a data folder that this process has locked.
func NewServer(dir string, handler http.Handler, log *slog.Logger) *Server {
	return &Server{dir: dir, handler: handler, log: log}
}

// Open begins to listen. A folder whose path is too long for a socket is served without one: only commands need it.
func (s *Server) Open() error {
	const op = "control.Open"
	path := filepath.Join(s.dir, File)
	if len(path) > pathBytesMax {
		s.log.Warn("commands cannot reach this hub: the path of its data folder is too long for a socket", "bytes", len(path), "most", pathBytesMax)
		return nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) { // left by a killed process; the folder's lock is ours
		return fault.E(op, fault.Unavailable, err)
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return fault.E(op, fault.Unavailable, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return errors.Join(fault.E(op, fault.Unavailable, err), ln.Close())
	}
	s.srv = &http.Server{Handler: http.MaxBytesHandler(s.handler, bodyBytesMax), ReadHeaderTimeout: headerMax}
	go func() { _ = s.srv.Serve(ln) }() // ends with Close
	return nil
}

// Close lets requests under way finish until ctx ends.
func (s *Server) Close(ctx context.Context) {
	if s.srv == nil {
		return
	}
	if err := s.srv.Shutdown(ctx); err != nil {
		s.log.Warn("commands were interrupted", "err", errors.Join(err, s.srv.Close()))
	}
}
