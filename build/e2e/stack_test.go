// Package e2e tries the product as people use it: the real binary as a process of its own, real Chromium with passkeys,
// the network and the processes cut, killed and started again.
package e2e

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"holdfast/build/browser"
)

// patience is for a busy machine: only what never comes takes so long.
const patience = 2 * time.Minute

var binary string // the built holdfast

var pictures = flag.String("pictures", "", "where to leave pictures of what the tests show")

// look leaves pictures of a page, narrow and wide, light and dark, for people to look at when they were asked for.
func look(g *browser.Page, name string) {
	if *pictures != "" {
		g.Pictures(*pictures, name)
	}
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "holdfast-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "holdfast")
	if out, err := exec.Command("go", "build", "-o", binary, "holdfast").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "holdfast does not build: %v\n%s", err, out)
		return 1
	}
	return browser.Main(m)
}

// process is one command of the binary that runs until it is stopped, and may be run again.
type process struct {
	t    *testing.T
	args []string
	cmd  *exec.Cmd
	log  lockedBuffer
}

// stack is what people reach: `holdfast dev`, or one region's `holdfast edge`.
type stack struct {
	process
	data    string
	port    int
	regions []string
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start runs holdfast dev with an empty data folder; it ends with the test.
func start(t *testing.T, regions string, flags ...string) *stack {
	t.Helper()
	t.Parallel() // people and servers wait for one another most of the time
	s := &stack{data: t.TempDir(), port: freePorts(t, 2), regions: strings.Split(regions, ",")}
	s.process.t = t
	s.args = append([]string{"dev", "--data", s.data, "--port", strconv.Itoa(s.port), "--regions", regions}, flags...)
	s.endWithTest()
	s.up()
	return s
}

// endWithTest stops the process when the test is over, and shows what it said when the test has failed.
func (p *process) endWithTest() {
	p.t.Cleanup(func() {
		p.stop(syscall.SIGTERM)
		if p.t.Failed() {
			p.t.Logf("holdfast %s said:\n%s", p.args[0], tail(p.log.String(), 60))
		}
	})
}

func tail(text string, lines int) string {
	all := strings.Split(text, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// handedOut are the ports that a test has got: it may have stopped its server for a while.
var handedOut = struct {
	sync.Mutex
	ports map[int]bool
}{ports: map[int]bool{}}

// freePorts finds n ports in a row that nobody uses at the moment and no test has got before, below those that the system hands
// out by itself.
func freePorts(t *testing.T, n int) int {
	t.Helper()
	handedOut.Lock()
	defer handedOut.Unlock()
search:
	for range 200 {
		first := 20_000 + rand.N(10_000)
		for i := range n {
			if handedOut.ports[first+i] {
				continue search
			}
			ln, err := net.Listen("tcp", "localhost:"+strconv.Itoa(first+i))
			if err != nil {
				continue search
			}
			ln.Close()
		}
		for i := range n {
			handedOut.ports[first+i] = true
		}
		return first
	}
	t.Fatal("no free ports in a row")
	return 0
}

// run starts the process.
func (p *process) run() {
	p.t.Helper()
	p.cmd = exec.Command(binary, p.args...)
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
}

// up starts the process and waits until every region answers.
func (s *stack) up() {
	s.t.Helper()
	s.run()
	deadline := time.Now().Add(patience)
	for i := range s.regions {
		for !answers(s.url(i) + "/healthz") {
			if time.Now().After(deadline) {
				s.t.Fatalf("holdfast %s does not answer:\n%s", s.args[0], s.log.String())
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func answers(url string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// stop ends the process with a signal and waits for it.
func (p *process) stop(sig syscall.Signal) {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(sig)
	done := make(chan struct{})
	go func() { _ = p.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(patience):
		p.t.Errorf("holdfast %s does not end within %v of a signal", p.args[0], patience)
		_ = p.cmd.Process.Kill()
		<-done
	}
	p.cmd = nil
}

// url is a region's origin. localhost, because passkeys need a name that is a secure context.
func (s *stack) url(region int) string { return "http://localhost:" + strconv.Itoa(s.port+region) }

// cli runs a command of holdfast against the stack's folder, and gives what it prints.
func (s *stack) cli(args ...string) string {
	s.t.Helper()
	out, err := exec.Command(binary, append(args, "--data", s.data)...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("holdfast %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// link runs `holdfast link …` against the stack.
func (s *stack) link(args ...string) {
	s.t.Helper()
	s.cli(append([]string{"link"}, args...)...)
}

// sell starts the hub anew with a catalogue.
func (s *stack) sell(plans string) {
	s.t.Helper()
	s.stop(syscall.SIGTERM)
	if err := os.WriteFile(filepath.Join(s.data, "hub", "catalog.yaml"), []byte(plans), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.up()
}
