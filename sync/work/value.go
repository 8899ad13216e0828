package work

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"holdfast/sync/change"
	"holdfast/sync/crdt"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// refuse tells what is wrong with a value of the column, or "".
func (c *Column) refuse(v change.Value) (fault.Kind, string) {
	if v.IsNull() {
		if c.Null {
			return 0, ""
		}
		return fault.Invalid, fmt.Sprintf("The %s cannot be empty.", c.Name)
	}
	if v.Type != c.Type {
		return fault.Invalid, fmt.Sprintf("The %s must be %s.", c.Name, typeNoun(c.Type))
	}
	if v.Type == change.Int {
		low := int64(0)
		if c.Name == deleted.Name || c.Merge == Length {
			low = 1
		}
		if v.Int < low || v.Int > int64(c.Max) {
			return fault.Invalid, fmt.Sprintf("The %s is %d; it must be from %d to %d.", c.Name, v.Int, low, c.Max)
		}
		return 0, ""
	}
	return c.refuseText(v.Text)
}

func typeNoun(t change.Type) string {
	if t == change.Int {
		return "a whole number"
	}
	return "a text"
}

func (c *Column) refuseText(s string) (fault.Kind, string) {
	if c.Max > 0 && len(s) > c.Max {
		return fault.TooLarge, fmt.Sprintf("The %s is %d bytes long; at most %d fit. Shorten it.", c.Name, len(s), c.Max)
	}
	if c.Enum != nil {
		if !slices.Contains(c.Enum, s) {
			return fault.Invalid, fmt.Sprintf("The %s %q does not exist; choose one of %s.", c.Name, clip(s), strings.Join(c.Enum, ", "))
		}
		return 0, ""
	}
	ok, want := true, ""
	switch c.Kind {
	case Plain:
		if c.Required && strings.TrimSpace(s) == "" {
			return fault.Invalid, fmt.Sprintf("The %s is blank. Write something.", c.Name)
		}
		ok, want = plain(s, "\t\n"), "text without control characters"
	case Line:
		if strings.TrimSpace(s) == "" {
			return fault.Invalid, fmt.Sprintf("The %s is blank. Write something.", c.Name)
		}
		ok, want = plain(s, ""), "one line without control characters"
	case IDText:
		ok, want = id.ID(s).Valid(), "an id"
	case Rank:
		ok, want = crdt.ValidRank(s), "a rank"
	case Date:
		ok, want = validDate(s), "a date like 2026-11-23"
	case Color:
		ok, want = slices.Contains(Colors, s), "one of "+strings.Join(Colors, ", ")
	}
	if !ok {
		return fault.Invalid, fmt.Sprintf("The %s must be %s.", c.Name, want)
	}
	return 0, ""
}

// plain tells whether s is UTF-8 without control characters and line separators other than those allowed.
func plain(s, allowed string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if (unicode.IsControl(r) || r == '\u2028' || r == '\u2029') && !strings.ContainsRune(allowed, r) {
			return false
		}
	}
	return true
}

func validDate(s string) bool {
	d, err := time.Parse(time.DateOnly, s)
	return err == nil && d.Year() > 0 && d.Format(time.DateOnly) == s
}

// Noun is a table's row in a sentence.
func Noun(table string) string {
	if table == "task_label" {
		return "label on a task"
	}
	return table
}

// PlaceOf finds the Place in the chain of an error of Check.
func PlaceOf(err error) (Place, bool) {
	p, ok := errors.AsType[*Place](err)
	if !ok {
		return Place{}, false
	}
	return *p, true
}
