// Package simulate plays a file: a catalogue, customers, and a dated list of what happens. It runs the hub's own
// billing on a test clock with the test processor, and reports invoices, credit notes, payments, ledger and revenue.
// example.yaml is the documentation of the format. The same file always gives the same report, byte for byte.
package simulate

import (
	"context"
	"io"
	"time"

	"holdfast/server/billing"
	"holdfast/server/payment"
	"holdfast/sync/fault"
)

// Options says how to run and what to print.
type Options struct {
	Out    io.Writer
	Format string                              // table (default), json
	Open   func(string) (io.ReadCloser, error) // reads a catalogue that stands in another file; nil: not allowed
	Save   func(name string, b []byte) error   // takes each invoice and credit note as HTML, PDF and UBL; nil: none are made
}

// Run plays the file and prints its report. If anything is wrong with the file, or something in it is refused, it
// prints nothing and fails; the error's detail is made of sentences that name lines.
func Run(ctx context.Context, in io.Reader, o Options) error {
	const op = "simulate.Run"
	if o.Format != "" && o.Format != "table" && o.Format != "json" {
		return fault.Errorf(op, fault.Invalid, "unknown format %q; use table or json", o.Format)
	}
	r, err := Play(ctx, in, o)
	if err != nil {
		return err
	}
	if o.Format == "json" {
		return r.JSON(o.Out)
	}
	return r.Table(o.Out)
}

// world is a simulation under way.
type world struct {
	ctx      context.Context
	file     *file
	engine   *billing.Engine
	proc     *payment.Test
	now      time.Time
	previews []shown
	refused  []Refused
}

type shown struct {
	at             time.Time
	line           int
	customer, what string
	p              billing.Preview
}

// Refused is something that the file expected to be refused, and was.
type Refused struct {
	At    time.Time `json:"at"`
	Line  int       `json:"line"`
	What  string    `json:"what"`
	Error string    `json:"error"`
}

// Play runs the file and gives its report.
func Play(ctx context.Context, in io.Reader, o Options) (*Report, error) {
	const op = "simulate.Play"
	f, err := read(in, o.Open)
	if err != nil {
		return nil, err
	}
	w := &world{ctx: ctx, file: f, now: f.start}
	w.proc = payment.NewTest(func() time.Time { return w.now })
	w.engine = billing.New(billing.Config{Catalog: f.cat, Processor: w.proc, Start: f.start})
	for _, c := range f.customers {
		if err := w.open(c); err != nil {
			return nil, at(c.line, err)
		}
	}
	for _, h := range f.happenings {
		if err := w.advance(h.at); err != nil {
			return nil, fault.Wrap(op, err)
		}
		err := h.do(w)
		switch {
		case err != nil && h.refused:
			w.refused = append(w.refused, Refused{h.at, h.line, h.kind, text(err)})
		case err != nil:
			return nil, at(h.line, err)
		case h.refused:
			return nil, fault.Errorf(op, fault.Invalid, "line %d: %s was expected to be refused, but it was done", h.line, h.kind)
		}
	}
	if err := w.advance(f.end); err != nil {
		return nil, fault.Wrap(op, err)
	}
	if err := w.engine.Close(w.ctx); err != nil {
		return nil, fault.Wrap(op, err)
	}
	if o.Save != nil {
		if err := w.papers(o.Save); err != nil {
			return nil, err
		}
	}
	return w.report(), nil
}

func (w *world) open(c customer) error {
	if err := w.engine.Open(w.ctx, c.Customer); err != nil {
		return err
	}
	if len(c.methods) == 0 && !c.send {
		return nil
	}
	return w.engine.Do(w.ctx, c.ID, billing.Methods{List: c.methods, Send: c.send})
}

// advance moves engine and processor to a moment together: whoever is due first goes first, the engine before the
// processor.
func (w *world) advance(to time.Time) error {
	for {
		next := w.engine.Next()
		if p := w.proc.Next(); next.IsZero() || !p.IsZero() && p.Before(next) {
			next = p
		}
		if next.IsZero() || next.After(to) {
			break
		}
		if err := w.ctx.Err(); err != nil {
			return err
		}
		if next.After(w.now) {
			w.now = next
		}
		if err := w.tick(w.now); err != nil {
			return err
		}
		for _, e := range w.proc.Take() {
			if err := w.engine.Hear(w.ctx, e); err != nil {
				return err
			}
		}
	}
	w.now = to
	return w.tick(to)
}

// tick moves the engine. A simulation ends at what cannot be done.
func (w *world) tick(to time.Time) error {
	if err := w.engine.Advance(w.ctx, to); err != nil {
		return err
	}
	for _, s := range w.engine.Stuck() {
		return fault.Errorf("simulate", fault.KindOf(s.Err), "%s, on %s: %s", s.Customer, s.At.Format("2006-01-02 15:04"), text(s.Err))
	}
	return nil
}

// text is what an error says to people.
func text(err error) string {
	if d := fault.DetailOf(err); d != "" {
		return d
	}
	return err.Error()
}

func at(line int, err error) error {
	return fault.Errorf("simulate.Play", fault.KindOf(err), "line %d: %s", line, text(err))
}
