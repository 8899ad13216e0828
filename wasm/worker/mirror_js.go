//go:build js

package main

import (
	"context"
	"syscall/js"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/replica"
)

const mirrorMax = 30 * time.Second // one operation of IndexedDB, on a disk that others keep busy

// mirror is mirror.js: what waits and what was refused, outside the database.
type mirror struct{ v js.Value }

// openMirror opens the copy of one workspace and person. A browser may refuse; the replica then goes without.
func openMirror(ctx context.Context, key string) (*mirror, error) {
	m := &mirror{js.Global().Get("holdfastMirror")}
	_, err := m.call(ctx, "open", key)
	return m, err
}

func (m *mirror) call(ctx context.Context, name string, args ...any) (js.Value, error) {
	ctx, cancel := context.WithTimeout(ctx, mirrorMax)
	defer cancel()
	v, err := await(ctx, m.v.Call(name, args...))
	return v, fault.As("worker.mirror."+name, fault.Unavailable, err)
}

// Put keeps a waiting change.
func (m *mirror) Put(ctx context.Context, num uint64, tx []byte) error {
	_, err := m.call(ctx, "put", map[string]any{"num": float64(num), "bytes": toJS(tx)})
	return err
}

// Refuse keeps a refused change.
func (m *mirror) Refuse(ctx context.Context, num uint64, x replica.Refusal) error {
	_, err := m.call(ctx, "put", map[string]any{"num": float64(num), "bytes": toJS(x.Tx.Encode()), "kind": int(x.Kind), "detail": x.Detail})
	return err
}

func toJS(b []byte) js.Value {
	v := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(v, b)
	return v
}

// Delete forgets what need not be kept any more.
func (m *mirror) Delete(ctx context.Context, nums ...uint64) error {
	list := make([]any, len(nums))
	for i, n := range nums {
		list[i] = float64(n)
	}
	_, err := m.call(ctx, "remove", list)
	return err
}

// Saved is what is kept, in order of number. What cannot be read is left out: nothing better can be done with it.
func (m *mirror) Saved(ctx context.Context) (s replica.Saved, err error) {
	v, err := m.call(ctx, "all")
	if err != nil {
		return s, err
	}
	for i := range v.Length() {
		item := v.Index(i)
		b := make([]byte, item.Get("bytes").Get("length").Int())
		js.CopyBytesToGo(b, item.Get("bytes"))
		t, err := change.Decode(b)
		if err != nil {
			continue
		}
		if kind := item.Get("kind"); kind.Type() == js.TypeNumber {
			s.Refused = append(s.Refused, replica.Refusal{Tx: t, Kind: fault.Kind(kind.Int()), Detail: item.Get("detail").String()})
		} else {
			s.Pending = append(s.Pending, t)
		}
	}
	return s, nil
}

// Clear forgets everything.
func (m *mirror) Clear(ctx context.Context) error {
	_, err := m.call(ctx, "clear")
	return err
}
