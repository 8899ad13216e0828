// Package fault is the one form in which errors travel through Holdfast: an operation, a kind, a cause.
//
// Kinds are few and append-only, because they cross the wire as numbers and are kept in databases. The surface (page,
// REST, command line) turns a kind into the sentence a person reads; Detail carries what only the place of failure
// knows and is safe to show.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says what a caller may do about an error.
type Kind uint8

// The kinds, in wire order. Append only.
const (
	Other       Kind = iota // unexpected: a defect or an unknown cause
	Invalid                 // the input is malformed or breaks a rule; the same input will fail again
	Denied                  // not allowed, or not known to those who may not know
	NotFound                // does not exist, said only to those who may know
	Conflict                // clashes with what is there already
	Expired                 // the session is over: sign in again
	TooLarge                // over a named bound
	Limit                   // over a plan's limit or a rate
	Unavailable             // cannot be reached now: try again
	Behind                  // this node has not yet seen what the caller has: try again
	Busy                    // somebody else holds it now: try again
	Full                    // no room on the disk
	Corrupt                 // stored bytes are damaged
	Unsupported             // a version or feature this build does not have
	kindsEnd
)

var names = [...]string{"other", "invalid", "denied", "not-found", "conflict", "expired", "too-large", "limit",
	"unavailable", "behind", "busy", "full", "corrupt", "unsupported"}

func (k Kind) String() string {
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("kind-%d", k)
}

// Known tells whether k is a kind of this build; an unknown one from a newer peer is treated as Other.
func (k Kind) Known() bool { return k < kindsEnd }

// Temporary tells whether the same request may succeed later without being changed.
func (k Kind) Temporary() bool {
	switch k {
	case Unavailable, Behind, Busy, Full, Expired, Other:
		return true
	}
	return false
}

// Error is an operation that failed, why, and the cause below it.
type Error struct {
	Op     string // package.Function
	Kind   Kind
	Detail string // safe to show to the person who asked; may be empty
	Err    error  // cause, for logs; may be nil
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	b.WriteString(": ")
	b.WriteString(e.Kind.String())
	if e.Detail != "" {
		b.WriteString(": ")
		b.WriteString(e.Detail)
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// E wraps err with an operation and a kind. A nil err is an error too: the kind alone is the cause.
func E(op string, kind Kind, err error) error { return &Error{Op: op, Kind: kind, Err: err} }

// Errorf makes an error whose text may be shown to the person who asked.
func Errorf(op string, kind Kind, format string, args ...any) error {
	return &Error{Op: op, Kind: kind, Detail: fmt.Sprintf(format, args...)}
}

// Wrap adds an operation and keeps the kind and detail of err. Wrap(op, nil) is nil.
func Wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Kind: KindOf(err), Detail: DetailOf(err), Err: err}
}

// As is E for an error that may be nil: nil stays nil.
func As(op string, kind Kind, err error) error {
	if err == nil {
		return nil
	}
	return E(op, kind, err)
}

// KindOf is the kind of the outermost Error in err's chain, or Other.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Other
}

// DetailOf is the text of err that may be shown, or "".
func DetailOf(err error) string {
	for err != nil {
		e, ok := errors.AsType[*Error](err)
		if !ok {
			return ""
		}
		if e.Detail != "" {
			return e.Detail
		}
		err = e.Err
	}
	return ""
}
