package wire

import (
	"bytes"
	"compress/flate"
	"io"
	"sync"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/pack"
)

// Every message is one frame: a byte that says how the body is packed, then the body. Replies begin with a fault kind:
// Other (0) for success, else the kind and a text for the person.
const (
	plain   = 0
	flated  = 1
	version = 1
)

// packers are kept: the tables of a new one are half a megabyte, for messages of some kilobytes.
var packers = sync.Pool{New: func() any {
	w, _ := flate.NewWriter(nil, flate.BestSpeed) // the level is a good one
	return w
}}

var unpackers = sync.Pool{New: func() any { return flate.NewReader(nil) }}

// Frame packs a body, compressing what is worth it (the WebSocket itself is not compressed).
func Frame(body []byte) []byte {
	if len(body) >= packFrom {
		var b bytes.Buffer
		b.WriteByte(flated)
		w := packers.Get().(*flate.Writer)
		defer packers.Put(w)
		w.Reset(&b)
		_, err := w.Write(body)
		if err == nil && w.Close() == nil && b.Len() < len(body) {
			return b.Bytes()
		}
	}
	return append([]byte{plain}, body...)
}

// Unframe gives the body of a frame.
func Unframe(frame []byte) ([]byte, error) {
	if len(frame) == 0 {
		return nil, fault.Errorf("wire.Unframe", fault.Invalid, "an empty message")
	}
	switch frame[0] {
	case plain:
		return frame[1:], nil
	case flated:
		in := bytes.NewReader(frame[1:])
		r := unpackers.Get().(io.ReadCloser)
		defer unpackers.Put(r)
		if err := r.(flate.Resetter).Reset(in, nil); err != nil {
			return nil, fault.E("wire.Unframe", fault.Invalid, err)
		}
		body, err := io.ReadAll(io.LimitReader(r, bodyMax+1))
		if err != nil {
			return nil, fault.E("wire.Unframe", fault.Invalid, err)
		}
		if len(body) > bodyMax {
			return nil, fault.Errorf("wire.Unframe", fault.TooLarge, "a message of more than %d bytes", bodyMax)
		}
		if in.Len() > 0 {
			return nil, fault.Errorf("wire.Unframe", fault.Invalid, "%d bytes after the message", in.Len())
		}
		return body, nil
	}
	return nil, fault.Errorf("wire.Unframe", fault.Unsupported, "a message packed in way %d", frame[0])
}

// PushRequest offers transactions in ascending Num. Cursor is what the replica has seen, so that an edge can tell "you
// are ahead of me" from "no such row".
type PushRequest struct {
	Replica uint64
	Cursor  change.Vector
	NowMS   int64 // the device's clock, for its correction
	Txs     []change.Tx
}

// Fate is the durable verdict on one transaction.
type Fate struct {
	Num      uint64
	Accepted bool
	Origin   string     // accepted: region whose log holds it
	Seq      uint64     // accepted: its sequence there
	Stamp    hlc.Stamp  // accepted: the stamp it has now; differs from the pushed one when that was clamped
	Kind     fault.Kind // rejected: why
	Table    string     // rejected: where, as far as it concerns one cell
	Row      id.ID
	Col      string
	Detail   string // rejected: a sentence for the person
}

// PushReply answers a push. Fates cover a prefix of the request's transactions; when Err is set the rest was not
// looked at and is to be pushed again later.
type PushReply struct {
	NowMS int64 // the edge's clock
	Fates []Fate
	Err   error // temporary
}

// PullRequest asks for everything after Cursor.
type PullRequest struct{ Cursor change.Vector }

// PullReply gives entries, each origin's in sequence. More: pull again. Snapshot: the cursor is older than the log's
// floor; fetch a snapshot first.
type PullReply struct {
	Err        error
	Entries    []change.Entry
	Head       change.Vector // the edge's own cursor
	Everywhere change.Vector // per origin, the sequence that every region has applied, as far as this edge knows
	More       bool
	Snapshot   bool
}

// FeedMessage is what an edge sends to all of a tenant's browsers.
type FeedMessage struct {
	Entries    []change.Entry
	Everywhere change.Vector
}

// PresenceBeat says where the caller is looking; an empty View says goodbye.
type PresenceBeat struct{ View string }

// Person is one connection that is here.
type Person struct {
	Member id.ID
	Conn   string
	Region string
	View   string // "project/<id>", "task/<id>", …
}

// PresenceMessage lists everyone who is here; sent on feed.<tenant>.presence and as the answer to a beat.
type PresenceMessage struct {
	Err    error
	People []Person
}

func encode(f func(w *pack.Writer)) []byte {
	w := pack.Writer{Buf: make([]byte, 0, 256)}
	w.Byte(version)
	f(&w)
	return Frame(w.Buf)
}

func decode(frame []byte, op string, f func(r *pack.Reader)) error {
	body, err := Unframe(frame)
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

func putErr(w *pack.Writer, err error) {
	w.Bool(err != nil)
	if err == nil {
		return
	}
	w.Byte(byte(fault.KindOf(err)))
	d := fault.DetailOf(err)
	w.Text(d[:min(len(d), DetailMax)])
}

func getErr(r *pack.Reader) error {
	if !r.Bool() {
		return nil
	}
	k, d := fault.Kind(r.Byte()), r.Text(DetailMax)
	if d == "" {
		return fault.E("edge", k, nil)
	}
	return fault.Errorf("edge", k, "%s", d)
}

func putEntries(w *pack.Writer, es []change.Entry) {
	w.Uint(uint64(len(es)))
	for _, e := range es {
		e.Append(w)
	}
}

func getEntries(r *pack.Reader) []change.Entry {
	n := r.Count(change.EntriesMax)
	es := make([]change.Entry, 0, n)
	for range n {
		es = append(es, change.ReadEntry(r))
	}
	return es
}

// Encode gives the frame of the message.
func (m PushRequest) Encode() []byte {
	return encode(func(w *pack.Writer) {
		w.Fixed64(m.Replica)
		m.Cursor.Append(w)
		w.Int(m.NowMS)
		w.Uint(uint64(len(m.Txs)))
		for _, t := range m.Txs {
			t.Append(w)
		}
	})
}

// DecodePushRequest reads a frame.
func DecodePushRequest(frame []byte) (m PushRequest, err error) {
	err = decode(frame, "wire.DecodePushRequest", func(r *pack.Reader) {
		m.Replica = r.Fixed64()
		m.Cursor = change.ReadVector(r)
		m.NowMS = r.Int()
		n := r.Count(PushTxsMax)
		for range n {
			m.Txs = append(m.Txs, change.ReadTx(r))
		}
	})
	return m, err
}

// Encode gives the frame of the message.
func (m PushReply) Encode() []byte {
	return encode(func(w *pack.Writer) {
		putErr(w, m.Err)
		w.Int(m.NowMS)
		w.Uint(uint64(len(m.Fates)))
		for _, f := range m.Fates {
			f.append(w)
		}
	})
}

func (f Fate) append(w *pack.Writer) {
	w.Uint(f.Num)
	w.Bool(f.Accepted)
	if f.Accepted {
		w.Text(f.Origin)
		w.Uint(f.Seq)
		w.Raw(f.Stamp[:])
		return
	}
	w.Byte(byte(f.Kind))
	w.Text(f.Table)
	w.Text(string(f.Row))
	w.Text(f.Col)
	w.Text(f.Detail[:min(len(f.Detail), DetailMax)])
}

func readFate(r *pack.Reader) (f Fate) {
	f.Num, f.Accepted = r.Uint(), r.Bool()
	if f.Accepted {
		f.Origin, f.Seq, f.Stamp = r.Text(change.NameBytesMax), r.Uint(), r.Fixed16()
		return f
	}
	f.Kind = fault.Kind(r.Byte())
	f.Table, f.Row = r.Text(change.NameBytesMax), id.ID(r.Text(id.Len))
	f.Col, f.Detail = r.Text(change.NameBytesMax), r.Text(DetailMax)
	return f
}

// EncodeFate gives a fate's bytes as an edge keeps them for repeated pushes.
func EncodeFate(f Fate) []byte {
	var w pack.Writer
	f.append(&w)
	return w.Buf
}

// DecodeFate reads EncodeFate's bytes.
func DecodeFate(b []byte) (Fate, error) {
	r := pack.Reader{Buf: b}
	f := readFate(&r)
	return f, fault.Wrap("wire.DecodeFate", r.Close())
}

// DecodePushReply reads a frame.
func DecodePushReply(frame []byte) (m PushReply, err error) {
	err = decode(frame, "wire.DecodePushReply", func(r *pack.Reader) {
		m.Err = getErr(r)
		m.NowMS = r.Int()
		n := r.Count(fatesMax)
		for range n {
			m.Fates = append(m.Fates, readFate(r))
		}
	})
	return m, err
}

// Encode gives the frame of the message.
func (m PullRequest) Encode() []byte { return encode(m.Cursor.Append) }

// DecodePullRequest reads a frame.
func DecodePullRequest(frame []byte) (m PullRequest, err error) {
	err = decode(frame, "wire.DecodePullRequest", func(r *pack.Reader) { m.Cursor = change.ReadVector(r) })
	return m, err
}

// Encode gives the frame of the message.
func (m PullReply) Encode() []byte {
	return encode(func(w *pack.Writer) {
		putErr(w, m.Err)
		putEntries(w, m.Entries)
		m.Head.Append(w)
		m.Everywhere.Append(w)
		w.Bool(m.More)
		w.Bool(m.Snapshot)
	})
}

// DecodePullReply reads a frame.
func DecodePullReply(frame []byte) (m PullReply, err error) {
	err = decode(frame, "wire.DecodePullReply", func(r *pack.Reader) {
		m.Err = getErr(r)
		m.Entries = getEntries(r)
		m.Head, m.Everywhere = change.ReadVector(r), change.ReadVector(r)
		m.More, m.Snapshot = r.Bool(), r.Bool()
	})
	return m, err
}

// Encode gives the frame of the message.
func (m FeedMessage) Encode() []byte {
	return encode(func(w *pack.Writer) { putEntries(w, m.Entries); m.Everywhere.Append(w) })
}

// DecodeFeedMessage reads a frame.
func DecodeFeedMessage(frame []byte) (m FeedMessage, err error) {
	err = decode(frame, "wire.DecodeFeedMessage", func(r *pack.Reader) {
		m.Entries = getEntries(r)
		m.Everywhere = change.ReadVector(r)
	})
	return m, err
}

// Encode gives the frame of the message.
func (m PresenceBeat) Encode() []byte {
	return encode(func(w *pack.Writer) { w.Text(m.View) })
}

// DecodePresenceBeat reads a frame.
func DecodePresenceBeat(frame []byte) (m PresenceBeat, err error) {
	err = decode(frame, "wire.DecodePresenceBeat", func(r *pack.Reader) { m.View = r.Text(ViewBytesMax) })
	return m, err
}

// Encode gives the frame of the message.
func (m PresenceMessage) Encode() []byte {
	return encode(func(w *pack.Writer) {
		putErr(w, m.Err)
		w.Uint(uint64(len(m.People)))
		for _, p := range m.People {
			w.Text(string(p.Member))
			w.Text(p.Conn)
			w.Text(p.Region)
			w.Text(p.View)
		}
	})
}

// DecodePresenceMessage reads a frame.
func DecodePresenceMessage(frame []byte) (m PresenceMessage, err error) {
	err = decode(frame, "wire.DecodePresenceMessage", func(r *pack.Reader) {
		m.Err = getErr(r)
		n := r.Count(PresentMax)
		for range n {
			m.People = append(m.People, Person{id.ID(r.Text(id.Len)), r.Text(NameBytesMax), r.Text(change.NameBytesMax), r.Text(ViewBytesMax)})
		}
	})
	return m, err
}
