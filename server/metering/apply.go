package metering

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
	"holdfast/sync/usage"
)

// message is one stored event as it came from a stream.
type message struct {
	seq    uint64
	stored time.Time // by the region's stream
	data   []byte
}

func digest(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:16]
}

// position is a reader's place in a region's stream.
type position struct {
	created   time.Time // of the stream
	watermark uint64
	digest    []byte // of the message at the watermark
	epoch     int64
}

// batch is the work of one transaction. Series, totals and gauges are kept in memory until all messages are seen, so
// that an event costs no statement of its own unless its id is opaque.
type batch struct {
	ctx    context.Context
	tx     *sql.Tx
	region string
	epoch  int64
	now    time.Time

	series map[seriesKey]*seriesState
	totals map[totalKey]*totalSum
	reads  map[id.ID]bool // workspaces with a new reading
	aside  int            // rows left for events that are set aside
}

type seriesKey struct{ source, series string }

type seriesState struct {
	touched span // what this batch may change, with the neighbors
	spans   spans
}

type totalKey struct {
	tenant id.ID
	month  string
	meter  string
}

type totalSum struct{ quantity, events int64 }

// apply counts messages and moves the watermark, in one transaction. Messages are in the order of the stream and behind
// the watermark.
func (s *Service) apply(ctx context.Context, region string, at position, list []message) (position, error) {
	const op = "metering.apply"
	next := at
	var touched []id.ID
	err := sqlite.Tx(ctx, s.db, func(tx *sql.Tx) error {
		b := &batch{ctx: ctx, tx: tx, region: region, epoch: at.epoch, now: s.cfg.Now(),
			series: map[seriesKey]*seriesState{}, totals: map[totalKey]*totalSum{}, reads: map[id.ID]bool{}}
		if err := tx.QueryRowContext(ctx, q.Get("count-aside"), region).Scan(&b.aside); err != nil {
			return err
		}
		b.aside = asideRowsMax - b.aside
		events := b.decode(list)
		if err := b.load(events); err != nil {
			return err
		}
		for i := range events {
			if err := b.count(&events[i]); err != nil {
				return err
			}
			if events[i].why != "" {
				if err := s.setAside(b, events[i]); err != nil {
					return err
				}
			}
		}
		if err := b.store(); err != nil {
			return err
		}
		touched = b.touched()
		last := list[len(list)-1]
		next.watermark, next.digest = last.seq, digest(last.data)
		return b.setReader(next)
	})
	if err != nil {
		return at, fault.Wrap(op, err)
	}
	s.touch(touched)
	return next, nil
}

// touched are the workspaces whose totals the batch changes.
func (b *batch) touched() []id.ID {
	out := make([]id.ID, 0, len(b.totals)+len(b.reads))
	for k := range b.totals {
		out = append(out, k.tenant)
	}
	for t := range b.reads {
		out = append(out, t)
	}
	return out
}

func (b *batch) setReader(p position) error {
	_, err := b.tx.ExecContext(b.ctx, q.Get("set-reader"), b.region, p.created.UnixMilli(), p.watermark, p.digest, p.epoch, b.now.UnixMilli())
	return err
}

// event is a message that was read, or why it could not be.
type event struct {
	message
	usage.Event
	series string
	span   span
	ranged bool
	why    string // it is set aside for this
}

func (b *batch) decode(list []message) []event {
	events := make([]event, len(list))
	for i, m := range list {
		e := &events[i]
		e.message = m
		var err error
		if e.Event, err = usage.Decode(m.data); err != nil {
			e.why = "not an event: " + err.Error()
			continue
		}
		switch {
		case e.Source != "edge/"+b.region:
			e.why = "a source that is not this region's"
		case e.Time.After(b.now.Add(futureMax)):
			e.why = "a time in the future"
		case e.Quantity > quantityMax:
			e.why = "a quantity that cannot be"
		}
		var lo, hi uint64
		e.series, lo, hi, e.ranged = usage.ParseRange(e.ID)
		e.span = span{lo, hi}
	}
	return events
}

// load reads what has been counted of the series that the events belong to.
func (b *batch) load(events []event) error {
	for i := range events {
		e := &events[i]
		if e.why != "" || !e.ranged {
			continue
		}
		k := seriesKey{e.Source, e.series}
		st, ok := b.series[k]
		if !ok {
			st = &seriesState{touched: e.span}
			b.series[k] = st
		}
		st.touched.lo, st.touched.hi = min(st.touched.lo, e.span.lo), max(st.touched.hi, e.span.hi)
	}
	for k, st := range b.series {
		if st.touched.lo > 0 {
			st.touched.lo-- // the neighbors may become one with what is added
		}
		st.touched.hi = min(st.touched.hi+1, math.MaxInt64)
		rows, err := b.tx.QueryContext(b.ctx, q.Get("spans"), k.source, k.series, st.touched.hi, st.touched.lo)
		if err != nil {
			return err
		}
		st.spans, err = scan(rows, func(r *sql.Rows) (v span, err error) { return v, r.Scan(&v.lo, &v.hi) })
		if err != nil {
			return err
		}
		if n := len(st.spans); n > 0 {
			st.touched.lo, st.touched.hi = min(st.touched.lo, st.spans[0].lo), max(st.touched.hi, st.spans[n-1].hi)
		}
	}
	return nil
}

func scan[T any](rows *sql.Rows, one func(*sql.Rows) (T, error)) (list []T, err error) {
	defer rows.Close()
	for rows.Next() {
		v, err := one(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// count adds an event to its total, unless it was counted before.
func (b *batch) count(e *event) error {
	if e.why != "" {
		return nil
	}
	if e.ranged {
		b.countRange(e)
		return nil
	}
	if b.now.Sub(e.stored) > seenFor {
		e.why = "too old to tell whether it was counted"
		return nil
	}
	r, err := b.tx.ExecContext(b.ctx, q.Get("see"), e.Source, e.ID, e.stored.UnixMilli())
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return err
	}
	if e.Meter == usage.Storage {
		return b.read(e)
	}
	b.sum(e, e.Quantity)
	return nil
}

func (b *batch) countRange(e *event) {
	st := b.series[seriesKey{e.Source, e.series}]
	all := e.span.hi - e.span.lo + 1
	known := st.spans.covered(e.span)
	switch {
	case known == all:
		return
	case known == 0:
		b.sum(e, e.Quantity)
	case uint64(e.Quantity) == all:
		b.sum(e, int64(all-known))
	default:
		e.why = fmt.Sprintf("%d of its %d members were counted before and its quantity is %d", known, all, e.Quantity)
		return
	}
	st.spans.add(e.span)
}

func (b *batch) sum(e *event, quantity int64) {
	k := totalKey{e.Tenant, monthName(e.Time), e.Meter}
	if e.Meter == usage.Twice { // another region counts them
		k.meter, quantity = usage.Changes, -quantity
	}
	t, ok := b.totals[k]
	if !ok {
		t = &totalSum{}
		b.totals[k] = t
	}
	t.quantity += quantity
	t.events++
}

// read takes a reading of a gauge: the one before it held until now. A reading older than the latest changes nothing.
func (b *batch) read(e *event) error {
	var old, oldMS int64
	err := b.tx.QueryRowContext(b.ctx, q.Get("gauge"), e.Tenant, e.Meter, b.region).Scan(&old, &oldMS)
	known := err == nil
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if known && e.Time.UnixMilli() <= oldMS {
		return nil
	}
	hold := func(month time.Time, value, ms, last int64) error {
		var a area
		err := b.tx.QueryRowContext(b.ctx, q.Get("gauge-month"), e.Tenant, monthName(month), e.Meter, b.region).Scan(&a.hours, &a.rest)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		a.add(value, ms)
		_, err = b.tx.ExecContext(b.ctx, q.Get("set-gauge-month"), e.Tenant, monthName(month), e.Meter, b.region, a.hours, a.rest, last)
		return err
	}
	if known {
		eachMonth(time.UnixMilli(oldMS), e.Time, func(month time.Time, ms int64) {
			if err == nil {
				err = hold(month, old, ms, old)
			}
		})
		if err != nil {
			return err
		}
	}
	if err := hold(e.Time, 0, 0, e.Quantity); err != nil {
		return err
	}
	b.reads[e.Tenant] = true
	_, err = b.tx.ExecContext(b.ctx, q.Get("set-gauge"), e.Tenant, e.Meter, b.region, e.Quantity, e.Time.UnixMilli())
	return err
}

// store writes the series and the totals that the batch changed.
func (b *batch) store() error {
	for k, st := range b.series {
		if _, err := b.tx.ExecContext(b.ctx, q.Get("drop-spans"), k.source, k.series, st.touched.lo, st.touched.hi); err != nil {
			return err
		}
		for _, x := range st.spans {
			if _, err := b.tx.ExecContext(b.ctx, q.Get("add-span"), k.source, k.series, x.lo, x.hi); err != nil {
				return err
			}
		}
	}
	for k, t := range b.totals {
		if _, err := b.tx.ExecContext(b.ctx, q.Get("add"), k.tenant, k.month, k.meter, b.region, t.quantity, t.events); err != nil {
			return err
		}
	}
	return nil
}

// setAside keeps an event that cannot be counted for an operator.
func (s *Service) setAside(b *batch, e event) error {
	s.cfg.Log.Error("a usage event was set aside", "region", b.region, "seq", e.seq, "why", e.why)
	if b.aside <= 0 {
		return nil
	}
	b.aside--
	_, err := b.tx.ExecContext(b.ctx, q.Get("set-aside"), b.region, b.epoch, e.seq, e.why, e.data[:min(len(e.data), asideBytesMax)], b.now.UnixMilli())
	return err
}
