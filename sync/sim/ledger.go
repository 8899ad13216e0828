package sim

import (
	"bytes"
	"fmt"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/id"
	"holdfast/sync/wire"
)

// ledger is what an all-knowing witness writes down, to be held against what replicas say.
type ledger struct {
	ops   map[id.ID]*op
	log   map[string][]change.Entry // by origin, in sequence
	fates map[push][]byte           // as first given by a region
	late  map[push]bool             // refused once, and the region lost the file that said so
	again map[string]bool           // regions that lost their file
	wrong error
}

// op is one edit by a person.
type op struct {
	ends int // terminal fates
	fate wire.Fate
	lost bool // the device lost it before anybody had acknowledged it
}

type push struct {
	region  string
	replica uint64
	num     uint64
}

func newLedger() *ledger {
	return &ledger{ops: map[id.ID]*op{}, log: map[string][]change.Entry{}, fates: map[push][]byte{}, late: map[push]bool{}, again: map[string]bool{}}
}

func (l *ledger) made(key id.ID) { l.ops[key] = &op{} }
func (l *ledger) lost(key id.ID) {
	if o := l.ops[key]; o != nil {
		o.lost = true
	}
}

// logged notes entries that a region accepted: contiguous, and none a second time.
func (l *ledger) logged(entries []change.Entry) {
	for _, e := range entries {
		log := l.log[e.Origin]
		if want := uint64(len(log)) + 1; e.Seq != want && l.wrong == nil {
			l.wrong = fmt.Errorf("%s logged %d, after %d", e.Origin, e.Seq, want-1)
		}
		l.log[e.Origin] = append(log, e)
	}
}

// lostFile: a region that lost its file remembers what it accepted, from the log, and not what it refused. Whoever
// asks again may have it accepted, after what was later. What another region accepted too it may remember as accepted there.
func (l *ledger) lostFile(region string) {
	l.again[region] = true
	for k, raw := range l.fates {
		if f, err := wire.DecodeFate(raw); k.region == region && err == nil && !f.Accepted {
			delete(l.fates, k)
			l.late[k] = true
		}
	}
}

// judged notes the fates that a region gave, and that they never change.
func (l *ledger) judged(r *region, req wire.PushRequest, reply wire.PushReply, done []change.Entry) error {
	if len(reply.Fates) > len(req.Txs) {
		return fmt.Errorf("%s gave %d fates for %d changes", r.name, len(reply.Fates), len(req.Txs))
	}
	for i, f := range reply.Fates {
		if f.Num != req.Txs[i].Num {
			return fmt.Errorf("%s judged %d where %d was pushed", r.name, f.Num, req.Txs[i].Num)
		}
		k := push{r.name, req.Replica, f.Num}
		raw := wire.EncodeFate(f)
		if was, ok := l.fates[k]; ok && !bytes.Equal(was, raw) && !l.elsewhere(r, was, f) {
			old, err := wire.DecodeFate(was)
			return fmt.Errorf("%s judged %d of %d as %+v, and then as %+v (%v)", r.name, f.Num, req.Replica, old, f, err)
		}
		l.fates[k] = raw
	}
	limit := r.w.now.Add(r.skew + time.Minute + 5*time.Second)
	for _, e := range done {
		if e.Tx.Stamp.Time().After(limit) {
			return fmt.Errorf("%s let a stamp of %v in at %v", r.name, e.Tx.Stamp.Time(), r.w.now)
		}
	}
	return nil
}

// elsewhere tells that a fate may follow on another one: another region accepted the change meanwhile, which this one had
// not accepted itself.
func (l *ledger) elsewhere(r *region, raw []byte, f wire.Fate) bool {
	was, err := wire.DecodeFate(raw)
	return err == nil && f.Accepted && f.Origin != r.name && (!was.Accepted || was.Origin != r.name || l.again[r.name])
}

// settled notes the fate that a device learned.
func (l *ledger) settled(key id.ID, f wire.Fate) error {
	o := l.ops[key]
	if o == nil {
		return fmt.Errorf("a fate for %s, which nobody made", key)
	}
	o.ends++
	o.fate = f
	if o.ends > 1 {
		return fmt.Errorf("edit %s got a second fate: %+v", key, f)
	}
	return nil
}
