// Package guest compiles and runs rules (holdfast/sync/rule) with wazero. The hub tries a module with it before it takes it, edges
// ask it about changes.
//
// A guest has no imports, a bounded memory and a bounded time; what it does wrong is an error with a sentence about it and
// never a panic. Errors of kind Invalid are the module's fault.
package guest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"holdfast/sync/fault"
	"holdfast/sync/rule"
)

// Engine compiles modules. It is safe for concurrent use.
type Engine struct{ run wazero.Runtime }

// New makes an engine, which must be closed.
func New(ctx context.Context) *Engine {
	return &Engine{wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithMemoryLimitPages(memoryPages).WithCloseOnContextDone(true))}
}

// Close frees everything; no guest may be running.
func (e *Engine) Close(ctx context.Context) error {
	return fault.As("guest.Close", fault.Other, e.run.Close(ctx))
}

// Program is a compiled module that has all that a rule needs. It is safe for concurrent use.
type Program struct {
	engine *Engine
	code   wazero.CompiledModule
}

// Compile checks a module and compiles it.
func (e *Engine) Compile(ctx context.Context, module []byte) (*Program, error) {
	const op = "guest.Compile"
	switch {
	case len(module) == 0:
		return nil, fault.Errorf(op, fault.Invalid, "The file is empty. Choose the .wasm file that your compiler wrote.")
	case len(module) > rule.ModuleBytesMax:
		return nil, fault.Errorf(op, fault.TooLarge, "The module is %d bytes; at most %d fit. Compile it for size, or in a language without a runtime of its own.", len(module), rule.ModuleBytesMax)
	case !strings.HasPrefix(string(module), "\x00asm"):
		return nil, fault.Errorf(op, fault.Invalid, "The file is not a WebAssembly module. Choose the .wasm file that your compiler wrote.")
	}
	code, err := e.compile(ctx, module)
	if err != nil {
		return nil, &fault.Error{Op: op, Kind: fault.Invalid, Err: err,
			Detail: "The module cannot be compiled: " + clip(err.Error()) + ". It must be WebAssembly 2.0 without threads, and ask for at most 2 MiB of memory."}
	}
	if err := fits(code); err != nil {
		code.Close(ctx) //nolint:errcheck // nothing was made of it
		return nil, err
	}
	return &Program{e, code}, nil
}

// compile has a compiler read bytes that anybody may have made up.
func (e *Engine) compile(ctx context.Context, module []byte) (code wazero.CompiledModule, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return e.run.CompileModule(ctx, module)
}

// fits tells what a module imports too much or exports too little.
func fits(code wazero.CompiledModule) error {
	const op = "guest.fits"
	for _, f := range code.ImportedFunctions() {
		module, name, _ := f.Import()
		return fault.Errorf(op, fault.Invalid, "The module imports %s.%s. A rule may import nothing: compile it without WASI, host functions and debug output.", clip(module), clip(name))
	}
	if len(code.ImportedMemories()) > 0 {
		return fault.Errorf(op, fault.Invalid, "The module imports its memory. A rule has a memory of its own and exports it as %q.", rule.Memory)
	}
	if _, ok := code.ExportedMemories()[rule.Memory]; !ok {
		return fault.Errorf(op, fault.Invalid, "The module exports no memory called %q.", rule.Memory)
	}
	i32, i64 := api.ValueTypeI32, api.ValueTypeI64
	for _, want := range []struct {
		name        string
		must        bool
		params, res []api.ValueType
		form        string
	}{
		{rule.Room, true, []api.ValueType{i32}, []api.ValueType{i32}, "(i32) -> i32"},
		{rule.Check, true, []api.ValueType{i32, i32}, []api.ValueType{i64}, "(i32, i32) -> i64"},
		{rule.Initialize, false, nil, nil, "()"},
	} {
		f, ok := code.ExportedFunctions()[want.name]
		switch {
		case !ok && want.must:
			return fault.Errorf(op, fault.Invalid, "The module exports no function %s%s; it has %s.", want.name, want.form, exports(code))
		case ok && (!slices.Equal(f.ParamTypes(), want.params) || !slices.Equal(f.ResultTypes(), want.res)):
			return fault.Errorf(op, fault.Invalid, "The module's function %s is not of the form %s.", want.name, want.form)
		}
	}
	return nil
}

func exports(code wazero.CompiledModule) string {
	names := slices.Sorted(maps.Keys(code.ExportedFunctions()))
	if len(names) == 0 {
		return "none"
	}
	return clip(strings.Join(names, ", "))
}

// Close frees the program's code; its instances must be closed before.
func (p *Program) Close(ctx context.Context) error {
	return fault.As("guest.Program.Close", fault.Other, p.code.Close(ctx))
}

// clip bounds and cleans a text that comes from a module.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if strange(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if len(s) > 120 {
		s = strings.ToValidUTF8(s[:120], "") + "…"
	}
	return s
}

// strange tells whether a character breaks the line or changes how text around it is read (Unicode UAX #9).
func strange(r rune) bool {
	return unicode.IsControl(r) || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// wrong is an error of a module: what it did, for a sentence that begins with its name.
func wrong(op string, err error, format string, args ...any) error {
	if err == nil {
		err = errors.New("a rule did something wrong")
	}
	return &fault.Error{Op: op, Kind: fault.Invalid, Detail: fmt.Sprintf(format, args...), Err: err}
}
