package follow_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"holdfast/edge/edgetest"
	"holdfast/edge/follow"
)

// Messages come in the stream's order, from the mark on, none left out; after an error of Handle they come again, and
// Current is told when all that was there has been handled.
func TestOrderRepetitionAndCurrent(t *testing.T) {
	const total = 5000
	h := edgetest.NewHub(t)
	js := edgetest.JetStream(t, h.Conn)
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}}); err != nil {
		t.Fatal(err)
	}
	publish := func(n int) {
		for i := range n {
			if _, err := js.PublishAsync("s", fmt.Append(nil, i)); err != nil {
				t.Fatal(err)
			}
		}
		<-js.PublishAsyncComplete()
	}
	publish(total / 2)
	var mu sync.Mutex
	mark, failures, current := uint64(7), 0, uint64(0)
	f := follow.New(follow.Config{Conn: h.Conn, Stream: "S",
		Start: func(context.Context, *jetstream.StreamInfo) (uint64, error) {
			mu.Lock()
			defer mu.Unlock()
			return mark + 1, nil
		},
		Handle: func(_ context.Context, ms []follow.Message) error {
			mu.Lock()
			defer mu.Unlock()
			for i, m := range ms {
				if m.Seq != mark+1+uint64(i) {
					t.Errorf("after %d came %d", mark+uint64(i), m.Seq)
				}
			}
			if failures < 3 {
				failures++
				return errors.New("not now")
			}
			mark = ms[len(ms)-1].Seq
			return nil
		},
		Current: func(context.Context) { mu.Lock(); defer mu.Unlock(); current = mark },
	})
	f.Open(t.Context())
	defer f.Close()
	at := func(n uint64) func() bool {
		return func() bool { mu.Lock(); defer mu.Unlock(); return mark == n }
	}
	edgetest.Eventually(t, 10*time.Second, "the first half is read", at(total/2))
	edgetest.Eventually(t, time.Second, "it is current", func() bool { mu.Lock(); defer mu.Unlock(); return current == total/2 })
	f.Poke(0) // a new reader goes on where the old one was
	publish(total / 2)
	edgetest.Eventually(t, 10*time.Second, "all is read", at(total))
	if !f.Attached() {
		t.Error("not attached")
	}
}
