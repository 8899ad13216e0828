package control

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"holdfast/sync/fault"
	"holdfast/sync/problem"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func serve(t *testing.T, dir string) *Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /echo", func(w http.ResponseWriter, r *http.Request) {
		var v any
		if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
			problem.Write(w, fault.Errorf("echo", fault.Invalid, "That is no JSON."))
			return
		}
		must(t, json.NewEncoder(w).Encode(v))
	})
	mux.HandleFunc("GET /broken", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "oh", http.StatusTeapot) })
	s := NewServer(dir, mux, slog.New(slog.DiscardHandler))
	must(t, s.Open())
	t.Cleanup(func() { s.Close(context.Background()) })
	return s
}

func TestCallsReachTheHub(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, File), nil, 0o644)) // left by a killed process
	s := serve(t, dir)
	if i, err := os.Stat(filepath.Join(dir, File)); err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", i, err)
	}
	c, ctx := NewClient(dir), t.Context()
	var back map[string]int
	must(t, c.Call(ctx, "POST", "/echo", map[string]int{"a": 1}, &back))
	var raw []byte
	must(t, c.Call(ctx, "POST", "/echo", []byte(`{"b":2}`), &raw))
	if back["a"] != 1 || strings.TrimSpace(string(raw)) != `{"b":2}` {
		t.Errorf("%v %s", back, raw)
	}
	for want, err := range map[string]error{
		"That is no JSON.": c.Call(ctx, "POST", "/echo", []byte("{"), nil),
		"418":              c.Call(ctx, "GET", "/broken", nil, nil),
	} {
		if err == nil || !strings.Contains(fault.DetailOf(err), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	big := append([]byte(`"`), make([]byte, bodyBytesMax)...)
	if err := c.Call(ctx, "POST", "/echo", big, nil); err == nil {
		t.Error("a body that is too large was taken")
	}
	parent := filepath.Dir(dir)
	must(t, os.Symlink(dir, filepath.Join(parent, hubFolder))) // as `holdfast dev` has it
	must(t, NewClient(parent).Call(ctx, "POST", "/echo", 1, nil))
	s.Close(ctx)
	if err := c.Call(ctx, "POST", "/echo", 1, nil); fault.KindOf(err) != fault.Unavailable || !strings.Contains(fault.DetailOf(err), "--data") {
		t.Errorf("no hub: %v", err)
	}
}

// A folder whose path is too long for a socket serves all the same; only commands do not reach it.
func TestALongPathServesWithoutASocket(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("x", pathBytesMax))
	must(t, os.MkdirAll(dir, 0o700))
	s := serve(t, dir)
	if _, err := os.Stat(filepath.Join(dir, File)); !os.IsNotExist(err) {
		t.Errorf("%v", err)
	}
	s.Close(t.Context())
}
