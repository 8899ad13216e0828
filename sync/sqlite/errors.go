package sqlite

import (
	"errors"

	"holdfast/sync/fault"
)

// Primary result codes that callers tell apart (https://sqlite.org/rescode.html). An extended code holds its primary code in the low byte.
const (
	codeBusy       = 5
	codeLocked     = 6
	codeReadOnly   = 8
	codeIOErr      = 10
	codeCorrupt    = 11
	codeFull       = 13
	codeCantOpen   = 14
	codeTooBig     = 18
	codeConstraint = 19
	codeMismatch   = 20
	codeNotADB     = 26

	codeUnique     = codeConstraint | 8<<8
	codePrimaryKey = codeConstraint | 6<<8
	codeRowID      = codeConstraint | 10<<8
)

// Code is SQLite's extended result code in err's chain, or 0.
func Code(err error) int { return driverCode(err) }

// IsCorrupt tells whether the database file is damaged or is no database.
func IsCorrupt(err error) bool { return is(err, fault.Corrupt, codeCorrupt, codeNotADB) }

// IsFull tells whether there was no room left: the disk, the browser's quota or the database's page limit.
func IsFull(err error) bool { return is(err, fault.Full, codeFull) }

// IsBusy tells whether somebody else holds the file; the same call may succeed later.
func IsBusy(err error) bool { return is(err, fault.Busy, codeBusy, codeLocked) }

// IsConstraint tells whether the row breaks a rule of the schema.
func IsConstraint(err error) bool { return Code(err)&0xff == codeConstraint }

// IsUnique tells whether a row with the same key is there already.
func IsUnique(err error) bool {
	switch Code(err) {
	case codeUnique, codePrimaryKey, codeRowID:
		return true
	}
	return false
}

// is looks at the code first and at the kind second: an error made without SQLite (a pool held by another tab) has only a kind.
func is(err error, kind fault.Kind, codes ...int) bool {
	if code := Code(err) & 0xff; code != 0 {
		for _, c := range codes {
			if code == c {
				return true
			}
		}
	}
	return err != nil && fault.KindOf(err) == kind
}

// Wrap adds the operation and the kind that SQLite's result code stands for. An error that has a kind keeps it; Wrap(op, nil) is nil.
func Wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return fault.Wrap(op, err)
	}
	return fault.E(op, kindOf(Code(err)), err)
}

// classify wraps errors of SQLite and leaves all others as they are, so that a caller's own errors pass through unchanged.
func classify(op string, err error) error {
	if Code(err) == 0 {
		return err
	}
	return Wrap(op, err)
}

func kindOf(code int) fault.Kind {
	switch code & 0xff {
	case codeBusy, codeLocked:
		return fault.Busy
	case codeCorrupt, codeNotADB:
		return fault.Corrupt
	case codeFull:
		return fault.Full
	case codeTooBig:
		return fault.TooLarge
	case codeConstraint:
		return constraintKind(code)
	case codeMismatch:
		return fault.Invalid
	}
	return fault.Other
}

func constraintKind(code int) fault.Kind {
	switch code {
	case codeUnique, codePrimaryKey, codeRowID:
		return fault.Conflict
	}
	return fault.Invalid
}
