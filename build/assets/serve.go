package assets

import (
	"net/http"
	"strconv"
	"strings"
)

// ServeHTTP answers a GET or HEAD with the smallest variant that the client accepts, with caching headers:
// for ever when the path carries the hash, revalidated by ETag otherwise. Security headers are the caller's.
func (f File) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "This address can only be read.", http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	if f.Immutable {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	body, coding := f.variant(r.Header.Get("Accept-Encoding"))
	tag := f.ETag
	if f.Brotli != nil || f.Gzip != nil {
		h.Set("Vary", "Accept-Encoding")
	}
	if coding != "" {
		// RFC 9110 §8.8.3: codings of one resource are different representations, so a strong tag names the coding.
		tag += "-" + coding
		h.Set("Content-Encoding", coding)
	}
	h.Set("ETag", `"`+tag+`"`)
	h.Set("Content-Type", f.Type)
	h.Set("X-Content-Type-Options", "nosniff")
	if match(r.Header.Get("If-None-Match"), tag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	w.Write(body) // a failed write is a client that left
}

func (f File) variant(accept string) (body []byte, coding string) {
	if f.Brotli != nil && accepts(accept, "br") {
		return f.Brotli, "br"
	}
	if f.Gzip != nil && accepts(accept, "gzip") {
		return f.Gzip, "gzip"
	}
	return f.Body, ""
}

// accepts reads an Accept-Encoding header (RFC 9110 §12.5.3): coding is listed and not refused with q=0.
func accepts(header, coding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		value, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(params)), "q=")
		if !ok {
			return true
		}
		q, err := strconv.ParseFloat(value, 64)
		return err == nil && q > 0
	}
	return false
}

// match reads an If-None-Match header (RFC 9110 §13.1.2).
func match(header, tag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "W/")
		if part == "*" || part == `"`+tag+`"` {
			return true
		}
	}
	return false
}
