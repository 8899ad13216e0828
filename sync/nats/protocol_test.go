package nats

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func reader(s string) *bufio.Reader { return bufio.NewReaderSize(strings.NewReader(s), lineBytesMax) }

func TestReadsOperations(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     op
	}{
		{"message", "MSG a.b 7 5\r\nhello\r\n", op{kind: opMessage, subject: "a.b", sid: 7, data: []byte("hello")}},
		{"reply", "msg a 7 r.1 0\r\n\r\n", op{kind: opMessage, subject: "a", sid: 7, data: []byte{}}},
		{"tabs", "MSG  a\t7   1\r\nx\r\n", op{kind: opMessage, subject: "a", sid: 7, data: []byte("x")}},
		{"header", "HMSG a 7 21 23\r\nNATS/1.0\r\nKind: b\r\n\r\nok\r\n", op{kind: opMessage, subject: "a", sid: 7, data: []byte("ok")}},
		{"status", "HMSG a 7 16 16\r\nNATS/1.0 503\r\n\r\n\r\n", op{kind: opMessage, subject: "a", sid: 7, status: "503", data: []byte{}}},
		{"status-text", "HMSG a 7 r 26 26\r\nNATS/1.0 503 No Answer\r\n\r\n\r\n", op{kind: opMessage, subject: "a", sid: 7, status: "503", data: []byte{}}},
		{"ping", "PING\r\n", op{kind: opPing}},
		{"pong", "PONG \r\n", op{kind: opPong}},
		{"ok", "+OK\r\n", op{kind: opOK}},
		{"err", "-ERR 'Stale Connection'\r\n", op{kind: opErr, text: "Stale Connection"}},
		{"info", "INFO {\"a\": 1}\r\n", op{kind: opInfo, text: `{"a": 1}`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := readOp(reader(c.in), 1<<20)
			if err != nil || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", c.want) {
				t.Errorf("got %+v, %v; want %+v", got, err, c.want)
			}
		})
	}
}

func TestRefusesWhatIsNotTheProtocol(t *testing.T) {
	for _, in := range []string{
		"HELLO\r\n", "\r\n", "MSG\r\n", "MSG a 7\r\n", "MSG a b 1\r\nx\r\n", "MSG a 7 -1\r\n", "MSG a 7 1e3\r\n",
		fmt.Sprintf("MSG a 7 %d\r\n", 1<<20+1), "MSG a 7 1\r\nxyz\r\n", "MSG a 7 r s 1\r\nx\r\n",
		"HMSG a 7 5 4\r\nabcd\r\n", "HMSG a 7 4\r\nabcd\r\n", "MSG a 7 99999999999999999999\r\n",
		"INFO " + strings.Repeat("x", lineBytesMax),
	} {
		if o, err := readOp(reader(in), 1<<20); !errors.Is(err, errProtocol) {
			t.Errorf("%.40q gave %+v, %v", in, o, err)
		}
	}
	for _, in := range []string{"", "PIN", "MSG a 7 5\r\nhel", "MSG a 7 5\r\nhello"} {
		if o, err := readOp(reader(in), 1<<20); !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%.40q gave %+v, %v", in, o, err)
		}
	}
}
