package gateway

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"holdfast/edge/edgetest"
	"holdfast/edge/node"
	"holdfast/sync/id"
)

// The test binary plays an edge with its gateway when this names the hub.
const edgeHubEnv, edgeDirEnv = "GATEWAY_TEST_HUB", "GATEWAY_TEST_DIR"

func TestMain(m *testing.M) {
	if hub := os.Getenv(edgeHubEnv); hub != "" {
		if err := playEdge(hub, os.Getenv(edgeDirEnv)); err != nil {
			fmt.Println("edge:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func playEdge(hub, dir string) error {
	ctx := context.Background()
	n := node.New(node.Config{Region: "eu", DataDir: dir, HubURL: "nats-leaf://" + hub, LeafSecret: edgetest.Secret, PublicURL: pageURL})
	if err := n.Open(ctx); err != nil {
		return err
	}
	g := New(Config{Listen: "127.0.0.1:0", URL: pageURL, Region: "eu", Node: n, NATSAddr: n.WebSocketAddr(), Assets: testAssets})
	if err := g.Open(ctx); err != nil {
		return err
	}
	fmt.Println(g.Addr(), n.WebSocketAddr())
	for asked := bufio.NewScanner(os.Stdin); asked.Scan(); { // ends when the parent ends
		debug.FreeOSMemory()
		fmt.Println("freed")
	}
	return nil
}

// What an idle page costs an edge: memory of the process for each connection, through the gateway and, to compare,
// straight to the message server; as it is soon after all have connected, and without the garbage of their connecting.
func BenchmarkIdleConnection(b *testing.B) {
	b.Run("gateway", func(b *testing.B) { idle(b, 0) })
	b.Run("direct", func(b *testing.B) { idle(b, 1) })
}

func idle(b *testing.B, which int) {
	const tenants = 40 // a person has 64 connections at most
	conns := min(max(b.N, 200), socketsOfAddressMax)
	hub := edgetest.NewHub(b)
	exe, err := os.Executable()
	must(b, err)
	c := exec.Command(exe)
	c.Env = append(os.Environ(), edgeHubEnv+"="+hub.Addr(), edgeDirEnv+"="+b.TempDir())
	in, err := c.StdinPipe()
	must(b, err)
	out, err := c.StdoutPipe()
	must(b, err)
	must(b, c.Start())
	defer func() { c.Process.Kill(); c.Wait() }()
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	must(b, err)
	addrs := strings.Fields(line)
	if len(addrs) != 2 {
		b.Fatalf("the edge said %q", line)
	}
	w := &world{hub: hub}
	people := make([]edgetest.Person, tenants)
	tenant := make([]id.ID, tenants)
	for i := range tenants {
		people[i] = hub.NewPerson()
		tenant[i] = hub.NewTenant(people[i]).ID
	}
	var open []*nats.Conn
	dial := func(i int) error {
		nc, err := w.connectTo(addrs[which], people[i%tenants], tenant[i%tenants], pageURL)
		if err == nil {
			open = append(open, nc)
		}
		return err
	}
	for i := range tenants {
		edgetest.Eventually(b, 10*time.Second, "connected", func() bool { return dial(i) == nil })
	}
	for i := range 50 { // what is made once is not counted
		must(b, dial(i))
	}
	freed := func() int {
		_, err := fmt.Fprintln(in, "free")
		must(b, err)
		_, err = lines.ReadString('\n')
		must(b, err)
		return residentKB(b, c.Process.Pid)
	}
	time.Sleep(time.Second)
	before := freed()
	for i := range conns {
		must(b, dial(i))
	}
	time.Sleep(2 * time.Second)
	after := residentKB(b, c.Process.Pid)
	b.ReportMetric(float64(after-before)/float64(conns), "KB/connection")
	b.ReportMetric(float64(freed()-before)/float64(conns), "freed-KB/connection")
	for _, nc := range open {
		nc.Close()
	}
}

func residentKB(b *testing.B, pid int) (kb int) {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(b, err)
	for line := range strings.SplitSeq(string(raw), "\n") {
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kb); err == nil {
			return kb
		}
	}
	b.Fatal("no VmRSS")
	return 0
}
