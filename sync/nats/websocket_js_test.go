package nats

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"strings"
	"testing"
	"time"
)

var url = flag.String("nats", "", "WebSocket address of a NATS server on which somebody echoes")

func TestOverTheBrowsersWebSocket(t *testing.T) {
	ws, err := DialWebSocket(t.Context(), *url)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	c, err := Connect(t.Context(), ws, Config{Inbox: "_INBOX.me", Name: "browser", PingEvery: 200 * time.Millisecond, MissedMax: 1000, Closed: func(err error) { ended <- err }})
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range [][]byte{nil, []byte("x"), bytes.Repeat([]byte{0, 255}, 512<<10)} {
		got, err := c.Request(t.Context(), "echo", body)
		if err != nil || !bytes.Equal(got, body) {
			t.Errorf("%d bytes came back as %d, %v", len(body), len(got), err)
		}
	}
	if _, err := c.Request(t.Context(), "nobody", nil); !errors.Is(err, ErrNoResponders) {
		t.Errorf("nobody there: %v", err)
	}
	time.Sleep(700 * time.Millisecond) // several pings go unnoticed
	if _, err := c.Request(t.Context(), "close", nil); err == nil {
		t.Error("the server answered instead of closing")
	}
	if err := <-ended; err == nil || errors.Is(err, ErrClosed) || errors.Is(err, ErrStale) {
		t.Errorf("ended with %v", err)
	}
}

func TestDialWebSocketFails(t *testing.T) {
	nobody := "ws://127.0.0.1:29/" // below the ports that other tests are given
	if _, err := DialWebSocket(t.Context(), nobody); !errors.Is(err, errWebSocket) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := DialWebSocket(ctx, *url); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestCloseEndsReading(t *testing.T) {
	ws, err := DialWebSocket(t.Context(), *url)
	if err != nil {
		t.Fatal(err)
	}
	greeting := make([]byte, 4)
	if _, err := io.ReadFull(ws, greeting); err != nil || !strings.HasPrefix(string(greeting), "INFO") {
		t.Errorf("greeted with %q, %v", greeting, err)
	}
	go ws.Close()
	if _, err := io.ReadAll(ws); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("reading ended with %v", err)
	}
	if _, err := ws.Write([]byte("x")); err == nil {
		t.Error("a closed WebSocket took bytes")
	}
}
