package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast/edge/edgetest"
	"holdfast/sync/change"
	"holdfast/sync/id"
)

// apart runs `holdfast hub` and `holdfast edge` as two processes, as in production.
func apart(t *testing.T) (hub *process, edge *stack) {
	t.Helper()
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	must(t, os.WriteFile(secret, []byte("a secret of the tests, longer than it needs to be"), 0o600))
	edge = &stack{data: filepath.Join(dir, "eu"), port: freePorts(t, 2), regions: []string{"eu"}}
	leaf := "127.0.0.1:" + strconv.Itoa(edge.port+1)
	hub = &process{t: t, args: []string{"hub", "--data", filepath.Join(dir, "hub"), "--leaf-listen", leaf, "--secret-file", secret,
		"--domain", "localhost", "--origins", edge.url(0)}}
	edge.process.t = t
	edge.args = []string{"edge", "--data", edge.data, "--region", "eu", "--listen", "localhost:" + strconv.Itoa(edge.port), "--url", edge.url(0),
		"--hub", "nats-leaf://" + leaf, "--secret-file", secret, "--metrics-listen="}
	hub.endWithTest()
	edge.endWithTest()
	hub.run()
	edge.up()
	edge.hubKnown()
	return hub, edge
}

// hubKnown waits until the region has its hub.
func (s *stack) hubKnown() {
	s.t.Helper()
	c := s.client()
	within(s.t, "the region reaches the hub", func() bool {
		_, answer, err := c.try(0, "GET", "/healthz", "")
		return err == nil && !strings.Contains(answer, `"hub":"away"`)
	})
}

// calls asks for a workspace's snapshot until it is told to stop, and counts what was sent and what was answered.
func (c *client) calls(tenant id.ID, stop chan struct{}) (sent, answered int64) {
	for {
		select {
		case <-stop:
			return sent, answered
		case <-time.After(5 * time.Millisecond):
		}
		sent++
		if status, _, err := c.try(0, "GET", "/sync/"+string(tenant)+"/snapshot", ""); err == nil && status == 200 {
			answered++
		}
	}
}

// The edge, the hub and both are killed at random moments while changes are pushed and calls are made. Every change that
// was accepted is counted once. A call is never counted twice, never lost when the hub is killed, and never lost once the total has it;
// those that a killed edge had not written down are nobody's.
func TestUsageIsExactWhenEdgeAndHubAreKilled(t *testing.T) {
	const rounds, each = 2, 150
	hub, edge := apart(t)
	ana := edge.client()
	ana.signUp(0, "Ana")
	tenant := ana.workspace(0)
	device := edgetest.NewDevice(ana.person)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	var pushed, sent, had int64
	for round := range rounds {
		for _, victims := range [][]*process{{&edge.process}, {hub}, {&edge.process, hub}} {
			var txs []change.Tx
			for i := range each {
				txs = append(txs, device.Next(fmt.Sprintf("Project %d.%d", round, i)))
			}
			pushed += each
			done, stop := make(chan struct{}), make(chan struct{})
			go func() { defer close(done); ana.push(0, tenant, device, txs) }()
			counted := make(chan [2]int64, 1)
			go func() {
				made, answered := ana.calls(tenant, stop)
				counted <- [2]int64{made, answered}
			}()
			time.Sleep(time.Duration(dice.IntN(500)) * time.Millisecond)
			for _, v := range victims {
				v.stop(syscall.SIGKILL)
			}
			for _, v := range victims {
				v.run()
			}
			<-done
			close(stop)
			calls := <-counted
			sent += calls[0]
			want := had
			if len(victims) == 1 && victims[0] == hub {
				want += calls[1]
			}
			within(t, "all is counted", func() bool {
				sent++
				u, err := ana.tryUsage(0, tenant)
				changes, total := u["changes"], u["api-calls"]
				if had = max(had, total); total > sent || changes > pushed {
					t.Fatalf("counted %d calls of %d, %d changes of %d", total, sent, changes, pushed)
				}
				return err == nil && changes == pushed && total >= want
			})
		}
	}
	ana.counted(0, tenant, pushed)
	t.Logf("%d changes, %d calls made, %d of them counted", pushed, sent, had)
}

// One change is in the total that its owner sees, with nothing after it that would carry it along.
func TestChangeIsSeenInTheTotal(t *testing.T) {
	s := start(t, "local")
	ana := s.client()
	ana.signUp(0, "Ana")
	tenant := ana.workspace(0)
	device := edgetest.NewDevice(ana.person)
	ana.push(0, tenant, device, []change.Tx{device.Next("Website")})
	within(t, "the change is in the total", func() bool { return ana.usage(0, tenant)["changes"] == 1 })
}

// A device offers its changes to two regions that are cut off from each other. Once they have met the workspace pays for each once.
func TestChangesAcceptedByTwoRegionsArePaidOnce(t *testing.T) {
	s := start(t, "eu,us")
	ana := s.client()
	ana.signUp(0, "Ana")
	tenant := ana.workspace(0)
	for region := range 2 {
		d := edgetest.NewDevice(ana.person)
		ana.push(region, tenant, d, []change.Tx{d.Next("First")})
	}
	within(t, "what came before is counted", func() bool { return ana.usage(0, tenant)["changes"] == 2 })
	s.link("cut", "us")
	device := edgetest.NewDevice(ana.person)
	txs := []change.Tx{device.Next("One"), device.Next("Two"), device.Next("Three")}
	for region := range 2 {
		ana.push(region, tenant, device, txs)
	}
	within(t, "the region that is reached has counted", func() bool { return ana.usage(0, tenant)["changes"] == 5 })
	s.link("heal", "us")
	ana.push(1, tenant, device, []change.Tx{device.Next("Four")})
	within(t, "each is counted", func() bool { return ana.usage(0, tenant)["changes"] >= 6 })
	within(t, "each is counted once", func() bool { return ana.usage(0, tenant)["changes"] == 6 })
	ana.counted(0, tenant, 6)
}
