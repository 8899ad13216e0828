// Package naming checks the names that people give to themselves, their passkeys and their workspaces, by the rule that
// regions apply to the rows which these names end up in.
package naming

import (
	"strings"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/work"
)

// BytesMax is the length of a name in bytes of UTF-8.
const BytesMax = work.NameBytesMax

var _, rule = work.TableOf("member").Column("name")

// Clean trims a name and checks it. what says whose name it is in the sentence that a person reads ("yourself").
func Clean(op, what, name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" {
		return "", fault.Errorf(op, fault.Invalid, "Give %s a name.", what)
	}
	if TurnsAround(name) {
		return "", fault.Errorf(op, fault.Invalid, "That name has characters that change how text around it is read. Type it again.")
	}
	if kind, text := rule.Refuse(change.V(name)); text != "" {
		return "", fault.Errorf(op, kind, "%s", text)
	}
	return name, nil
}

// TurnsAround finds the controls of writing direction (Unicode UAX #9 §2) with which a name can pass for another.
func TurnsAround(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 })
}
