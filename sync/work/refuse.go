package work

import (
	"holdfast/sync/change"
	"holdfast/sync/fault"
)

// Refuse tells what is wrong with a value of the column, as a kind and a sentence, or "" when nothing is. The hub applies
// it to names that end up in rows, so that it never accepts one that regions would not.
func (c *Column) Refuse(v change.Value) (fault.Kind, string) { return c.refuse(v) }
