//go:build !js

package nats

import (
	"bufio"
	"bytes"
	"testing"
)

// FuzzReadOp: whatever a server sends, the reader refuses it or gives an operation within the bounds.
func FuzzReadOp(f *testing.F) {
	for _, s := range []string{"MSG a.b 7 5\r\nhello\r\n", "HMSG a 7 16 16\r\nNATS/1.0 503\r\n\r\n\r\n", "PING\r\n", "-ERR 'x'\r\n", "INFO {}\r\n", "MSG a 7 1\r\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		r := bufio.NewReaderSize(bytes.NewReader(in), lineBytesMax)
		for {
			o, err := readOp(r, 1<<20)
			if err != nil {
				return
			}
			if len(o.data) > len(in) || o.kind == opMessage && o.subject == "" {
				t.Fatalf("%q gave %+v", in, o)
			}
		}
	})
}
