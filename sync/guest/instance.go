package guest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"

	"holdfast/sync/fault"
	"holdfast/sync/rule"
)

// Instance is a running program; make it with Start. One goroutine uses it at a time.
type Instance struct {
	mod         api.Module
	room, check api.Function
	at, size    uint32 // where changes are written
	stack       [2]uint64
	broken      bool
}

// Start makes an instance.
func (p *Program) Start(ctx context.Context) (*Instance, error) {
	const op = "guest.Start"
	// The module's own start function would run where nothing bounds it, so a context does.
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), StartMax)
	defer cancel()
	mod, err := p.engine.run.InstantiateModule(limited, p.code, wazero.NewModuleConfig().WithName("").WithStartFunctions(rule.Initialize))
	switch {
	case limited.Err() != nil:
		if mod != nil {
			mod.Close(ctx) //nolint:errcheck // nothing was made of it
		}
		return nil, wrong(op, err, "it took longer than %v to start", StartMax)
	case err != nil:
		return nil, wrong(op, err, "it failed when it was started (%s)", reason(err))
	}
	return &Instance{mod: mod, room: mod.ExportedFunction(rule.Room), check: mod.ExportedFunction(rule.Check)}, nil
}

// Close frees the instance.
func (i *Instance) Close(ctx context.Context) {
	i.mod.Close(ctx) //nolint:errcheck // a module without resources
}

// Worn tells that the instance should not be used again: it failed, or has taken much memory.
func (i *Instance) Worn() bool { return i.broken || i.mod.Memory().Size() > wearBytes }

// Check asks about a change (rule.Append). The sentence is empty when it is accepted. After an error the instance is worn.
func (i *Instance) Check(change []byte) (sentence string, err error) {
	const op = "guest.Check"
	stop := i.watch()
	sentence, err = i.ask(change)
	if over := stop(); over {
		err = wrong(op, err, "it took longer than %v", RunMax)
	}
	if err != nil {
		i.broken, sentence = true, ""
	}
	return sentence, err
}

// watch closes the instance when it runs for too long, which ends the call. stop tells whether it did.
func (i *Instance) watch() (stop func() (over bool)) {
	var mu sync.Mutex
	var t *time.Timer
	ticks, ended, over := 0, false, false
	mu.Lock()
	defer mu.Unlock()
	t = time.AfterFunc(runTick, func() {
		mu.Lock()
		defer mu.Unlock()
		if ended {
			return
		}
		if ticks++; ticks < runTicks {
			t.Reset(runTick)
			return
		}
		over = true
		i.mod.CloseWithExitCode(context.Background(), sys.ExitCodeDeadlineExceeded) //nolint:errcheck // a module without resources
	})
	return func() bool {
		mu.Lock()
		defer mu.Unlock()
		ended = true
		t.Stop()
		return over
	}
}

func (i *Instance) ask(change []byte) (string, error) {
	const op = "guest.ask"
	if n := uint32(len(change)); n > i.size {
		i.stack[0] = uint64(n)
		if err := i.room.CallWithStack(context.Background(), i.stack[:]); err != nil {
			return "", wrong(op, err, "it failed (%s)", reason(err))
		}
		i.at, i.size = uint32(i.stack[0]), n
	}
	if !i.mod.Memory().Write(i.at, change) {
		return "", wrong(op, nil, "it gave no room for a change of %d bytes", len(change))
	}
	i.stack[0], i.stack[1] = uint64(i.at), uint64(len(change))
	if err := i.check.CallWithStack(context.Background(), i.stack[:]); err != nil {
		return "", wrong(op, err, "it failed (%s)", reason(err))
	}
	at, n := uint32(i.stack[0]>>32), uint32(i.stack[0])
	switch {
	case i.stack[0] == 0:
		return "", nil
	case n == 0 || n > rule.AnswerBytesMax:
		return "", wrong(op, nil, "it answered with %d bytes; a sentence has from 1 to %d", n, rule.AnswerBytesMax)
	}
	raw, ok := i.mod.Memory().Read(at, n)
	switch {
	case !ok:
		return "", wrong(op, nil, "it answered with a sentence that is outside its memory")
	case !readable(raw):
		return "", wrong(op, nil, "it answered with what is not a line of text")
	}
	return string(raw), nil
}

// readable tells whether an answer may be shown to a person: one line that is not blank and does not change how text around it is read.
func readable(raw []byte) bool {
	s := string(raw)
	return utf8.ValidString(s) && strings.TrimSpace(s) != "" && !strings.ContainsFunc(s, strange)
}

// reason is the first line of a trap: what follows is the module's own stack.
func reason(err error) string {
	if e, ok := errors.AsType[*sys.ExitError](err); ok {
		return fmt.Sprintf("exit code %d", e.ExitCode())
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	if _, trap, ok := strings.Cut(line, "wasm error: "); ok {
		line = trap
	}
	return clip(strings.TrimSuffix(line, " (recovered by wazero)"))
}

// Try compiles a module, starts it and asks it about a change, and says what is wrong with it in a whole sentence.
func (e *Engine) Try(ctx context.Context, module, change []byte) error {
	const op = "guest.Try"
	p, err := e.Compile(ctx, module)
	if err != nil {
		return fault.Wrap(op, err)
	}
	defer p.Close(ctx) //nolint:errcheck // it was only tried
	i, err := p.Start(ctx)
	if err == nil {
		defer i.Close(ctx)
		_, err = i.Check(change)
	}
	if err != nil {
		return &fault.Error{Op: op, Kind: fault.Invalid, Err: err, Detail: "The module was tried with the renaming of a task, and " + fault.DetailOf(err) + "."}
	}
	return nil
}
