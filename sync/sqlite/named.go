package sqlite

import "strings"

// Named splits a .sql file into its statements: each begins at a line "-- name: <name>". A statement that is missing or
// named twice is a programming error and panics at the start of the program, where the result is kept in a variable.
func Named(text string, names ...string) map[string]string {
	out := map[string]string{}
	for i, part := range strings.Split("\n"+text, "\n-- name: ") {
		name, body, _ := strings.Cut(part, "\n")
		name = strings.TrimSpace(name)
		if i == 0 {
			continue
		}
		if _, twice := out[name]; twice {
			panic("sqlite.Named: two statements named " + name)
		}
		out[name] = strings.TrimSpace(body)
	}
	for _, n := range names {
		if out[n] == "" {
			panic("sqlite.Named: no statement named " + n)
		}
	}
	return out
}
