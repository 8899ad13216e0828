package hubdb

import "strings"

// Queries are the statements of one .sql file by name: each begins with a line "-- name: …".
type Queries map[string]string

// Parse reads a .sql file; it panics on a text without names or with one name twice, which a test of any kind finds.
func Parse(text string) Queries {
	q := Queries{}
	for part := range strings.SplitSeq("\n"+text, "\n-- name: ") {
		name, body, ok := strings.Cut(part, "\n")
		if !ok || strings.TrimSpace(name) == "" {
			continue
		}
		if _, twice := q[name]; twice {
			panic("hubdb.Parse: two statements are named " + name)
		}
		q[name] = strings.TrimSpace(body)
	}
	if len(q) == 0 {
		panic("hubdb.Parse: no named statement")
	}
	return q
}

// Get finds a statement; asking for one that is not there is a defect and panics.
func (q Queries) Get(name string) string {
	s, ok := q[name]
	if !ok {
		panic("hubdb.Queries: no statement is named " + name)
	}
	return s
}
