//go:build js

package main

import (
	"context"
	"syscall/js"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/fault"
)

const mirrorMax = 5 * time.Second // one operation of IndexedDB

// mirror is mirror.js: waiting changes outside the database.
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
	b := js.Global().Get("Uint8Array").New(len(tx))
	js.CopyBytesToJS(b, tx)
	_, err := m.call(ctx, "put", float64(num), b)
	return err
}

// Delete forgets changes that have a fate.
func (m *mirror) Delete(ctx context.Context, nums ...uint64) error {
	list := make([]any, len(nums))
	for i, n := range nums {
		list[i] = float64(n)
	}
	_, err := m.call(ctx, "remove", list)
	return err
}

// All gives the kept changes in order. One that cannot be read is left out: nothing better can be done with it.
func (m *mirror) All(ctx context.Context) ([]change.Tx, error) {
	v, err := m.call(ctx, "all")
	if err != nil {
		return nil, err
	}
	txs := make([]change.Tx, 0, v.Length())
	for i := range v.Length() {
		item := v.Index(i).Get("bytes")
		b := make([]byte, item.Get("length").Int())
		js.CopyBytesToGo(b, item)
		if t, err := change.Decode(b); err == nil {
			txs = append(txs, t)
		}
	}
	return txs, nil
}

// Clear forgets everything.
func (m *mirror) Clear(ctx context.Context) error {
	_, err := m.call(ctx, "clear")
	return err
}
