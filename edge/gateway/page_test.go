package gateway

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/build/assets"
	"holdfast/sync/fault"
)

func TestFiles(t *testing.T) {
	w := newWorld(t)
	const immutable = "public, max-age=31536000, immutable"
	for _, c := range []struct {
		name, method, path, accept string
		status                     int
		body, coding, cache        string
	}{
		{"page-plain", "GET", "/", "", 200, "<!doctype html>page", "", "no-cache"},
		{"page-brotli", "GET", "/", "gzip, deflate, br, zstd", 200, "br-page", "br", "no-cache"},
		{"page-gzip", "GET", "/", "gzip", 200, "gz-page", "gzip", "no-cache"},
		{"page-refused-coding", "GET", "/", "br;q=0, gzip;q=0", 200, "<!doctype html>page", "", "no-cache"},
		{"page-head", "HEAD", "/", "br", 200, "", "br", "no-cache"},
		{"view", "GET", "/w/01jd0000000000000000000000/p/x/board", "br", 200, "br-page", "br", "no-cache"},
		{"sign-in", "GET", "/signin", "", 200, "<!doctype html>page", "", "no-cache"},
		{"join", "GET", "/join/code", "", 200, "<!doctype html>page", "", "no-cache"},
		{"hashed", "GET", "/assets/app.abc.wasm", "br", 200, "br-wasm", "br", immutable},
		{"hashed-plain", "GET", "/assets/app.abc.wasm", "identity", 200, "wasm-wasm-wasm", "", immutable},
		{"service-worker", "GET", "/sw.js", "br", 200, "worker", "", "no-cache"},
		{"manifest", "GET", "/manifest.webmanifest", "", 200, "{}", "", "no-cache"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := w.send(c.method, c.path, header("Accept-Encoding", c.accept))
			if r.status != c.status || r.body != c.body || r.header.Get("Content-Encoding") != c.coding || r.header.Get("Cache-Control") != c.cache {
				t.Errorf("got %d %q %v", r.status, r.body, r.header)
			}
			if r.header.Get("ETag") == "" {
				t.Error("no ETag")
			}
		})
	}
	first := w.send("GET", "/", header("Accept-Encoding", "br"))
	again := w.send("GET", "/", header("Accept-Encoding", "br"), header("If-None-Match", first.header.Get("ETag")))
	other := w.send("GET", "/", header("Accept-Encoding", "gzip"), header("If-None-Match", first.header.Get("ETag")))
	if again.status != 304 || again.body != "" || other.status != 200 || first.header.Get("Vary") != "Accept-Encoding" {
		t.Errorf("revalidated: %d %d %v", again.status, other.status, first.header)
	}
}

func TestUnknownAddresses(t *testing.T) {
	w := newWorld(t)
	html := header("Accept", "text/html,*/*")
	if r := w.send("GET", "/nowhere", html); r.status != 404 || r.body != "<!doctype html>page" {
		t.Errorf("a person got %d %q", r.status, r.body)
	}
	if r := w.send("HEAD", "/nowhere", html); r.status != 404 {
		t.Errorf("HEAD: %d", r.status)
	}
	if r := w.send("GET", "/nowhere", html, header("If-None-Match", `"page"`)); r.status != 404 {
		t.Errorf("revalidated: %d", r.status)
	}
	for _, path := range []string{"/nowhere", "/assets/old.def.js", "/sync/x", "/sync/", "/robots.txt"} {
		w.refused(w.send("GET", path), 404, "not-found")
	}
	if r := w.send("GET", "/assets/old.def.js", html); r.status != 404 || strings.Contains(r.body, "doctype") {
		t.Errorf("a script that is gone got %d %q", r.status, r.body)
	}
	if r := w.send("POST", "/signin"); r.status != 405 || r.header.Get("Allow") == "" {
		t.Errorf("POST to a page: %d", r.status)
	}
}

func TestSecurityHeaders(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/", "/assets/app.abc.wasm", "/api/me", "/nowhere", "/healthz"} {
		h := w.send("GET", path).header
		for k, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin", "Origin-Agent-Cluster": "?1", "Strict-Transport-Security": "",
		} {
			if got := h.Get(k); got != want {
				t.Errorf("%s %s: got %q, want %q", path, k, got, want)
			}
		}
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self' 'wasm-unsafe-eval';", "style-src 'self';", "connect-src 'self' ws://localhost:8080;", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(csp+";", want) {
				t.Errorf("%s: the policy lacks %s: %s", path, want, csp)
			}
		}
		if strings.Contains(csp, "unsafe-inline") || strings.Contains(csp, "'unsafe-eval'") || strings.Contains(csp, "*") {
			t.Errorf("%s: the policy allows too much: %s", path, csp)
		}
		if !strings.Contains(h.Get("Permissions-Policy"), "camera=()") || h.Get("X-Request-Id") == "" || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %v", path, h)
		}
	}
	https := New(Config{URL: "https://eu.example.com"})
	https.origin, _ = url.Parse(https.cfg.URL)
	h := https.securityHeaders()
	if h.Get("Strict-Transport-Security") == "" || !strings.Contains(h.Get("Content-Security-Policy"), "wss://eu.example.com") {
		t.Errorf("over TLS: %v", h)
	}
}

func TestLoopbackGoesToLocalhost(t *testing.T) {
	w := newWorld(t)
	for host, want := range map[string]string{"127.0.0.1:8080": pageURL + "/join/x?y=1", "[::1]:8080": pageURL + "/join/x?y=1", "localhost:8080": "", "example.com": ""} {
		r := w.send("GET", "/join/x?y=1", header("Host", host))
		if got := r.header.Get("Location"); got != want {
			t.Errorf("%s: %d to %q, want %q", host, r.status, got, want)
		}
	}
	if r := w.send("GET", "/assets/app.abc.wasm", header("Host", "127.0.0.1")); r.status != 200 {
		t.Errorf("a file was redirected: %d", r.status)
	}
}

func TestHealth(t *testing.T) {
	w := newWorld(t)
	w.workspace() // the link stands
	if r := w.send("GET", "/healthz"); r.status != 200 || r.body != `{"status":"ok","region":"eu","hub":"linked"}`+"\n" {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := w.send("GET", "/readyz"); r.status != 200 || r.body != `{"status":"ready","region":"eu"}`+"\n" {
		t.Errorf("%d %s", r.status, r.body)
	}
	must(t, w.node.Close())
	if r := w.send("GET", "/readyz"); r.status != 503 {
		t.Errorf("an edge that has stopped: %d %s", r.status, r.body)
	}
	if r := w.send("GET", "/metrics"); r.status == 200 && strings.Contains(r.body, "holdfast_edge") {
		t.Error("browsers can read the metrics")
	}
}

func TestNotBuilt(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Assets = func(string) (assets.File, bool) { return assets.File{}, false } })
	if r := w.send("GET", "/"); r.status != 503 || !strings.Contains(r.body, "make build") {
		t.Errorf("%d %s", r.status, r.body)
	}
}

func TestOpenRefuses(t *testing.T) {
	w := newWorld(t)
	taken := New(Config{Listen: w.gate.Addr(), URL: pageURL})
	if err := taken.Open(t.Context()); fault.KindOf(err) != fault.Unavailable || !strings.Contains(fault.DetailOf(err), w.gate.Addr()) {
		t.Errorf("a port in use: %v", err)
	}
	for _, u := range []string{"", "localhost:8080", "http://localhost:8080/", "http://"} {
		if err := New(Config{Listen: "127.0.0.1:0", URL: u}).Open(t.Context()); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", u, err)
		}
	}
	if err := New(Config{Listen: "127.0.0.1:0", URL: pageURL, TLSCert: "none.pem", TLSKey: "none.pem"}).Open(t.Context()); fault.KindOf(err) != fault.Invalid || fault.DetailOf(err) == "" {
		t.Errorf("%v", err)
	}
}

// A client that sends its headers or its body a byte at a time is let go.
func TestSlowClients(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the gateway's patience to end")
	}
	w := newWorld(t)
	for name, start := range map[string]string{"headers": "GET / HTTP/1.1\r\n", "body": "POST /api/x HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := net.Dial("tcp", w.gate.Addr())
			must(t, err)
			defer c.Close()
			io.WriteString(c, start)
			stop := make(chan struct{})
			defer close(stop)
			go func() {
				for {
					select {
					case <-stop:
						return
					case <-time.After(500 * time.Millisecond):
						c.Write([]byte("a")) // a failed write is what the test waits for
					}
				}
			}()
			c.SetReadDeadline(time.Now().Add(bodyMax + time.Minute))
			if _, err := io.Copy(io.Discard, c); err != nil && strings.Contains(err.Error(), "timeout") {
				t.Errorf("still connected: %v", err)
			}
		})
	}
}

func TestHeadersTooLarge(t *testing.T) {
	w := newWorld(t)
	if r := w.send("GET", "/", header("X-Large", strings.Repeat("x", 2*headerBytesMax))); r.status != 431 {
		t.Errorf("%d", r.status)
	}
}

func TestClientIP(t *testing.T) {
	for _, c := range []struct{ name, remote, forwarded, trusted, want string }{
		{"direct", "192.0.2.1:5", "", "", "192.0.2.1"},
		{"spoofed", "192.0.2.1:5", "10.0.0.1", "", "192.0.2.1"},
		{"spoofed-with-proxy", "192.0.2.1:5", "10.0.0.1", "198.51.100.0/24", "192.0.2.1"},
		{"through-proxy", "198.51.100.7:5", "192.0.2.1", "198.51.100.0/24", "192.0.2.1"},
		{"through-two", "198.51.100.7:5", "192.0.2.1, 198.51.100.8", "198.51.100.0/24", "192.0.2.1"},
		{"spoofed-before-proxy", "198.51.100.7:5", "10.0.0.1, 192.0.2.1", "198.51.100.0/24", "192.0.2.1"},
		{"proxy-sends-nothing", "198.51.100.7:5", "", "198.51.100.0/24", "198.51.100.7"},
		{"garbage", "198.51.100.7:5", "not-an-address", "198.51.100.0/24", "198.51.100.7"},
		{"v6", "[2001:db8::7]:5", "2001:db8:1::1", "2001:db8::/48", "2001:db8:1::1"},
		{"mapped", "[::ffff:198.51.100.7]:5", "192.0.2.1", "198.51.100.0/24", "192.0.2.1"},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{}}
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		trusted := prefixes()
		if c.trusted != "" {
			trusted = prefixes(c.trusted)
		}
		if got := clientIP(r, trusted); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// A renewed certificate is served without a restart; half of one is not.
func TestCertificate(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCert(t, certFile, keyFile, 1)
	w := newWorld(t, func(c *Config) { c.TLSCert, c.TLSKey = certFile, keyFile })
	conn, err := tls.Dial("tcp", w.gate.Addr(), &tls.Config{InsecureSkipVerify: true}) // the certificate is the test's own
	must(t, err)
	if v := conn.ConnectionState().Version; v < tls.VersionTLS12 {
		t.Errorf("version %x", v)
	}
	conn.Close()
	k := &keptCertificate{certFile: certFile, keyFile: keyFile}
	must(t, k.load())
	serial := func(at time.Time) int64 {
		c, err := x509.ParseCertificate(k.get(at).Certificate[0])
		must(t, err)
		return c.SerialNumber.Int64()
	}
	now := time.Now()
	writeCert(t, certFile, filepath.Join(dir, "other.pem"), 2) // the key is not there yet
	must(t, os.Chtimes(certFile, now, now.Add(time.Second)))
	if got := serial(now); got != 1 {
		t.Errorf("serial %d", got)
	}
	writeCert(t, certFile, keyFile, 3)
	must(t, os.Chtimes(certFile, now, now.Add(2*time.Second)))
	if got := serial(now.Add(certificateEvery - 1)); got != 1 {
		t.Errorf("serial %d: looked at too often", got)
	}
	if got := serial(now.Add(certificateEvery)); got != 3 {
		t.Errorf("serial %d, want the renewed one", got)
	}
}

func writeCert(t *testing.T, certFile, keyFile string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	must(t, err)
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	must(t, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	must(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), 0o600))
}

func TestCloseFinishesRequests(t *testing.T) {
	w := newWorld(t)
	w.workspace()
	began := make(chan struct{})
	w.answers(func(rw http.ResponseWriter, r *http.Request) {
		close(began)
		time.Sleep(200 * time.Millisecond)
		io.WriteString(rw, "done")
	})
	got := make(chan reply)
	go func() { got <- w.send("GET", "/api/slow") }()
	<-began
	must(t, w.gate.Close(context.Background()))
	if r := <-got; r.body != "done" {
		t.Errorf("%d %q", r.status, r.body)
	}
}
