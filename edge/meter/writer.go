package meter

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
	"holdfast/sync/usage"
	"holdfast/sync/wire"
)

// headerRow is the header of a usage message that holds its record's number.
const headerRow = "Holdfast-Row"

// writer moves records from node.db to the stream. Each message names the stream's sequence that must be before it, so
// when one fails those behind it fail too, and no hole comes to be.
type writer struct {
	cfg  Config
	js   jetstream.JetStream
	wake chan struct{}

	sent atomic.Int64 // done, for others to see

	known bool // done and last are known
	done  int64
	last  uint64 // the stream's last sequence
}

func newWriter(cfg Config) *writer { return &writer{cfg: cfg, wake: make(chan struct{}, 1)} }

func (w *writer) open(ctx context.Context) error {
	const op = "meter.open"
	var err error
	if w.js, err = jetstream.New(w.cfg.Conn); err != nil {
		return fault.E(op, fault.Invalid, err)
	}
	_, err = w.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: wire.UsageStream, Subjects: []string{"usage." + w.cfg.Region + ".*"}, Storage: jetstream.FileStorage,
		MaxAge: streamAge, MaxBytes: streamBytes, Discard: jetstream.DiscardNew, Duplicates: duplicates, MaxConsumers: -1,
	})
	return fault.As(op, fault.Unavailable, err)
}

func (w *writer) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *writer) run(ctx context.Context) {
	tidy := time.NewTicker(tidyEvery)
	defer tidy.Stop()
	for {
		err := w.drain(ctx)
		if ctx.Err() != nil {
			return
		}
		wait := lookEvery
		if err != nil {
			w.known, wait = false, retryEvery
			w.cfg.Log.Warn("usage not written; it is tried again", "err", err)
			if w.cfg.Stuck != nil && fault.KindOf(err) == fault.Unavailable {
				w.cfg.Stuck()
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-wakeUnless(err, w.wake):
		case <-time.After(wait):
		case <-tidy.C:
			if err := w.tidy(ctx); err != nil {
				w.cfg.Log.Error("old usage records not removed", "err", err)
			}
		}
	}
}

// wakeUnless gives the channel of announcements; after an error the pause is kept.
func wakeUnless(err error, wake chan struct{}) chan struct{} {
	if err != nil {
		return nil
	}
	return wake
}

// drain writes until nothing is left.
func (w *writer) drain(ctx context.Context) error {
	if !w.known {
		if err := w.where(ctx); err != nil {
			return err
		}
	}
	for {
		w.sent.Store(w.done)
		list, err := w.next(ctx)
		if err != nil || len(list) == 0 {
			return err
		}
		if err := w.publish(ctx, list); err != nil {
			return err
		}
	}
}

// where asks the stream for the last record it has. A stream without a readable one gets all that is still kept.
func (w *writer) where(ctx context.Context) error {
	const op = "meter.where"
	ctx, cancel := context.WithTimeout(ctx, ackMax)
	defer cancel()
	st, err := w.js.Stream(ctx, wire.UsageStream)
	if err != nil {
		return fault.E(op, fault.Unavailable, err)
	}
	w.done, w.last = 0, st.CachedInfo().State.LastSeq
	if w.last > 0 {
		m, err := st.GetMsg(ctx, w.last)
		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound):
		case err != nil:
			return fault.E(op, fault.Unavailable, err)
		default:
			if w.done, err = strconv.ParseInt(m.Header.Get(headerRow), 10, 64); err != nil {
				return fault.E(op, fault.Corrupt, err)
			}
		}
	}
	w.known = true
	return nil
}

type record struct {
	n     int64
	event usage.Event
}

func (w *writer) next(ctx context.Context) (out []record, err error) {
	const op = "meter.next"
	rows, err := w.cfg.DB.QueryContext(ctx, q("after"), w.done, batchMax)
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	defer rows.Close()
	for rows.Next() {
		var r record
		var atMS int64
		var first, last uint64
		e := &r.event
		if err := rows.Scan(&r.n, &e.Meter, &e.Tenant, &atMS, &first, &last, &e.Quantity); err != nil {
			return nil, sqlite.Wrap(op, err)
		}
		e.ID, e.Source, e.Time = eventID(e.Meter, e.Tenant, first, last), "edge/"+w.cfg.Region, time.UnixMilli(atMS)
		e.Dims = map[string]string{"region": w.cfg.Region}
		out = append(out, r)
	}
	return out, sqlite.Wrap(op, rows.Err())
}

func eventID(meter string, t id.ID, first, last uint64) string {
	switch meter {
	case usage.Changes:
		return usage.RangeID(usage.ChangesSeries(t), first, last)
	case usage.Twice:
		return usage.RangeID(usage.TwiceSeries(t), first, last)
	case usage.Storage:
		return usage.StorageID(t, int64(first))
	}
	return usage.RangeID(meter, first, last)
}

func (w *writer) publish(ctx context.Context, list []record) error {
	const op = "meter.publish"
	acks := make([]jetstream.PubAckFuture, 0, len(list))
	for i, r := range list {
		m := nats.NewMsg(wire.UsageSubject(w.cfg.Region, r.event.Tenant))
		m.Header.Set(headerRow, strconv.FormatInt(r.n, 10))
		m.Header.Set(jetstream.MsgIDHeader, r.event.ID)
		m.Header.Set(jetstream.ExpectedLastSeqHeader, strconv.FormatUint(w.last+uint64(i), 10))
		m.Data = r.event.Encode()
		ack, err := w.js.PublishMsgAsync(m, jetstream.WithStallWait(ackMax))
		if err != nil {
			return fault.E(op, fault.Unavailable, err)
		}
		acks = append(acks, ack)
	}
	late := time.NewTimer(ackMax)
	defer late.Stop()
	for i, ack := range acks {
		select {
		case a := <-ack.Ok():
			if a.Duplicate {
				return fault.E(op, fault.Conflict, errors.New("the stream has the event already")) // and where tells how far
			}
			w.last, w.done = a.Sequence, list[i].n
		case err := <-ack.Err():
			return fault.E(op, fault.Unavailable, err)
		case <-late.C:
			return fault.E(op, fault.Unavailable, errors.New("the stream did not confirm in time"))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// tidy removes records that have long been in the stream.
func (w *writer) tidy(ctx context.Context) error {
	if !w.known {
		return nil
	}
	_, err := w.cfg.DB.ExecContext(ctx, q("tidy"), w.done, w.cfg.Now().Add(-keepFor).UnixMilli())
	return sqlite.Wrap("meter.tidy", err)
}
