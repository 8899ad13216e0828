package node_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"holdfast/edge/edgetest"
	"holdfast/sync/id"
)

// loadEnv makes the test's binary many browsers, so that a benchmark does not measure its own clients.
const loadEnv = "HOLDFAST_EDGE_LOAD"

// load is what the browsers' process is told: for each workspace so many connections; together they push total changes, each
// connection one at a time. With a rate each begins its next when it is due, and time is taken from then: a server that is
// slow does not make its load smaller.
type load struct {
	Addr    string
	Tenants []id.ID
	Person  id.ID
	Cookie  string
	Each    int
	Total   int
	Rate    int // changes a second of all together; 0: as many as there can be
}

// loadResult is what it found.
type loadResult struct {
	Seconds float64
	Took    []time.Duration
	Err     string
}

func playLoad(conf string) int {
	var l load
	var r loadResult
	err := json.Unmarshal([]byte(conf), &l)
	if err == nil {
		err = l.run(&r)
	}
	if err != nil {
		r.Err = err.Error()
	}
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		return 1
	}
	return 0
}

func (l load) run(r *loadResult) error {
	var all []*edgetest.Browser
	for _, w := range l.Tenants {
		for range l.Each {
			b, err := edgetest.TryConnect(l.Addr, l.Cookie, w, string(edgetest.NewID()), edgetest.NewDevice(l.Person))
			if err != nil {
				return err
			}
			// The first of a workspace opens its file, the first of a device makes it known: neither is what is measured.
			if _, err := b.Push(b.Next("x")); err != nil {
				return err
			}
			all = append(all, b)
		}
	}
	fmt.Println("ready")
	bufio.NewScanner(os.Stdin).Scan()
	var mu sync.Mutex
	var failed error
	var left atomic.Int64
	left.Store(int64(l.Total))
	var wg sync.WaitGroup
	began := time.Now()
	for i, c := range all {
		wg.Go(func() {
			var own []time.Duration
			for turn := 0; left.Add(-1) >= 0; turn++ {
				tx := c.Next("x")
				sent := time.Now()
				if l.Rate > 0 {
					sent = began.Add(time.Duration(turn*len(all)+i) * time.Second / time.Duration(l.Rate))
					time.Sleep(time.Until(sent))
				}
				if _, err := c.Push(tx); err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
					return
				}
				own = append(own, time.Since(sent))
			}
			mu.Lock()
			r.Took = append(r.Took, own...)
			mu.Unlock()
		})
	}
	wg.Wait()
	r.Seconds = time.Since(began).Seconds()
	return failed
}

// drive has a process of its own play the browsers; only the pushing is within the benchmark's time.
func (l load) drive(b *testing.B) loadResult {
	conf, err := json.Marshal(l)
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env, cmd.Stderr = append(os.Environ(), loadEnv+"="+string(conf)), os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer cmd.Wait() //nolint:errcheck // what it said is what counts
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	if err != nil || line != "ready\n" {
		b.Fatalf("the browsers said %q (%v)", line, err)
	}
	b.ResetTimer()
	fmt.Fprintln(in, "go")
	var r loadResult
	if err := json.NewDecoder(lines).Decode(&r); err != nil || r.Err != "" {
		b.Fatal(err, r.Err)
	}
	b.StopTimer()
	return r
}
