package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/pack"
	"holdfast/sync/sqlite"
)

// Digest is a fingerprint of all rows with their clocks and of the whole history. Two databases into which the same
// transactions were merged have the same Digest. It reads everything.
//
// It is the sum, modulo 2^256, of the SHA-256 of each row and entry, so it does not depend on their order.
func Digest(ctx context.Context, q Q) (sum [32]byte, err error) {
	for _, l := range layouts {
		if err := digestTable(ctx, q, l, &sum); err != nil {
			return sum, fault.Wrap("store.Digest", err)
		}
	}
	return sum, fault.Wrap("store.Digest", digestHistory(ctx, q, &sum))
}

func digestTable(ctx context.Context, q Q, l *layout, sum *[32]byte) error {
	rows, err := q.QueryContext(ctx, l.read)
	if err != nil {
		return sqlite.Wrap("store.digestTable", err)
	}
	defer rows.Close()
	s := newScanner(l)
	var w pack.Writer
	for rows.Next() {
		r, err := s.scan(rows)
		if err != nil {
			return err
		}
		w.Buf = w.Buf[:0]
		w.Text(l.Name)
		w.Text(string(r.ID))
		w.Bytes(r.clock())
		for _, c := range r.Cells {
			putValue(&w, c.Val)
		}
		add(sum, sha256.Sum256(w.Buf))
	}
	return sqlite.Wrap("store.digestTable", rows.Err())
}

func digestHistory(ctx context.Context, q Q, sum *[32]byte) error {
	rows, err := q.QueryContext(ctx, "SELECT row, stamp, col, value, base, actor FROM history")
	if err != nil {
		return sqlite.Wrap("store.digestHistory", err)
	}
	defer rows.Close()
	var w pack.Writer
	for rows.Next() {
		var row, col, actor string
		var stamp, base []byte
		var val any
		if err := rows.Scan(&row, &stamp, &col, &val, &base, &actor); err != nil {
			return sqlite.Wrap("store.digestHistory", err)
		}
		v, err := value(val)
		if err != nil {
			return err
		}
		w.Buf = w.Buf[:0]
		w.Text("history")
		w.Text(row)
		w.Bytes(stamp)
		w.Text(col)
		putValue(&w, v)
		w.Bytes(base)
		w.Text(actor)
		add(sum, sha256.Sum256(w.Buf))
	}
	return sqlite.Wrap("store.digestHistory", rows.Err())
}

func putValue(w *pack.Writer, v change.Value) {
	w.Byte(byte(v.Type))
	w.Int(v.Int)
	w.Text(v.Text)
}

func add(sum *[32]byte, h [32]byte) {
	var carry uint64
	for i := 24; i >= 0; i -= 8 {
		var s uint64
		s, carry = bits.Add64(binary.BigEndian.Uint64(sum[i:]), binary.BigEndian.Uint64(h[i:]), carry)
		binary.BigEndian.PutUint64(sum[i:], s)
	}
}
