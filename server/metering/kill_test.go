package metering

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"holdfast/sync/id"
	"holdfast/sync/natsd"
	"holdfast/sync/usage"
	"holdfast/sync/wire"
)

// The test binary plays the hub when these are set.
const (
	hubDirEnv  = "METERING_TEST_HUB_DIR"
	hubAddrEnv = "METERING_TEST_HUB_ADDR"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(hubDirEnv); dir != "" {
		if err := playHub(dir, os.Getenv(hubAddrEnv)); err != nil {
			fmt.Println("hub:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// playHub meters until the process is killed or its input ends.
func playHub(dir, addr string) error {
	ctx := context.Background()
	nd := natsd.New(natsd.Config{Name: "hub", Domain: wire.HubDomain, StoreDir: dir + "/js", LeafListen: addr, LeafSecret: "s"})
	if err := nd.Open(ctx); err != nil {
		return err
	}
	nc, err := nd.Core()
	if err != nil {
		return err
	}
	s := New(Config{Dir: dir, NC: nc, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err := s.Open(ctx); err != nil {
		return err
	}
	s.Follow("eu")
	fmt.Println("ready")
	bufio.NewScanner(os.Stdin).Scan() // ends when the parent ends
	return nil
}

func startHub(t *testing.T, dir, addr string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	c := exec.Command(exe)
	c.Env = append(os.Environ(), hubDirEnv+"="+dir, hubAddrEnv+"="+addr)
	_, err = c.StdinPipe()
	must(t, err)
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	if line != "ready\n" {
		t.Fatalf("the hub said %q, %v", line, err)
	}
	return c
}

// The hub is killed again and again while a region writes at full speed, with repetitions: the totals are exact.
func TestKilledHub(t *testing.T) {
	const kills, tenants = 6, 20
	perTenant := uint64(2000)
	if testing.Short() {
		perTenant = 400
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	addr, dir := l.Addr().String(), t.TempDir()
	l.Close()
	hub := startHub(t, dir, addr)
	defer func() { hub.Process.Kill(); hub.Wait() }()

	eu := natsd.New(natsd.Config{Name: "eu", Domain: "eu", StoreDir: t.TempDir(), HubURL: "nats-leaf://" + addr, LeafSecret: "s"})
	must(t, eu.Open(t.Context()))
	defer eu.Close()
	nc, err := eu.Core()
	must(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	must(t, err)
	_, err = js.CreateStream(t.Context(), streamConfig)
	must(t, err)

	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	written := make(chan struct{})
	began := time.Now()
	go func() { defer close(written); write(t, js, rand.New(rand.NewPCG(seed, 1)), tenants, perTenant) }()
	dice := rand.New(rand.NewPCG(seed, 2))
	for range kills {
		time.Sleep(time.Duration(50+dice.IntN(250)) * time.Millisecond)
		must(t, hub.Process.Kill())
		hub.Wait()
		hub = startHub(t, dir, addr)
	}
	<-written
	s, err := js.Stream(t.Context(), wire.UsageStream)
	must(t, err)
	last := s.CachedInfo().State.LastSeq
	check := New(Config{Dir: dir, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	must(t, check.Open(t.Context())) // reads beside the hub
	defer check.Close()
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		h, err := check.Health(t.Context())
		must(t, err)
		if len(h) == 1 && h[0].Watermark == last {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%+v, want %d", h, last)
		}
	}
	t.Logf("%d messages, %d kills, %v", last, kills, time.Since(began))
	for i := range tenants {
		list, _, err := check.Month(t.Context(), tenantNo(i), monthStart(time.Now()))
		must(t, err)
		if list[0].Quantity != int64(perTenant) || list[1].Quantity != 2*int64(perTenant) {
			t.Errorf("tenant %d: %+v, want %d changes and %d calls", i, list, perTenant, 2*perTenant)
		}
	}
}

func tenantNo(i int) id.ID { return id.Derive("tenant", fmt.Sprint(i)) }

// write tells every change in ranges and every call by itself; some twice, some in overlapping pieces.
func write(t *testing.T, js jetstream.JetStream, dice *rand.Rand, tenants int, perTenant uint64) {
	send := func(e usage.Event) {
		if _, err := js.PublishAsync(wire.UsageSubject("eu", e.Tenant), e.Encode(), jetstream.WithStallWait(time.Minute)); err != nil {
			t.Error(err)
		}
	}
	now := time.Now()
	next, calls := make([]uint64, tenants), uint64(0)
	for left := tenants; left > 0; {
		i := dice.IntN(tenants)
		tenant := tenantNo(i)
		if next[i] == perTenant {
			continue
		}
		from := next[i] + 1
		to := min(from+dice.Uint64N(8), perTenant)
		next[i] = to
		if to == perTenant {
			left--
		}
		again := from - min(from-1, dice.Uint64N(6)) // a repetition may begin before what was told last
		send(usage.Event{ID: usage.RangeID(usage.ChangesSeries(tenant), again, to), Source: "edge/eu", Meter: usage.Changes, Tenant: tenant, Time: now, Quantity: int64(to - again + 1)})
		for range to - from + 1 {
			calls++
			e := usage.Event{ID: usage.RangeID(usage.APICalls, calls, calls), Source: "edge/eu", Meter: usage.APICalls, Tenant: tenant, Time: now, Quantity: 2}
			send(e)
			if dice.IntN(50) == 0 {
				send(e)
			}
		}
	}
	select {
	case <-js.PublishAsyncComplete():
	case <-time.After(time.Minute):
		t.Error("the region did not store what was written")
	}
}

// How fast a stream that is full is read; the figure is printed, not judged.
func BenchmarkDrain(b *testing.B) {
	nd := natsd.New(natsd.Config{Name: "eu", Domain: "eu", StoreDir: b.TempDir()})
	must(b, nd.Open(b.Context()))
	defer nd.Close()
	nc, err := nd.Core()
	must(b, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	must(b, err)
	_, err = js.CreateStream(b.Context(), streamConfig)
	must(b, err)
	for i := range uint64(b.N) {
		tenant := tenantNo(int(i % 100))
		e := usage.Event{ID: usage.RangeID(usage.APICalls, i+1, i+1), Source: "edge/eu", Meter: usage.APICalls, Tenant: tenant, Time: time.Now(), Quantity: 1}
		_, err := js.PublishAsync(wire.UsageSubject("eu", tenant), e.Encode(), jetstream.WithStallWait(time.Minute))
		must(b, err)
	}
	<-js.PublishAsyncComplete()
	s := New(Config{Dir: b.TempDir(), NC: nc, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	must(b, s.Open(b.Context()))
	defer s.Close()
	b.ResetTimer()
	s.Follow("eu")
	for {
		h, err := s.Health(b.Context())
		must(b, err)
		if len(h) == 1 && h[0].Watermark == uint64(b.N) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
