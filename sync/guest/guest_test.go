package guest

import (
	"fmt"
	"strings"
	"testing"

	"holdfast/sync/fault"
	"holdfast/sync/guest/guesttest"
	"holdfast/sync/rule"
)

func engine(t testing.TB) *Engine {
	e := New(t.Context())
	t.Cleanup(func() {
		if err := e.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return e
}

func start(t testing.TB, e *Engine, module []byte) (*Program, *Instance) {
	t.Helper()
	p, err := e.Compile(t.Context(), module)
	if err != nil {
		t.Fatal(err)
	}
	i, err := p.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p, i
}

// Whatever is wrong with a module is found when it is uploaded, and said in a sentence.
func TestEveryWayToBeWrong(t *testing.T) {
	e := engine(t)
	change := func(f func(*guesttest.Module)) []byte {
		m := guesttest.New()
		f(&m)
		return m.Bytes()
	}
	for name, c := range map[string]struct {
		module []byte
		want   string
	}{
		"empty":           {nil, "The file is empty."},
		"text":            {[]byte("(module)"), "not a WebAssembly module"},
		"cut-off":         {guesttest.Accept()[:30], "cannot be compiled"},
		"too-large":       {make([]byte, rule.ModuleBytesMax+1), "at most 131072 fit"},
		"imports":         {change(func(m *guesttest.Module) { m.Imports = [][2]string{{"wasi_snapshot_preview1", "fd_write"}} }), "imports wasi_snapshot_preview1.fd_write. A rule may import nothing"},
		"no-memory":       {change(func(m *guesttest.Module) { m.NoMemory = true }), `exports no memory called "memory"`},
		"too-much-memory": {change(func(m *guesttest.Module) { m.Pages = memoryPages + 1 }), "at most 2 MiB of memory"},
		"no-check":        {change(func(m *guesttest.Module) { m.Names[1] = "check" }), "exports no function holdfast_check(i32, i32) -> i64; it has check, holdfast_room"},
		"no-room":         {change(func(m *guesttest.Module) { m.Names[0] = "malloc" }), "exports no function holdfast_room(i32) -> i32"},
		"another-form":    {change(func(m *guesttest.Module) { m.CheckType, m.Check = 2, nil }), "holdfast_check is not of the form (i32, i32) -> i64"},
		"start-traps":     {change(func(m *guesttest.Module) { m.Start = []byte{0} }), "it failed when it was started (unreachable)"},
		"start-endless":   {guesttest.EndlessStart(), "it took longer than 250ms to start"},
		"traps":           {guesttest.Trap(), "tried with the renaming of a task, and it failed (unreachable)."},
		"endless":         {guesttest.Endless(), "it took longer than 250ms."},
		"memory":          {guesttest.Hog(), "it failed (unreachable)"},
		"outside":         {guesttest.Answer(1<<30, 10), "outside its memory"},
		"nothing-said":    {guesttest.Answer(2048, 0), "it answered with 0 bytes"},
		"too-much-said":   {guesttest.Answer(2048, rule.AnswerBytesMax+1), "it answered with 301 bytes; a sentence has from 1 to 300"},
		"zeros-said":      {guesttest.Answer(2048, 10), "not a line of text"},
		"lines-said":      {guesttest.Refuse("one\ntwo"), "not a line of text"},
		"turned-around":   {guesttest.Refuse("a\u202eb"), "not a line of text"},
		"blank-said":      {guesttest.Refuse("  "), "not a line of text"},
		"no-utf8":         {guesttest.Refuse("\xff\xfe"), "not a line of text"},
	} {
		t.Run(name, func(t *testing.T) {
			err := e.Try(t.Context(), c.module, rule.Example())
			k := fault.KindOf(err)
			if err == nil || k != fault.Invalid && k != fault.TooLarge || !strings.Contains(fault.DetailOf(err), c.want) {
				t.Errorf("got %v %q, want a sentence with %q", k, fault.DetailOf(err), c.want)
			}
		})
	}
	for name, good := range map[string][]byte{"accepts": guesttest.Accept(), "refuses": guesttest.Refuse("No."), "longest": guesttest.Refuse(strings.Repeat("ü", rule.AnswerBytesMax/2))} {
		if err := e.Try(t.Context(), good, rule.Example()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Instances of one program share nothing, one that fails is worn, and one that takes much memory is worn before it fails.
func TestInstances(t *testing.T) {
	e := engine(t)
	p, a := start(t, e, guesttest.Count())
	b, err := p.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, i := range []*Instance{a, a, b, a} {
		s, err := i.Check(rule.Example())
		if err != nil {
			t.Fatal(err)
		}
		got += s
	}
	if got != "1213" || a.Worn() {
		t.Errorf("counted %s, want 1213; worn: %v", got, a.Worn())
	}
	_, loop := start(t, e, guesttest.Endless())
	if _, err := loop.Check(rule.Example()); fault.KindOf(err) != fault.Invalid || !loop.Worn() {
		t.Errorf("endless: %v, worn %v", err, loop.Worn())
	}
	_, leak := start(t, e, guesttest.Leak())
	n := 0
	for ; !leak.Worn(); n++ {
		if _, err := leak.Check(rule.Example()); err != nil {
			t.Fatalf("after %d changes: %v", n, err)
		}
	}
	if n < 10 || leak.broken {
		t.Errorf("worn after %d changes, broken %v", n, leak.broken)
	}
}

// FuzzCompile has the compiler read anything: it refuses, or the module runs within its bounds.
func FuzzCompile(f *testing.F) {
	for _, m := range [][]byte{guesttest.Accept(), guesttest.Refuse("No."), guesttest.Trap(), guesttest.Count()} {
		f.Add(m)
	}
	e := engine(f)
	f.Fuzz(func(t *testing.T, module []byte) {
		if err := e.Try(t.Context(), module, rule.Example()); err != nil && fault.DetailOf(err) == "" {
			t.Errorf("no sentence: %v", err)
		}
	})
}

// BenchmarkCheck is what a rule costs beside an empty call.
func BenchmarkCheck(b *testing.B) {
	e := engine(b)
	change := rule.Example()
	b.Run(fmt.Sprintf("empty-%dB", len(change)), func(b *testing.B) {
		_, i := start(b, e, guesttest.Accept())
		for b.Loop() {
			if _, err := i.Check(change); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("compile-and-start", func(b *testing.B) {
		for b.Loop() {
			p, i := start(b, e, guesttest.Refuse("No."))
			i.Close(b.Context())
			p.Close(b.Context()) //nolint:errcheck // measured
		}
	})
}
