// Package guesttest assembles small WebAssembly modules for tests of rules: good ones, and ones that do each thing a rule may not.
package guesttest

import "holdfast/sync/rule"

// Module is a module under construction (WebAssembly core specification 2.0, §5). Change what should be wrong, then Bytes.
type Module struct {
	Imports   [][2]string // functions () -> (): module and name
	Pages     uint32      // of memory at first
	NoMemory  bool        // it is not exported
	Names     [2]string   // of the exported functions: room, check
	Check     []byte      // code of (at i32, size i32) -> i64
	Start     []byte      // code of _initialize; nil: there is none
	CheckType byte        // index of the type of Check; 1 is right
	Data      string      // at dataAt
}

const (
	roomAt = 4096 // what holdfast_room answers
	dataAt = 1024
)

// Opcodes.
const (
	unreachable = 0x00
	loop        = 0x03
	branch      = 0x0c
	branchIf    = 0x0d
	load8       = 0x2d
	store8      = 0x3a
	memoryGrow  = 0x40
	i32const    = 0x41
	i64const    = 0x42
	i32eq       = 0x46
	i32ne       = 0x47
	i32add      = 0x6a
	i64or       = 0x84
	i64shl      = 0x86
	i64extend   = 0xad
	end         = 0x0b
	void        = 0x40
)

// New is a module that accepts everything.
func New() Module {
	return Module{Pages: 4, Names: [2]string{rule.Room, rule.Check}, Check: []byte{i64const, 0}, CheckType: 1}
}

// Accept accepts everything.
func Accept() []byte { return New().Bytes() }

// Refuse refuses everything with a sentence.
func Refuse(sentence string) []byte {
	m := New()
	m.Data, m.Check = sentence, answer(dataAt, len(sentence))
	return m.Bytes()
}

// Echo refuses everything with some bytes of the change that it was shown.
func Echo(offset, size int) []byte {
	m := New()
	m.Check = answer(roomAt+offset, size)
	return m.Bytes()
}

// Count refuses everything with the number of changes that this instance was shown, a digit.
func Count() []byte {
	m := New()
	m.Data = "0"
	m.Check = join(i32(dataAt), i32(dataAt), []byte{load8, 0, 0}, i32(1), []byte{i32add, store8, 0, 0}, answer(dataAt, 1))
	return m.Bytes()
}

// Trap stops with an error.
func Trap() []byte { return with([]byte{unreachable}) }

// Endless never answers.
func Endless() []byte { return with([]byte{loop, void, branch, 0, end, unreachable}) }

// EndlessStart never comes to be started.
func EndlessStart() []byte {
	m := New()
	m.Start = []byte{loop, void, branch, 0, end}
	return m.Bytes()
}

// Hog takes memory until there is no more, and then stops with an error.
func Hog() []byte {
	return with(join([]byte{loop, void}, i32(1), []byte{memoryGrow, 0}, i32(-1), []byte{i32ne, branchIf, 0, end, unreachable}))
}

// Leak takes 64 KiB with each change and accepts it while it gets them.
func Leak() []byte {
	return with(join([]byte{loop, void}, i32(1), []byte{memoryGrow, 0}, i32(-1), []byte{i32eq, branchIf, 0, end, i64const, 0}))
}

// Answer answers with a place and a size of a sentence, whatever is there.
func Answer(at, size int) []byte { return with(answer(at, size)) }

func with(check []byte) []byte {
	m := New()
	m.Check = check
	return m.Bytes()
}

// answer is code that leaves at<<32 | size.
func answer(at, size int) []byte {
	return join(i32(at), []byte{i64extend, i64const, 32, i64shl}, i32(size), []byte{i64extend, i64or})
}

func i32(n int) []byte { return append([]byte{i32const}, signed(int64(int32(n)))...) }

// Bytes is the module in the binary format.
func (m Module) Bytes() []byte {
	b := []byte("\x00asm\x01\x00\x00\x00")
	const i32Type, i64Type, function = 0x7f, 0x7e, 0x60
	section := func(id byte, items ...[]byte) {
		if len(items) > 0 {
			b = append(append(b, id), sized(vector(items))...)
		}
	}
	section(1, []byte{function, 1, i32Type, 1, i32Type}, []byte{function, 2, i32Type, i32Type, 1, i64Type}, []byte{function, 0, 0})
	var imports [][]byte
	for _, i := range m.Imports {
		imports = append(imports, join(sized([]byte(i[0])), sized([]byte(i[1])), []byte{0, 2}))
	}
	section(2, imports...)
	n := byte(len(imports))
	functions := [][]byte{{0}, {m.CheckType}}
	bodies := [][]byte{body(i32(roomAt)), body(m.Check)}
	exports := [][]byte{export(m.Names[0], 0, n), export(m.Names[1], 0, n+1)}
	if m.Start != nil {
		functions, bodies = append(functions, []byte{2}), append(bodies, body(m.Start))
		exports = append(exports, export(rule.Initialize, 0, n+2))
	}
	if !m.NoMemory {
		exports = append(exports, export(rule.Memory, 2, 0))
	}
	section(3, functions...)
	section(5, append([]byte{0}, unsigned(uint64(m.Pages))...))
	section(7, exports...)
	section(10, bodies...)
	if m.Data != "" {
		section(11, join([]byte{0}, i32(dataAt), []byte{end}, sized([]byte(m.Data))))
	}
	return b
}

func body(code []byte) []byte { return sized(join([]byte{0}, code, []byte{end})) }

func export(name string, kind, index byte) []byte {
	return join(sized([]byte(name)), []byte{kind, index})
}

func vector(items [][]byte) []byte { return join(unsigned(uint64(len(items))), join(items...)) }

func sized(b []byte) []byte { return join(unsigned(uint64(len(b))), b) }

func join(parts ...[]byte) (out []byte) {
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// unsigned and signed are LEB128.
func unsigned(n uint64) (out []byte) {
	for ; n >= 0x80; n >>= 7 {
		out = append(out, byte(n)|0x80)
	}
	return append(out, byte(n))
}

func signed(n int64) (out []byte) {
	for n < -64 || n > 63 {
		out = append(out, byte(n)&0x7f|0x80)
		n >>= 7
	}
	return append(out, byte(n)&0x7f)
}
