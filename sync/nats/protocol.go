package nats

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The client protocol: https://docs.nats.io/reference/reference-protocols/nats-protocol

type opKind int

const (
	opInfo opKind = iota
	opMessage
	opPing
	opPong
	opOK
	opErr
)

// op is one thing that a server says.
type op struct {
	kind    opKind
	text    string // INFO: the JSON; -ERR: the message without quotes
	subject string // MSG, HMSG
	sid     uint64
	status  string // HMSG: the status of the header's first line, such as "503"
	data    []byte
}

// errProtocol wraps everything that is not the protocol.
var errProtocol = errors.New("nats: not the protocol")

// readOp reads one operation. r must buffer lineBytesMax; a message may have up to limit bytes.
func readOp(r *bufio.Reader, limit int) (op, error) {
	line, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return op{}, fmt.Errorf("%w: a line of more than %d bytes", errProtocol, lineBytesMax)
	}
	if err != nil {
		return op{}, err
	}
	verb, rest, _ := strings.Cut(strings.TrimRight(string(line), "\r\n"), " ")
	rest = strings.TrimSpace(rest)
	switch strings.ToUpper(verb) {
	case "MSG":
		return readMessage(r, rest, limit, false)
	case "HMSG":
		return readMessage(r, rest, limit, true)
	case "PING":
		return op{kind: opPing}, nil
	case "PONG":
		return op{kind: opPong}, nil
	case "+OK":
		return op{kind: opOK}, nil
	case "-ERR":
		return op{kind: opErr, text: strings.Trim(rest, "'")}, nil
	case "INFO":
		return op{kind: opInfo, text: rest}, nil
	}
	return op{}, fmt.Errorf("%w: %.20q", errProtocol, verb)
}

// readMessage reads "subject sid [reply] [header bytes] total bytes" and what follows.
func readMessage(r *bufio.Reader, line string, limit int, header bool) (op, error) {
	f := strings.Fields(line)
	sizes := 1
	if header {
		sizes = 2
	}
	if n := len(f) - sizes; n != 2 && n != 3 {
		return op{}, fmt.Errorf("%w: a message with %d fields", errProtocol, len(f))
	}
	o := op{kind: opMessage, subject: f[0]}
	var err error
	if o.sid, err = strconv.ParseUint(f[1], 10, 64); err != nil {
		return op{}, fmt.Errorf("%w: subscription %.20q", errProtocol, f[1])
	}
	total, err := size(f[len(f)-1], limit)
	if err != nil {
		return op{}, err
	}
	head := 0
	if header {
		if head, err = size(f[len(f)-2], total); err != nil {
			return op{}, err
		}
	}
	body := make([]byte, total+2)
	if _, err := io.ReadFull(r, body); err != nil {
		return op{}, err
	}
	if !bytes.HasSuffix(body, []byte("\r\n")) {
		return op{}, fmt.Errorf("%w: a message that does not end where it says", errProtocol)
	}
	o.data = body[head:total:total]
	if first, _, _ := strings.Cut(string(body[:head]), "\r\n"); strings.HasPrefix(first, "NATS/1.0 ") {
		o.status, _, _ = strings.Cut(first[len("NATS/1.0 "):], " ")
	}
	return o, nil
}

func size(s string, limit int) (int, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n > uint64(limit) {
		return 0, fmt.Errorf("%w: a size of %.20q, at most %d", errProtocol, s, limit)
	}
	return int(n), nil
}
