package stream

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"holdfast/edge/snapshot"
	"holdfast/edge/tenant"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/wire"
)

// Exports writes a workspace's rows for other regions (ingress.Ingress.Export).
type Exports interface {
	Snapshot(ctx context.Context, t id.ID) (*snapshot.File, error)
}

// copies are the files that other regions are reading piece by piece.
type copies struct {
	mu   sync.Mutex
	held map[string]*copying
}

type copying struct {
	file *snapshot.File
	idle *time.Timer
}

// hold keeps a file for whoever goes on reading it; the same one twice is once.
func (c *copies) hold(f *snapshot.File) (tag string, err error) {
	tag = f.Tag + "-" + strconv.FormatInt(f.Made.UnixNano(), 36)
	c.mu.Lock()
	defer c.mu.Unlock()
	if h := c.held[tag]; h != nil {
		h.idle.Reset(copyIdle)
		f.Release()
		return tag, nil
	}
	if len(c.held) >= copiesMax {
		f.Release()
		return "", fault.Errorf("stream.hold", fault.Busy, "too many copies under way")
	}
	c.held[tag] = &copying{f, time.AfterFunc(copyIdle, func() { c.drop(tag) })}
	return tag, nil
}

func (c *copies) drop(tag string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h := c.held[tag]; h != nil {
		delete(c.held, tag)
		h.idle.Stop()
		h.file.Release()
	}
}

func (c *copies) close() {
	c.mu.Lock()
	var tags []string
	for tag := range c.held {
		tags = append(tags, tag)
	}
	c.mu.Unlock()
	for _, tag := range tags {
		c.drop(tag)
	}
}

// read gives the piece at an offset.
func (c *copies) read(tag string, t id.ID, offset uint64) (m copyReply, err error) {
	const op = "stream.read"
	c.mu.Lock()
	h := c.held[tag]
	if h != nil {
		h.idle.Reset(copyIdle)
	}
	c.mu.Unlock()
	if h == nil || h.file.Tenant() != t {
		return m, fault.Errorf(op, fault.Conflict, "no such copy; begin anew")
	}
	f, err := os.Open(h.file.Path)
	if err != nil {
		return m, fault.E(op, fault.Unavailable, err)
	}
	defer f.Close()
	m = copyReply{Tag: tag, Bytes: uint64(h.file.Bytes), Data: make([]byte, copyBytes)}
	n, err := f.ReadAt(m.Data, int64(offset))
	if err != nil && !errors.Is(err, io.EOF) {
		return m, fault.E(op, fault.Unavailable, err)
	}
	m.Data = m.Data[:n]
	return m, nil
}

// onCopy gives another region a piece of a workspace's rows.
func (s *Stream) onCopy(m *nats.Msg) {
	ctx, cancel := context.WithTimeout(s.ctx, copyMakeMax)
	defer cancel()
	req, err := decodeCopy(m.Data)
	var reply copyReply
	if err == nil {
		reply, err = s.piece(ctx, req)
	}
	if err != nil {
		s.cfg.Log.Warn("rows not given", "tenant", req.Tenant, "offset", req.Offset, "err", err)
		reply = copyReply{Err: err}
	}
	s.respond(m, reply.encode())
}

func (s *Stream) piece(ctx context.Context, req copyRequest) (copyReply, error) {
	const op = "stream.piece"
	tag := req.Tag
	if tag == "" {
		if !s.cfg.Tenants.Exists(req.Tenant) {
			return copyReply{}, fault.Errorf(op, fault.NotFound, "no such workspace here")
		}
		f, err := s.cfg.Exports.Snapshot(ctx, req.Tenant)
		if err != nil {
			return copyReply{}, fault.Wrap(op, err)
		}
		if tag, err = s.copies.hold(f); err != nil {
			return copyReply{}, fault.Wrap(op, err)
		}
	}
	return s.copies.read(tag, req.Tenant, req.Offset)
}

// adopt merges all rows that another region has of a workspace, because this one lacks what the other's log does not hold
// any more (ingress.Ingress.Adopt).
func (s *Stream) adopt(ctx context.Context, from string, n *tenant.Tenant) error {
	const op = "stream.adopt"
	ctx, cancel := context.WithTimeout(ctx, adoptMax)
	defer cancel()
	select {
	case s.adopts <- struct{}{}:
		defer func() { <-s.adopts }()
	case <-ctx.Done():
		return fault.E(op, fault.Unavailable, ctx.Err())
	}
	s.cfg.Log.Warn("taking another region's rows: its log does not reach back far enough", "tenant", n.ID, "region", from)
	began := time.Now()
	f, err := os.CreateTemp(s.cfg.Dir, string(n.ID)+"-*.db")
	if err != nil {
		return fault.E(op, fault.Other, err)
	}
	defer func() {
		f.Close()
		for _, suffix := range []string{"", "-wal", "-shm"} {
			os.Remove(f.Name() + suffix) //nolint:errcheck // it may not be there, and the folder is emptied at the next start
		}
	}()
	bytes := int64(0)
	for try := 1; ; try++ {
		if bytes, err = s.download(ctx, from, n.ID, f); err == nil {
			break
		}
		if try == copyTriesMax || fault.KindOf(err) != fault.Conflict {
			return fault.Wrap(op, err)
		}
	}
	if err := n.Adopt(ctx, f.Name()); err != nil {
		return fault.Wrap(op, err)
	}
	s.cfg.Log.Info("rows taken", "tenant", n.ID, "region", from, "bytes", bytes, "took", time.Since(began), "heads", n.Heads())
	s.merged(n)
	return nil
}

// download writes a copy of another region's rows to f, from its beginning.
func (s *Stream) download(ctx context.Context, from string, t id.ID, f *os.File) (int64, error) {
	const op = "stream.download"
	if err := f.Truncate(0); err != nil {
		return 0, fault.E(op, fault.Other, err)
	}
	req := copyRequest{Tenant: t}
	for {
		patience := askMax
		if req.Tag == "" {
			patience = copyMakeMax
		}
		reply, err := s.askFor(ctx, patience, wire.Copy(from), req.encode())
		if err != nil {
			return 0, fault.Wrap(op, err)
		}
		m, err := decodeCopyReply(reply)
		if err == nil {
			err = m.Err
		}
		if err != nil {
			return 0, fault.Wrap(op, err)
		}
		if _, err := f.WriteAt(m.Data, int64(req.Offset)); err != nil {
			return 0, fault.E(op, fault.Full, err)
		}
		req.Tag, req.Offset = m.Tag, req.Offset+uint64(len(m.Data))
		if req.Offset >= m.Bytes {
			return int64(m.Bytes), nil
		}
		if len(m.Data) == 0 {
			return 0, fault.E(op, fault.Invalid, errors.New("an empty piece"))
		}
	}
}

// emptied is the folder of what is under way, without what an earlier run left.
func emptied(dir string) error {
	old, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return os.MkdirAll(dir, folderPerm)
}
