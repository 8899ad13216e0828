package change

import (
	"encoding/json"
	"strconv"

	"holdfast/sync/fault"
)

// MarshalJSON gives null, a number or a string.
func (v Value) MarshalJSON() ([]byte, error) {
	switch v.Type {
	case Int:
		return strconv.AppendInt(nil, v.Int, 10), nil
	case Text:
		return json.Marshal(v.Text)
	}
	return []byte("null"), nil
}

// UnmarshalJSON reads null, a whole number or a string.
func (v *Value) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*v = Value{}
		return nil
	}
	if len(b) > 0 && b[0] == '"' {
		*v = Value{Type: Text}
		return json.Unmarshal(b, &v.Text)
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return fault.Errorf("change.Value", fault.Invalid, "a cell holds a text, a whole number or nothing, not %.40s", b)
	}
	*v = Value{Type: Int, Int: n}
	return nil
}
