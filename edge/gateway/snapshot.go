package gateway

import (
	"context"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/problem"
	"holdfast/sync/wire"
)

// snapshot sends a workspace as a SQLite file to one of its members. Everybody else learns nothing: not a member, no such
// workspace, or one that this region may not hold are one answer.
func (g *Gateway) snapshot(w http.ResponseWriter, r *http.Request) {
	const op = "gateway.snapshot"
	claims, err := g.session(r)
	if err != nil {
		problem.Write(w, err)
		return
	}
	tenant := id.ID(r.PathValue("tenant"))
	_, t, ok := g.cfg.Node.Member(tenant, claims.Person)
	if !ok || !t.Serves(g.cfg.Region) {
		g.cfg.Log.Warn("a snapshot was refused", "tenant", tenant, "person", claims.Person, "session", claims.Session, "request", from(r).request)
		problem.Write(w, fault.Errorf(op, fault.NotFound, "There is no such workspace, or you are not a member of it."))
		return
	}
	leave, ok := g.loads.enter(claims.Person)
	if !ok {
		problem.Write(w, fault.Errorf(op, fault.Limit, "You are loading %d workspaces already. Wait until one has arrived.", loadsOfPersonMax))
		return
	}
	defer leave()
	writeBy(w, snapshotMake+writeMax)
	ctx, cancel := context.WithTimeout(r.Context(), snapshotMake)
	defer cancel()
	f, err := g.cfg.Node.Snapshot(ctx, tenant)
	if err != nil {
		g.cfg.Log.Error("no snapshot", "tenant", tenant, "err", err, "request", from(r).request)
		problem.Write(w, err)
		return
	}
	defer f.Release()
	g.count(r, tenant)
	coding := chooseCoding(r.Header.Get("Accept-Encoding"))
	h := w.Header()
	tag := f.Tag
	if coding != "" {
		tag += "-" + coding // RFC 9110 §8.8.3: each coding is a representation of its own
		h.Set("Content-Encoding", coding)
	}
	h.Set("ETag", `"`+tag+`"`)
	h.Set("Vary", "Accept-Encoding, Cookie")
	h.Set("Cache-Control", "private, no-cache") // kept, and asked for again each time: membership may have ended
	if matches(r.Header.Get("If-None-Match"), tag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", "application/vnd.sqlite3")
	h.Set(wire.HeaderBytes, strconv.FormatInt(f.Bytes, 10))
	if r.Method == http.MethodHead {
		return
	}
	if err := send(w, f.Path, f.Bytes, coding); err != nil {
		// The status is out: all that can be done is to end the connection, so that nobody takes a part for the whole.
		g.cfg.Log.Info("a snapshot was not sent to its end", "tenant", tenant, "err", err, "request", from(r).request)
		panic(http.ErrAbortHandler)
	}
}

// send copies the file, compressed, giving each piece its own time: a slow network may take long, a dead one may not.
func send(w http.ResponseWriter, path string, size int64, coding string) error {
	const op = "gateway.send"
	f, err := os.Open(path)
	if err != nil {
		return fault.E(op, fault.Other, err)
	}
	defer f.Close()
	var out io.Writer = w
	finish := func() error { return nil }
	switch coding {
	case "zstd":
		z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
		if err != nil {
			return fault.E(op, fault.Other, err)
		}
		out, finish = z, z.Close
	case "gzip":
		z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
		if err != nil {
			return fault.E(op, fault.Other, err)
		}
		out, finish = z, z.Close
	default:
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	}
	for {
		writeBy(w, writeMax)
		if _, err := io.CopyN(out, f, pieceBytes); err == io.EOF {
			return fault.As(op, fault.Other, finish())
		} else if err != nil {
			return fault.E(op, fault.Other, err)
		}
	}
}

// chooseCoding picks the best coding that an Accept-Encoding header allows, or none (RFC 9110 §12.5.3).
func chooseCoding(header string) string {
	quality := map[string]float64{}
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(part, ";")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(params)), "q="); ok {
			var err error
			if q, err = strconv.ParseFloat(v, 64); err != nil {
				q = 0
			}
		}
		quality[strings.ToLower(strings.TrimSpace(name))] = q
	}
	for _, c := range []string{"zstd", "gzip"} {
		if quality[c] > 0 {
			return c
		}
	}
	return ""
}

// matches reads an If-None-Match header (RFC 9110 §13.1.2).
func matches(header, tag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "W/")
		if part == "*" || part == `"`+tag+`"` {
			return true
		}
	}
	return false
}
