package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// dump is everything in the store, for messages.
func dump(t failer, db *sql.DB) string {
	var b strings.Builder
	for _, table := range Tables() {
		rows, err := db.QueryContext(context.Background(), "SELECT * FROM "+table)
		if err != nil {
			t.Fatal(err)
		}
		cols, _ := rows.Columns()
		for rows.Next() {
			vals := make([]any, len(cols))
			for i := range vals {
				vals[i] = new(any)
			}
			if err := rows.Scan(vals...); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "%s:", table)
			for i, c := range cols {
				switch v := (*vals[i].(*any)).(type) {
				case []byte:
					fmt.Fprintf(&b, " %s=%x", c, v)
				default:
					fmt.Fprintf(&b, " %s=%v", c, v)
				}
			}
			b.WriteByte('\n')
		}
		rows.Close()
	}
	return b.String()
}
