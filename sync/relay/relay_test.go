package relay

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"holdfast/sync/fault"
	"holdfast/sync/natsd"
)

func serve(t *testing.T, h http.HandlerFunc) *nats.Conn {
	t.Helper()
	nd := natsd.New(natsd.Config{Name: "n", Domain: "n", StoreDir: t.TempDir()})
	must(t, nd.Open(t.Context()))
	t.Cleanup(nd.Close)
	nc, err := nd.Core()
	must(t, err)
	t.Cleanup(nc.Close)
	s := NewServer(h, slog.New(slog.DiscardHandler))
	must(t, s.Open(t.Context(), nc, "x.http", "x"))
	t.Cleanup(func() { s.Close(context.Background()) })
	return nc
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func call(t *testing.T, nc *nats.Conn, method, path, body string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("X-Test", "a")
	resp, err := Call(t.Context(), nc, "x.http", r)
	must(t, err)
	b, err := io.ReadAll(resp.Body)
	must(t, err)
	return resp, string(b)
}

func TestRoundTrip(t *testing.T) {
	nc := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		http.SetCookie(w, &http.Cookie{Name: "one", Value: "1"})
		http.SetCookie(w, &http.Cookie{Name: "two", Value: "2"})
		if r.URL.Path == "/none" {
			w.WriteHeader(204)
			return
		}
		w.WriteHeader(201)
		io.WriteString(w, r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get("X-Test")+" "+string(b))
	})
	resp, body := call(t, nc, "PATCH", "/a%20b?q=1", "hello")
	if resp.StatusCode != 201 || body != "PATCH /a%20b?q=1 a hello" || len(resp.Cookies()) != 2 {
		t.Errorf("%d %q %v", resp.StatusCode, body, resp.Header)
	}
	if resp, body := call(t, nc, "DELETE", "/none", ""); resp.StatusCode != 204 || body != "" {
		t.Errorf("%d %q", resp.StatusCode, body)
	}
}

func TestBounds(t *testing.T) {
	release := make(chan struct{})
	var once sync.Once
	let := func() { once.Do(func() { close(release) }) }
	defer let()
	nc := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/wait":
			<-release
		case "/huge":
			w.Write(make([]byte, bytesMax+1))
		case "/panic":
			panic("secret")
		}
	})
	if resp, body := call(t, nc, "GET", "/huge", ""); resp.StatusCode != 413 || !strings.Contains(body, "too-large") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if resp, body := call(t, nc, "GET", "/panic", ""); resp.StatusCode != 500 || strings.Contains(body, "secret") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	_, err := Call(t.Context(), nc, "x.http", httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", bytesMax))))
	if fault.KindOf(err) != fault.TooLarge {
		t.Errorf("%v", err)
	}
	if m, err := nc.Request("x.http", []byte("not http"), time.Minute); err != nil || !strings.Contains(string(m.Data), " 400 ") {
		t.Errorf("%v", err)
	}
	var wg sync.WaitGroup
	for range RunningMax {
		wg.Go(func() { call(t, nc, "GET", "/wait", "") })
	}
	deadline := time.Now().Add(time.Minute)
	for {
		resp, body := call(t, nc, "GET", "/", "")
		if resp.StatusCode == 503 && strings.Contains(body, "busy") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("more than RunningMax at once")
		}
		time.Sleep(time.Millisecond)
	}
	let()
	wg.Wait()
	if resp, _ := call(t, nc, "GET", "/", ""); resp.StatusCode != 200 {
		t.Errorf("still %d after the rush", resp.StatusCode)
	}
}

func TestNobodyThere(t *testing.T) {
	nc := serve(t, func(http.ResponseWriter, *http.Request) {})
	began := time.Now()
	_, err := Call(t.Context(), nc, "y.http", httptest.NewRequest("GET", "/", nil))
	if fault.KindOf(err) != fault.Unavailable || time.Since(began) >= CallMax { // it is said, not waited for
		t.Errorf("%v after %v", err, time.Since(began))
	}
}
