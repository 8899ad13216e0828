package crdt

import (
	"math/bits"

	"holdfast/sync/fault"
	"holdfast/sync/hlc"
	"holdfast/sync/pack"
)

// ColumnsMax is the most columns that a packed clock can tell apart.
const ColumnsMax = 64

// PackClock writes the marks of a row's columns, in column order, in their one canonical form.
//
// Most columns of most rows were never written since the row was created, so the form is: a bit set of the columns
// that carry the birth stamp (the smallest stamp of a Birth mark), that stamp, then column number, birth flag and
// stamp of each column that differs. Columns never written do not appear.
func PackClock(marks []Mark) []byte {
	var birth hlc.Stamp
	for _, m := range marks {
		if m.Birth && (birth.IsZero() || m.Stamp.Before(birth)) {
			birth = m.Stamp
		}
	}
	var set uint64
	for i, m := range marks {
		if m.Birth && m.Stamp == birth {
			set |= 1 << i
		}
	}
	w := pack.Writer{Buf: make([]byte, 0, 48)}
	w.Uint(set)
	if set != 0 {
		w.Raw(birth[:])
	}
	for i, m := range marks {
		if m.Stamp.IsZero() || set&(1<<i) != 0 {
			continue
		}
		w.Uint(uint64(i)<<1 | bit(m.Birth))
		w.Raw(m.Stamp[:])
	}
	return w.Buf
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// UnpackClock reads PackClock's form for a row of len(marks) columns into marks. Bytes that PackClock would not have
// written are Corrupt; a column beyond len(marks) is Unsupported: a newer program wrote it.
func UnpackClock(b []byte, marks []Mark) error {
	const op = "crdt.UnpackClock"
	clear(marks)
	r := pack.Reader{Buf: b}
	set := r.Uint()
	if bits.Len64(set) > len(marks) {
		return fault.Errorf(op, fault.Unsupported, "the row has columns that this version does not know: update the program")
	}
	if set != 0 {
		birth := hlc.Stamp(r.Fixed16())
		for i := range marks {
			if set&(1<<i) != 0 {
				marks[i] = Mark{Stamp: birth, Birth: true}
			}
		}
	}
	last := -1
	for r.Err() == nil && len(r.Buf) > 0 {
		tag := r.Uint()
		stamp := hlc.Stamp(r.Fixed16())
		col := int(tag >> 1)
		switch {
		case r.Err() != nil:
		case tag>>1 >= uint64(len(marks)):
			return fault.Errorf(op, fault.Unsupported, "the row has columns that this version does not know: update the program")
		case col <= last || set&(1<<col) != 0 || stamp.IsZero():
			r.Fail("a column named twice or out of order")
		default:
			marks[col], last = Mark{Stamp: stamp, Birth: tag&1 == 1}, col
		}
	}
	if err := r.Close(); err != nil {
		return fault.E(op, fault.Corrupt, err)
	}
	return canonical(marks, set)
}

// canonical refuses a birth set that PackClock would not have chosen.
func canonical(marks []Mark, set uint64) error {
	if set == 0 {
		for _, m := range marks {
			if m.Birth {
				return fault.Errorf("crdt.UnpackClock", fault.Corrupt, "a birth outside the birth set")
			}
		}
		return nil
	}
	birth := marks[bits.TrailingZeros64(set)].Stamp
	if birth.IsZero() {
		return fault.Errorf("crdt.UnpackClock", fault.Corrupt, "a birth that is never")
	}
	for i, m := range marks {
		if m.Birth && set&(1<<i) == 0 && !birth.Before(m.Stamp) {
			return fault.Errorf("crdt.UnpackClock", fault.Corrupt, "a birth set that is not the earliest")
		}
	}
	return nil
}
