package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
)

// trial is what the browser kit takes a test for. It ends a measurement as a test ends: with the reason, and with what is
// open closed in reverse order.
type trial struct {
	testing.TB // nothing but the methods below is called
	ctx        context.Context
	root       string // folder of go.mod
	say        func(format string, a ...any)

	mu       sync.Mutex
	cleanups []func()
	failures []error
}

// over is the panic that Fatal ends a measurement with.
type over struct{}

// try runs a measurement and gives what went wrong.
func try(ctx context.Context, e env, f func(t *trial)) error {
	t := &trial{ctx: ctx, root: e.root, say: e.say}
	func() {
		defer t.guard()
		f(t)
	}()
	for len(t.cleanups) > 0 {
		last := len(t.cleanups) - 1
		f := t.cleanups[last]
		t.cleanups = t.cleanups[:last]
		func() {
			defer t.guard()
			f()
		}()
	}
	return errors.Join(t.failures...)
}

func (t *trial) guard() {
	switch r := recover().(type) {
	case nil, over:
	default:
		panic(r)
	}
}

func (t *trial) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failures = append(t.failures, err)
}

// must ends the measurement when there is an error.
func (t *trial) must(err error) {
	if err != nil {
		t.fail(err)
		panic(over{})
	}
}

func (t *trial) Helper()                      {}
func (t *trial) Name() string                 { return "bench" }
func (t *trial) Context() context.Context     { return t.ctx }
func (t *trial) Error(args ...any)            { t.fail(errors.New(fmt.Sprint(args...))) }
func (t *trial) Errorf(f string, args ...any) { t.fail(fmt.Errorf(f, args...)) }
func (t *trial) Fatal(args ...any)            { t.must(errors.New(fmt.Sprint(args...))) }
func (t *trial) Fatalf(f string, args ...any) { t.must(fmt.Errorf(f, args...)) }
func (t *trial) Log(args ...any)              { t.say("%s", fmt.Sprint(args...)) }
func (t *trial) Logf(f string, args ...any)   { t.say(f, args...) }

func (t *trial) Failed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.failures) > 0
}

func (t *trial) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }

func (t *trial) TempDir() string {
	dir, err := os.MkdirTemp("", "holdfast-bench-")
	t.must(err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // the system's folder for such is swept anyway
	return dir
}

// rounds gives the middle one of some runs, so that one disturbance does not become the figure.
func rounds(n int, run func() float64) float64 {
	var all []float64
	for range n {
		all = append(all, run())
	}
	return median(all)
}

func median(all []float64) float64 { return slices.Sorted(slices.Values(all))[len(all)/2] }
