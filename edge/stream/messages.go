package stream

import (
	"cmp"
	"errors"
	"maps"
	"slices"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/pack"
	"holdfast/sync/wire"
)

const version = 1

// fetchRequest asks for an origin's log of a workspace after a sequence. Any region may be asked for any origin.
type fetchRequest struct {
	Tenant id.ID
	Origin string
	After  uint64
}

// headsRequest asks for the heads of the asked region's own logs, in one shard, of workspaces after one in order.
type headsRequest struct {
	Shard int
	After id.ID
}

// headsReply gives workspaces in ascending order.
type headsReply struct {
	Heads map[id.ID]uint64
	More  bool
}

// copyRequest asks for a piece of a workspace's rows, written to one file. An empty Tag begins a copy; the others name it.
type copyRequest struct {
	Tenant id.ID
	Tag    string
	Offset uint64
}

// copyReply gives the piece at the offset that was asked for. Bytes is the size of the whole.
type copyReply struct {
	Err   error
	Tag   string
	Bytes uint64
	Data  []byte
}

// applied tells how far the sender has applied each origin's log of some workspaces.
type applied struct {
	Region  string
	Tenants map[id.ID]change.Vector
}

func frame(f func(w *pack.Writer)) []byte {
	w := pack.Writer{Buf: make([]byte, 0, 256)}
	w.Byte(version)
	f(&w)
	return wire.Frame(w.Buf)
}

func unframe(b []byte, op string, f func(r *pack.Reader)) error {
	body, err := wire.Unframe(b)
	if err != nil {
		return fault.Wrap(op, err)
	}
	r := pack.Reader{Buf: body}
	if v := r.Byte(); r.Err() == nil && v != version {
		return fault.Errorf(op, fault.Unsupported, "a message of version %d; this build speaks %d", v, version)
	}
	f(&r)
	return fault.Wrap(op, r.Close())
}

func readTenant(r *pack.Reader) id.ID { return id.FromBytes(r.Fixed16()) }

func putTenant(w *pack.Writer, t id.ID) {
	b := t.Bytes()
	w.Raw(b[:])
}

func (m fetchRequest) encode() []byte {
	return frame(func(w *pack.Writer) { putTenant(w, m.Tenant); w.Text(m.Origin); w.Uint(m.After) })
}

func decodeFetch(b []byte) (m fetchRequest, err error) {
	err = unframe(b, "stream.decodeFetch", func(r *pack.Reader) {
		m = fetchRequest{readTenant(r), r.Text(change.NameBytesMax), r.Uint()}
	})
	return m, err
}

func (m copyRequest) encode() []byte {
	return frame(func(w *pack.Writer) { putTenant(w, m.Tenant); w.Text(m.Tag); w.Uint(m.Offset) })
}

func decodeCopy(b []byte) (m copyRequest, err error) {
	err = unframe(b, "stream.decodeCopy", func(r *pack.Reader) {
		m = copyRequest{readTenant(r), r.Text(tagMax), r.Uint()}
	})
	return m, err
}

func (m copyReply) encode() []byte {
	return frame(func(w *pack.Writer) {
		w.Bool(m.Err != nil)
		if m.Err != nil {
			w.Byte(byte(fault.KindOf(m.Err)))
			return
		}
		w.Text(m.Tag)
		w.Uint(m.Bytes)
		w.Bytes(m.Data)
	})
}

func decodeCopyReply(b []byte) (m copyReply, err error) {
	const op = "stream.decodeCopyReply"
	err = unframe(b, op, func(r *pack.Reader) {
		if r.Bool() {
			m.Err = fault.E(op, fault.Kind(r.Byte()), errors.New("the other region did not give its rows"))
			return
		}
		m = copyReply{Tag: r.Text(tagMax), Bytes: r.Uint(), Data: r.Bytes(copyBytes)}
	})
	return m, err
}

func (m headsRequest) encode() []byte {
	return frame(func(w *pack.Writer) { w.Uint(uint64(m.Shard)); putTenant(w, m.After) })
}

func decodeHeadsRequest(b []byte) (m headsRequest, err error) {
	err = unframe(b, "stream.decodeHeadsRequest", func(r *pack.Reader) {
		shard := r.Uint()
		if shard >= wire.Shards {
			r.Fail("no shard %d", shard)
		}
		m = headsRequest{int(shard), readTenant(r)}
	})
	return m, err
}

func (m headsReply) encode() []byte {
	return frame(func(w *pack.Writer) {
		w.Uint(uint64(len(m.Heads)))
		for _, t := range slices.Sorted(maps.Keys(m.Heads)) {
			putTenant(w, t)
			w.Uint(m.Heads[t])
		}
		w.Bool(m.More)
	})
}

func decodeHeadsReply(b []byte) (m headsReply, err error) {
	m.Heads = map[id.ID]uint64{}
	err = unframe(b, "stream.decodeHeadsReply", func(r *pack.Reader) {
		last := id.ID("")
		for range r.Count(headsPage) {
			t := readTenant(r)
			if cmp.Compare(t, last) <= 0 {
				r.Fail("workspaces out of order")
			}
			last = t
			m.Heads[t] = r.Uint()
		}
		m.More = r.Bool()
	})
	return m, err
}

func (m applied) encode() []byte {
	return frame(func(w *pack.Writer) {
		w.Text(m.Region)
		w.Uint(uint64(len(m.Tenants)))
		for _, t := range slices.Sorted(maps.Keys(m.Tenants)) {
			putTenant(w, t)
			m.Tenants[t].Append(w)
		}
	})
}

func decodeApplied(b []byte) (m applied, err error) {
	m.Tenants = map[id.ID]change.Vector{}
	err = unframe(b, "stream.decodeApplied", func(r *pack.Reader) {
		m.Region = r.Text(change.NameBytesMax)
		last := id.ID("")
		for range r.Count(appliedMax) {
			t := readTenant(r)
			if cmp.Compare(t, last) <= 0 {
				r.Fail("workspaces out of order")
			}
			last = t
			m.Tenants[t] = change.ReadVector(r)
		}
	})
	return m, err
}
