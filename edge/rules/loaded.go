package rules

import (
	"bytes"
	"container/list"
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"holdfast/sync/directory"
	"holdfast/sync/fault"
	"holdfast/sync/guest"
)

// loaded is one workspace's rule with its instance.
type loaded struct {
	key     key
	hash    [sha256.Size]byte
	program *program
	users   int           // under Rules.mu
	gone    bool          // closed when nobody uses it; under Rules.mu
	place   *list.Element // under Rules.mu

	mu    sync.Mutex
	run   *guest.Instance // nil: to be started
	rests time.Time       // it is not asked before
	pause time.Duration   // how long it rested last
	why   error           // it rests
}

// program is compiled code, which workspaces with the same module share.
type program struct {
	once  sync.Once
	code  *guest.Program
	err   error
	users int // under Rules.mu
}

// take gives a rule's instance as the directory has the rule now; leave must follow.
func (r *Rules) take(ctx context.Context, d *directory.Rule) (*loaded, error) {
	k, hash := key{d.Tenant, d.ID}, [sha256.Size]byte(d.Hash)
	r.mu.Lock()
	l := r.loaded[k]
	if l != nil && l.hash != hash {
		r.drop(l)
		l = nil
	}
	if l == nil {
		l = &loaded{key: k, hash: hash, program: r.programs[hash]}
		if l.program == nil {
			l.program = &program{}
			r.programs[hash] = l.program
		}
		l.program.users++
		l.place = r.recent.PushFront(l)
		r.loaded[k] = l
		for back := r.recent.Back(); r.recent.Len() > loadedMax && back != l.place; back = r.recent.Back() {
			r.drop(back.Value.(*loaded))
		}
	}
	r.recent.MoveToFront(l.place)
	l.users++
	r.mu.Unlock()
	l.program.once.Do(func() { l.program.code, l.program.err = r.compile(ctx, d) })
	if err := l.program.err; err != nil {
		r.mu.Lock()
		if r.programs[hash] == l.program && fault.KindOf(err) != fault.Invalid {
			delete(r.programs, hash) // it is tried again
		}
		if r.loaded[k] == l {
			r.drop(l)
		}
		r.mu.Unlock()
		r.leave(l)
		return nil, err
	}
	return l, nil
}

func (r *Rules) compile(ctx context.Context, d *directory.Rule) (*guest.Program, error) {
	const op = "rules.compile"
	module, err := r.cfg.Directory.Module(ctx, d.Tenant, d.ID)
	if err != nil {
		return nil, fault.E(op, fault.Unavailable, err)
	}
	if sum := sha256.Sum256(module); !bytes.Equal(sum[:], d.Hash) {
		return nil, fault.E(op, fault.Unavailable, errors.New("the module is another one; it is just being replaced"))
	}
	return r.engine.Compile(ctx, module)
}

// drop forgets an instance, which is closed once nobody uses it. r.mu is held.
func (r *Rules) drop(l *loaded) {
	delete(r.loaded, l.key)
	r.recent.Remove(l.place)
	l.gone = true
	if l.users == 0 {
		r.free(l)
	}
}

func (r *Rules) leave(l *loaded) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.users--; l.users == 0 && l.gone {
		r.free(l)
	}
}

// free closes what nobody uses. r.mu is held.
func (r *Rules) free(l *loaded) {
	ctx := context.Background()
	if l.run != nil {
		l.run.Close(ctx)
	}
	if l.program.users--; l.program.users > 0 {
		return
	}
	if r.programs[l.hash] == l.program {
		delete(r.programs, l.hash)
	}
	if l.program.code != nil {
		if err := l.program.code.Close(ctx); err != nil {
			r.cfg.Log.Error("a rule's code was not freed", "tenant", l.key.tenant, "rule", l.key.rule, "err", err)
		}
	}
}

// answer asks the instance, which it starts when there is none, and tells how long that took. l.mu is held.
func (l *loaded) answer(ctx context.Context, shown []byte) (sentence string, took time.Duration, err error) {
	begin := time.Now() // not the clock of Config, which tests set: it is billed
	if l.run == nil {
		if l.run, err = l.program.code.Start(ctx); err != nil {
			return "", time.Since(begin), err
		}
	}
	sentence, err = l.run.Check(shown)
	took = time.Since(begin)
	if l.run.Worn() {
		l.run.Close(ctx)
		l.run = nil
	}
	return sentence, took, err
}

// rest keeps a rule that took too long from being asked for a while: each time would hold up its workspace again. l.mu is held.
func (l *loaded) rest(now time.Time, took time.Duration, why error) {
	if took < guest.RunMax {
		return
	}
	l.pause = min(max(2*l.pause, restMin), restMax)
	l.rests, l.why = now.Add(l.pause), why
}
