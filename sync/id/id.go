// Package id makes and reads the names of rows, people, workspaces and replicas.
//
// An ID has the bits of a UUIDv7 (RFC 9562 §5.7: 48-bit Unix milliseconds, then random), so that ids made one after
// another lie side by side in an index. Its text is 26 characters of lower-case Crockford base32, which sorts like the
// bits and is safe in a subject, a URL and a file name.
package id

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
	"time"

	"holdfast/sync/fault"
)

// ID is a 26-character name; the empty ID means none.
type ID string

// Len is the length of an ID's text.
const Len = 26

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

var reverse = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i := range alphabet {
		t[alphabet[i]] = byte(i)
	}
	return t
}()

// New makes an ID for the given moment with randomness from rand. A failing source of randomness is a broken machine,
// and going on would risk two rows with one name, so it panics.
func New(now time.Time, rand io.Reader) ID {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(now.UnixMilli())<<16)
	if _, err := io.ReadFull(rand, b[6:]); err != nil {
		panic("id.New: no randomness: " + err.Error())
	}
	b[6] = b[6]&0x0f | 0x70
	b[8] = b[8]&0x3f | 0x80
	return FromBytes(b)
}

// Derive names something by what it consists of: equal parts give an equal ID on every node. It is how two replicas
// that put one label on one task name the same row.
func Derive(parts ...string) ID {
	h := sha256.New()
	for _, p := range parts {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	var b [16]byte
	copy(b[:], h.Sum(nil))
	b[6] = b[6]&0x0f | 0x80 // RFC 9562 §5.8: a custom UUID
	b[8] = b[8]&0x3f | 0x80
	return FromBytes(b)
}

// FromBytes writes 16 bytes as an ID.
func FromBytes(b [16]byte) ID { return ID(Text(b)) }

// Text writes 16 bytes as 26 base32 digits, most significant first.
func Text(b [16]byte) string {
	hi, lo := binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])
	var out [Len]byte
	for i := Len - 1; i >= 0; i-- {
		out[i] = alphabet[lo&31]
		lo = lo>>5 | hi<<59
		hi >>= 5
	}
	return string(out[:])
}

// ParseText reads what Text wrote; anything else is Invalid.
func ParseText(s string) (b [16]byte, err error) {
	if len(s) != Len || s[0] > '7' {
		return b, fault.Errorf("id.ParseText", fault.Invalid, "not an id: want %d base32 digits", Len)
	}
	var hi, lo uint64
	for i := range Len {
		d := reverse[s[i]]
		if d == 0xff {
			return b, fault.Errorf("id.ParseText", fault.Invalid, "not an id: %q is not a base32 digit", s[i])
		}
		hi = hi<<5 | lo>>59
		lo = lo<<5 | uint64(d)
	}
	binary.BigEndian.PutUint64(b[:8], hi)
	binary.BigEndian.PutUint64(b[8:], lo)
	return b, nil
}

// Parse checks that s is an ID.
func Parse(s string) (ID, error) {
	if _, err := ParseText(s); err != nil {
		return "", err
	}
	return ID(s), nil
}

// Valid tells whether the ID is well formed.
func (i ID) Valid() bool { _, err := ParseText(string(i)); return err == nil }

// Bytes gives the 16 bytes of a valid ID; the empty or a malformed ID gives zeros.
func (i ID) Bytes() [16]byte { b, _ := ParseText(string(i)); return b }

// Time is the moment in which the ID was made; meaningless for derived ids.
func (i ID) Time() time.Time {
	b := i.Bytes()
	return time.UnixMilli(int64(binary.BigEndian.Uint64(b[:8]) >> 16))
}
