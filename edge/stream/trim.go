package stream

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"holdfast/edge/tenant"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/ingress"
	"holdfast/sync/sqlite"
)

// defaultBounds are what logs are trimmed to.
var defaultBounds = ingress.Bounds{Age: logAge, Bytes: logBytes, HoldAge: logHoldAge, HoldBytes: logHoldBytes}

// trimmer trims the logs of workspaces that were opened or have grown since the last time.
type trimmer struct {
	s *Stream

	mu  sync.Mutex
	due map[id.ID]bool
}

func newTrimmer(s *Stream) *trimmer { return &trimmer{s: s, due: map[id.ID]bool{}} }

func (t *trimmer) add(w id.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.due[w] = true
}

func (t *trimmer) run(ctx context.Context) {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		t.mu.Lock()
		due := t.due
		t.due = map[id.ID]bool{}
		t.mu.Unlock()
		for w := range due {
			if err := t.s.Trim(ctx, w); err != nil && ctx.Err() == nil {
				t.s.cfg.Log.Warn("log not trimmed; it is tried again", "tenant", w, "err", err)
				t.add(w)
			}
		}
	}
}

// Trim takes out of a workspace's log what is beyond the bounds. What is not published or not counted yet stays.
func (s *Stream) Trim(ctx context.Context, t id.ID) error {
	const op = "stream.Trim"
	own, err := s.handled(ctx, t)
	if err != nil {
		return fault.Wrap(op, err)
	}
	err = s.cfg.Tenants.Use(ctx, t, func(n *tenant.Tenant) error {
		was := n.Floors()
		for more := true; more; {
			var err error
			if more, err = n.TrimOld(ctx, s.cfg.Bounds, own); err != nil {
				return err
			}
		}
		if now := n.Floors(); !was.Covers(now) {
			s.cfg.Log.Info("log trimmed", "tenant", t, "was", was, "floors", now)
		}
		return nil
	})
	return fault.Wrap(op, err)
}

// handled is the last sequence of a workspace's own log that is both published and counted, durably.
func (s *Stream) handled(ctx context.Context, t id.ID) (uint64, error) {
	const op = "stream.handled"
	var counted uint64
	err := s.cfg.DB.QueryRowContext(ctx, q("headOf"), s.cfg.Region, t).Scan(&counted)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	var dirty bool
	if err == nil {
		err = s.cfg.DB.QueryRowContext(ctx, q("isDirty"), t).Scan(&dirty)
	}
	if err != nil {
		return 0, sqlite.Wrap(op, err)
	}
	if !dirty {
		return counted, nil
	}
	published, err := s.published(ctx, t)
	return min(counted, published), fault.Wrap(op, err)
}
