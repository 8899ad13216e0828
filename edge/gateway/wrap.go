package gateway

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/problem"
	"holdfast/sync/wire"
)

type contextKey int

const originKey contextKey = 0

// origin is where a request comes from, as the gateway knows it.
type origin struct {
	ip      string // of the client, not of a trusted proxy before us
	request string // names the request in all logs
	tenant  *id.ID // for which what is sent is counted; empty: for none
}

func from(r *http.Request) origin { o, _ := r.Context().Value(originKey).(origin); return o }

// wrap adds to every request what does not depend on where it goes: its name, security headers, deadlines, the log.
func (g *Gateway) wrap(next http.Handler) http.Handler {
	headers := g.securityHeaders()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		o := origin{clientIP(r, g.cfg.TrustedProxies), requestID(), new(id.ID)}
		h := w.Header()
		for k, v := range headers {
			h[k] = v
		}
		h.Set(wire.HeaderRequest, o.request)
		writeBy(w, writeMax)
		if r.ContentLength != 0 {
			readBy(w, bodyMax)
		}
		rec := &recorder{ResponseWriter: w}
		r = r.WithContext(context.WithValue(r.Context(), originKey, o))
		defer func() {
			if p := recover(); p == http.ErrAbortHandler {
				panic(p) // net/http ends the connection
			} else if p != nil {
				g.cfg.Log.Error("a handler panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()), "request", o.request)
				if rec.status == 0 {
					problem.Write(rec, fault.E("gateway", fault.Other, nil))
				}
			}
			if *o.tenant != "" {
				g.cfg.Node.Sent(*o.tenant, rec.bytes)
			}
			// The pattern and not the path: an invitation's code is part of the path.
			g.cfg.Log.LogAttrs(r.Context(), slog.LevelDebug, "request", slog.String("route", r.Pattern), slog.String("method", r.Method),
				slog.Int("status", rec.status), slog.Duration("took", time.Since(start)), slog.String("request", o.request))
		}()
		next.ServeHTTP(rec, r)
	})
}

// securityHeaders are on every answer.
//
// The policy allows what the bundle consists of and nothing else: no inline script or style, no other host. Names of
// people and tasks are text nodes; should one ever get into markup, nothing in it runs. Referrer-Policy keeps the codes
// in addresses to ourselves.
func (g *Gateway) securityHeaders() http.Header {
	ws := "ws://" + g.origin.Host
	if g.origin.Scheme == "https" {
		ws = "wss://" + g.origin.Host
	}
	h := http.Header{}
	h.Set("Content-Security-Policy", strings.Join([]string{
		"default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "style-src 'self'", "img-src 'self' data: blob:", "font-src 'self'",
		"connect-src 'self' " + ws, "worker-src 'self'", "manifest-src 'self'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'",
	}, "; "))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Origin-Agent-Cluster", "?1")
	h.Set("Permissions-Policy", "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), "+
		"payment=(), usb=(), serial=(), hid=(), xr-spatial-tracking=(), publickey-credentials-create=(self), publickey-credentials-get=(self)")
	if g.origin.Scheme == "https" {
		h.Set("Strict-Transport-Security", "max-age=63072000")
	}
	return h
}

// clientIP is the address of whoever sent the request. X-Forwarded-For counts only as far as proxies that we trust wrote
// it: from the right, up to the first address that is none of theirs.
func clientIP(r *http.Request, trusted []netip.Prefix) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	isTrusted := func(s string) bool {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return false
		}
		for _, p := range trusted {
			if p.Contains(a.Unmap()) {
				return true
			}
		}
		return false
	}
	hops := strings.Split(strings.Join(r.Header.Values(wire.HeaderClient), ","), ",")
	for i := len(hops) - 1; i >= 0 && isTrusted(host); i-- {
		a, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break // a proxy of ours wrote what is no address: it is the last that is known
		}
		host = a.Unmap().String()
	}
	return host
}

func requestID() string {
	var b [8]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// recorder remembers the status for the log, and how much was sent.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController through.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Hijack is for WebSockets.
func (r *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	h, ok := r.ResponseWriter.(http.Hijacker)
	if !ok {
		return nil, nil, errors.New("this connection cannot be taken over")
	}
	r.status = http.StatusSwitchingProtocols
	return h.Hijack()
}
