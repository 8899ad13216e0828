package main

import (
	"bytes"
	"context"
	"errors"
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
	"time"
)

const (
	startMax = 30 * time.Second // for a process to answer
	stopMax  = 20 * time.Second
)

var programDir string // removed at the end of the run

// program is the built holdfast, made once a run from the sources as they are.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "holdfast-bench-program-")
	if err != nil {
		return "", err
	}
	programDir = dir
	path := filepath.Join(dir, "holdfast")
	if out, err := exec.Command("go", "build", "-o", path, "holdfast").CombinedOutput(); err != nil {
		return "", fmt.Errorf("holdfast does not build: %w\n%s", err, out)
	}
	return path, nil
})

// process is a holdfast that runs beside the measurement.
type process struct {
	t    *trial
	args []string
	cmd  *exec.Cmd
	log  *bytes.Buffer
}

// run starts holdfast with some arguments; it ends with the measurement.
func (t *trial) run(args ...string) *process {
	p := &process{t: t, args: args}
	p.up()
	t.Cleanup(func() { p.stop(syscall.SIGTERM) })
	return p
}

func (p *process) up() {
	path, err := program()
	p.t.must(err)
	p.log = &bytes.Buffer{}
	p.cmd = exec.Command(path, p.args...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.t.must(p.cmd.Start())
}

// stop ends the process with a signal and waits for it.
func (p *process) stop(sig syscall.Signal) {
	if p.cmd == nil {
		return
	}
	done := make(chan struct{})
	cmd := p.cmd
	p.cmd = nil
	_ = cmd.Process.Signal(sig) // gone already: Wait returns at once
	go func() { _ = cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(stopMax):
		_ = cmd.Process.Kill()
		<-done
		p.t.Errorf("holdfast %s does not end within %s of a signal", p.args[0], stopMax)
	}
}

// product is `holdfast dev` on an empty folder.
type product struct {
	*process
	port int
	data string // its folder
}

// dev starts the product and waits until every region answers.
func (t *trial) dev(regions int, flags ...string) *product {
	names := strings.Join([]string{"eu", "us"}[:regions], ",")
	s := &product{port: t.freePorts(regions), data: t.TempDir()}
	s.process = t.run(append([]string{"dev", "--data", s.data, "--port", strconv.Itoa(s.port), "--regions", names}, flags...)...)
	t.eventually(startMax, "holdfast dev answers", func() bool {
		for i := range regions {
			if !answers(t.ctx, s.url(i)+"/healthz") {
				return false
			}
		}
		return true
	})
	return s
}

// url is a region's origin. localhost, because passkeys need a name that is a secure context.
func (s *product) url(region int) string { return "http://localhost:" + strconv.Itoa(s.port+region) }

func answers(ctx context.Context, url string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// eventually waits until ok, and ends the measurement when it does not come.
func (t *trial) eventually(limit time.Duration, what string, ok func() bool) {
	for deadline := time.Now().Add(limit); !ok(); time.Sleep(10 * time.Millisecond) {
		t.must(t.ctx.Err())
		if time.Now().After(deadline) {
			t.must(fmt.Errorf("not within %s: %s", limit, what))
		}
	}
}

// freePorts finds n ports in a row that nobody uses at the moment, below those that the system hands out by itself.
func (t *trial) freePorts(n int) int {
search:
	for range 50 {
		first := 20_000 + rand.N(10_000)
		for i := range n {
			ln, err := net.Listen("tcp", "localhost:"+strconv.Itoa(first+i))
			if err != nil {
				continue search
			}
			ln.Close()
		}
		return first
	}
	t.must(errors.New("no free ports in a row"))
	return 0
}
