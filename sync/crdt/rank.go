package crdt

import (
	"encoding/binary"
	"io"
	"strings"

	"holdfast/sync/fault"
)

// A rank is a place in an order that has room between any two places: rows are ordered by (rank, id), and moving one row
// writes one cell. The text is an integer and a fraction in base 62, compared as bytes.
//
// The integer's first letter says how many digits follow ('a' one, 'b' two, … for positive; 'Z' one, 'Y' two, … for
// negative), so that adding at either end makes the rank no longer (David Greenspan, "Implementing Fractional Indexing",
// 2020). Every new rank ends in random digits: two replicas that insert at one place get two places.
const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

const (
	base       = uint64(len(digits))
	jitterRoom = 1 << 14 // places wanted to choose from
	windowMin  = 3       // digits
	windowMax  = 10      // 62^10 fits in 64 bits
)

// Between gives a new rank after lo and before hi; an empty lo or hi is no bound. When lo is not before hi (two rows
// share a rank) it is a place just after lo. The same bounds and randomness give the same rank. A failing rand panics,
// as in id.New; ranks that ValidRank refuses are Invalid.
func Between(lo, hi string, rand io.Reader) (string, error) {
	const op = "crdt.Between"
	for _, r := range []string{lo, hi} {
		if r != "" && !ValidRank(r) {
			return "", fault.Errorf(op, fault.Invalid, "%.40q is not a rank", r)
		}
	}
	if lo != "" && hi != "" && lo >= hi {
		whole, frac := split(lo)
		return whole + middle(frac, "", rand), nil
	}
	switch {
	case lo == "" && hi == "":
		return "a0" + middle("", "", rand), nil
	case hi == "":
		whole, frac := split(lo)
		if up := step(whole, +1); up != "" {
			return up + tail(rand), nil
		}
		return whole + middle(frac, "", rand), nil
	case lo == "":
		whole, frac := split(hi)
		if down := step(whole, -1); down != "" {
			return down + tail(rand), nil
		}
		return whole + middle("", frac, rand), nil
	}
	wl, fl := split(lo)
	wh, fh := split(hi)
	if wl == wh {
		return wl + middle(fl, fh, rand), nil
	}
	if up := step(wl, +1); up != "" && up < wh {
		return up + tail(rand), nil
	}
	return wl + middle(fl, "", rand), nil
}

// Spread gives n ranks between lo and hi in ascending order, for many rows at once and for making room again.
func Spread(lo, hi string, n int, rand io.Reader) ([]string, error) {
	out := make([]string, n)
	if hi == "" {
		for i := range out {
			r, err := Between(lo, "", rand)
			if err != nil {
				return nil, err
			}
			out[i], lo = r, r
		}
		return out, nil
	}
	return out, spread(lo, hi, out, rand)
}

func spread(lo, hi string, out []string, rand io.Reader) error {
	if len(out) == 0 {
		return nil
	}
	m := len(out) / 2
	r, err := Between(lo, hi, rand)
	if err != nil {
		return err
	}
	out[m] = r
	if err := spread(lo, r, out[:m], rand); err != nil {
		return err
	}
	return spread(r, hi, out[m+1:], rand)
}

// ValidRank tells whether Between could have made r.
func ValidRank(r string) bool {
	if len(r) < 2 {
		return false
	}
	n := wholeLen(r[0])
	if r == lowest || n == 0 || len(r) < n || (len(r) > n && r[len(r)-1] == '0') {
		return false
	}
	for i := 1; i < len(r); i++ {
		if strings.IndexByte(digits, r[i]) < 0 {
			return false
		}
	}
	return true
}

// lowest has no room before it, so it is no rank.
var lowest = "A" + strings.Repeat("0", 26)

// wholeLen is the length of an integer with this first letter, or 0.
func wholeLen(head byte) int {
	switch {
	case head >= 'a' && head <= 'z':
		return int(head-'a') + 2
	case head >= 'A' && head <= 'Z':
		return int('Z'-head) + 2
	}
	return 0
}

func split(rank string) (whole, frac string) {
	n := wholeLen(rank[0])
	return rank[:n], rank[n:]
}

// step is the integer after (+1) or before (-1), or "" at the end of all integers.
func step(whole string, by int) string {
	b := []byte(whole)
	from, to := digits[len(digits)-1], digits[0]
	if by < 0 {
		from, to = to, from
	}
	for i := len(b) - 1; i > 0; i-- {
		if b[i] != from {
			b[i] = digits[strings.IndexByte(digits, b[i])+by]
			return string(b)
		}
		b[i] = to
	}
	head := b[0]
	switch {
	case head == 'z' && by > 0 || head == 'A' && by < 0:
		return ""
	case head == 'Z' && by > 0:
		head = 'a'
	case head == 'a' && by < 0:
		head = 'Z'
	default:
		head = byte(int(head) + by)
	}
	return string(head) + strings.Repeat(string(to), wholeLen(head)-1)
}

// tail is a short random fraction that leaves room on both sides.
func tail(rand io.Reader) string { return middle("", "", rand) }

// middle is a fraction strictly between lo and hi (an empty hi is one), chosen at random from the middle half of the
// shortest window of digits that has room. lo < hi, neither ends in '0'.
func middle(lo, hi string, rand io.Reader) string {
	p := 0
	for p < len(hi) && digitAt(lo, p) == digitAt(hi, p) {
		p++
	}
	out := hi[:p]
	lo, hi = lo[min(p, len(lo)):], hi[p:]
	for {
		// The first digits differ, so there is no window in which hi is not above lo.
		for n := windowMin; n <= windowMax; n++ {
			a, b := window(lo, n), window(hi, n)
			if hi == "" {
				b = power(n)
			}
			if room := b - a - 1; room >= jitterRoom {
				pick := a + 1 + room/4 + random(rand, room/2)
				return out + strings.TrimRight(text(pick, n), "0")
			}
		}
		// Like 0.0zzzz and 0.1: whatever begins as lo does and is above its rest is below hi.
		out += string(digits[digitAt(lo, 0)])
		lo, hi = lo[min(1, len(lo)):], ""
	}
}

func digitAt(frac string, i int) uint64 {
	if i >= len(frac) {
		return 0
	}
	return uint64(strings.IndexByte(digits, frac[i]))
}

// window is the number that the first n digits make.
func window(frac string, n int) (v uint64) {
	for i := range n {
		v = v*base + digitAt(frac, i)
	}
	return v
}

func power(n int) uint64 {
	v := uint64(1)
	for range n {
		v *= base
	}
	return v
}

func text(v uint64, n int) string {
	b := make([]byte, n)
	for i := n - 1; i >= 0; i-- {
		b[i] = digits[v%base]
		v /= base
	}
	return string(b)
}

// random is a number below n; the bias of the remainder is of no matter here.
func random(rand io.Reader, n uint64) uint64 {
	var b [8]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		panic("crdt.Between: no randomness: " + err.Error())
	}
	return binary.BigEndian.Uint64(b[:]) % n
}
