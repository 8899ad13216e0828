// Package rules asks a workspace's rules (holdfast/sync/rule) about each change at the door.
//
// A rule can only refuse. Its refusal, like everything that it does wrong, is an error of kind Invalid: the change gets a lasting
// fate, waits on its device under "Needs attention" and holds nothing up. A rule that fails, takes too long or answers nonsense
// refuses: what an owner wanted checked is not let in unchecked. What is this region's own trouble is temporary, and the device
// sends the change again.
//
// One workspace's rules are no other's business: each has instances of its own; a rule that did not answer in time rests before it is
// asked again; and a workspace whose rules run for more than their share of the time waits until they have not.
package rules

import (
	"container/list"
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"sync"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/directory"
	"holdfast/sync/fault"
	"holdfast/sync/guest"
	"holdfast/sync/id"
	"holdfast/sync/ingress"
	"holdfast/sync/rule"
	"holdfast/sync/work"
)

// Directory knows the rules.
type Directory interface {
	Rules(tenant id.ID) []directory.Rule
	Module(ctx context.Context, tenant, rule id.ID) ([]byte, error)
}

// Config is what Rules need.
type Config struct {
	Directory Directory
	Ran       func(tenant id.ID, d time.Duration) // is told how long a workspace's rules ran
	Now       func() time.Time
	Log       *slog.Logger
}

// Rules asks rules. It is safe for concurrent use; make it with New.
type Rules struct {
	cfg    Config
	engine *guest.Engine

	mu       sync.Mutex
	loaded   map[key]*loaded
	recent   *list.List // of *loaded, the latest used first
	programs map[[sha256.Size]byte]*program
	busy     map[id.ID]time.Time // until when a workspace's rules have used their share
}

type key struct{ tenant, rule id.ID }

// New makes a Rules that must be opened.
func New(cfg Config) *Rules {
	return &Rules{cfg: cfg, loaded: map[key]*loaded{}, recent: list.New(), programs: map[[sha256.Size]byte]*program{}, busy: map[id.ID]time.Time{}}
}

// Open makes the engine.
func (r *Rules) Open(ctx context.Context) error {
	r.engine = guest.New(context.WithoutCancel(ctx))
	return nil
}

// Close frees everything; no rule may be running.
func (r *Rules) Close(ctx context.Context) error { return r.engine.Close(ctx) }

// Admit asks all rules about all rows of a change (tenant.Config.Admit).
func (r *Rules) Admit(ctx context.Context, tenant id.ID, who ingress.Actor, t change.Tx, known work.Lookup) error {
	const op = "rules.Admit"
	all := r.cfg.Directory.Rules(tenant)
	if len(all) == 0 {
		return nil
	}
	if err := r.mayRun(tenant); err != nil {
		return err
	}
	var shown []byte
	var took time.Duration
	for i := range t.Rows {
		row := &t.Rows[i]
		before, found, err := known.Row(row.Table, row.ID)
		if err != nil {
			return fault.Wrap(op, err)
		}
		shown = rule.Append(shown[:0], &t, row, who.Role, before, found)
		for j := range all {
			d, err := r.ask(ctx, &all[j], shown)
			if took += d; err == nil && took > changeMax {
				err = r.failed(&all[j], fault.Errorf(op, fault.Invalid, "the workspace's rules took longer than %v for the %d rows of this change", changeMax, len(t.Rows)))
			}
			if err != nil {
				return fault.Wrap(op, at(err, row))
			}
		}
	}
	return nil
}

// at adds to a refusal which row it is about.
func at(err error, row *change.Row) error {
	return &fault.Error{Op: "rules.at", Kind: fault.KindOf(err), Detail: fault.DetailOf(err), Err: errors.Join(err, &work.Place{Table: row.Table, Row: row.ID})}
}

// ask has one rule answer, and tells how long it ran.
func (r *Rules) ask(ctx context.Context, d *directory.Rule, shown []byte) (took time.Duration, err error) {
	l, err := r.take(ctx, d)
	if err != nil {
		return 0, r.failed(d, err)
	}
	defer r.leave(l)
	l.mu.Lock()
	defer l.mu.Unlock()
	now := r.cfg.Now()
	if now.Before(l.rests) {
		return 0, r.failed(d, l.why)
	}
	sentence, took, err := l.answer(ctx, shown)
	if took > 0 {
		r.ran(d.Tenant, took)
	}
	if err != nil {
		l.rest(now, took, err)
		return took, r.failed(d, err)
	}
	l.pause = 0
	if sentence != "" {
		return took, fault.Errorf("rules.ask", fault.Invalid, "Rule “%s”: %s", d.Name, sentence)
	}
	return took, nil
}

// failed is what a person reads when a rule gave no answer.
func (r *Rules) failed(d *directory.Rule, err error) error {
	const op = "rules.failed"
	if fault.KindOf(err) != fault.Invalid {
		r.cfg.Log.Error("a rule cannot be run", "tenant", d.Tenant, "rule", d.ID, "err", err)
		return &fault.Error{Op: op, Kind: fault.Unavailable, Err: err,
			Detail: "This region cannot ask the rule “" + d.Name + "” at present. The change waits and is sent again by itself."}
	}
	r.cfg.Log.Info("a rule gave no answer", "tenant", d.Tenant, "rule", d.ID, "err", err)
	return &fault.Error{Op: op, Kind: fault.Invalid, Err: err,
		Detail: "Rule “" + d.Name + "” gave no answer: " + fault.DetailOf(err) + ". Ask an owner or admin of the workspace to correct it or switch it off, then send the change again."}
}

// mayRun refuses for now while a workspace's rules have used their share of the time.
func (r *Rules) mayRun(tenant id.ID) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if until := r.busy[tenant]; until.Sub(r.cfg.Now()) > share*saved {
		return fault.Errorf("rules.mayRun", fault.Busy, "This workspace's rules take too much time. The change waits and is sent again by itself; an owner or admin can make them quicker or switch some off.")
	}
	return nil
}

// ran counts how long a rule ran, and takes it from the workspace's share.
func (r *Rules) ran(tenant id.ID, took time.Duration) {
	r.cfg.Ran(tenant, took)
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.cfg.Now()
	if len(r.busy) >= heldMax {
		for t, until := range r.busy {
			if until.Before(now) {
				delete(r.busy, t)
			}
		}
	}
	until := r.busy[tenant]
	if until.Before(now) {
		until = now
	}
	r.busy[tenant] = until.Add(took * share)
}
