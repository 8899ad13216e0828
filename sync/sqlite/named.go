package sqlite

import "strings"

// Named splits the text of a .sql file into its statements: each begins at a line "-- name: <name>". The function it
// returns gives a statement by name; asking for one that the file does not have is a programming error and panics, as
// naming two alike does.
func Named(text string) func(name string) string {
	statements := map[string]string{}
	for i, part := range strings.Split("\n"+text, "\n-- name: ") {
		name, body, _ := strings.Cut(part, "\n")
		if i == 0 {
			continue
		}
		name = strings.TrimSpace(name)
		if statements[name] != "" {
			panic("sqlite.Named: two statements named " + name)
		}
		statements[name] = strings.TrimSpace(body)
	}
	return func(name string) string {
		s := statements[name]
		if s == "" {
			panic("sqlite.Named: no statement named " + name)
		}
		return s
	}
}
