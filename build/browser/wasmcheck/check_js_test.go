package wasmcheck

import (
	"syscall/js"
	"testing"
	"time"
)

func TestRunsInAWorker(t *testing.T) {
	if got := js.Global().Get("constructor").Get("name").String(); got != "DedicatedWorkerGlobalScope" {
		t.Errorf("global scope is %s, want a dedicated worker's", got)
	}
	if !js.Global().Get("isSecureContext").Bool() {
		t.Error("not a secure context")
	}
}

func TestPasses(t *testing.T) {
	t.Run("inner", func(t *testing.T) { t.Log("said inside") })
	time.Sleep(5 * time.Millisecond)
}

func TestSkips(t *testing.T) { t.Skip("not today") }

// TestFails fails when the outer test asks for it, to see that failures come through.
func TestFails(t *testing.T) {
	if !failing {
		return
	}
	t.Error("wanted failure")
}

func TestOPFS(t *testing.T) {
	root := await(t, js.Global().Get("navigator").Get("storage").Call("getDirectory"))
	file := await(t, root.Call("getFileHandle", "check", map[string]any{"create": true}))
	h := await(t, file.Call("createSyncAccessHandle"))
	defer h.Call("close")
	b := js.Global().Get("Uint8Array").New(4)
	b.SetIndex(0, 42)
	if n := h.Call("write", b).Int(); n != 4 {
		t.Errorf("wrote %d bytes, want 4", n)
	}
	h.Call("flush")
	if n := h.Call("getSize").Int(); n != 4 {
		t.Errorf("size %d, want 4", n)
	}
}

func await(t *testing.T, promise js.Value) js.Value {
	t.Helper()
	type result struct {
		v  js.Value
		ok bool
	}
	ch := make(chan result, 1)
	then := js.FuncOf(func(_ js.Value, args []js.Value) any { ch <- result{args[0], true}; return nil })
	catch := js.FuncOf(func(_ js.Value, args []js.Value) any { ch <- result{args[0], false}; return nil })
	defer then.Release()
	defer catch.Release()
	promise.Call("then", then, catch)
	r := <-ch
	if !r.ok {
		t.Fatal(r.v.Call("toString").String())
	}
	return r.v
}
