package node_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"holdfast/edge/edgetest"
	"holdfast/edge/node"
	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/usage"
	"holdfast/sync/wire"
)

// childEnv makes the test's binary an edge of its own, which can be killed.
const childEnv = "HOLDFAST_EDGE_CHILD"

func TestMain(m *testing.M) {
	if conf := os.Getenv(childEnv); conf != "" {
		os.Exit(child(conf))
	}
	if conf := os.Getenv(loadEnv); conf != "" {
		os.Exit(playLoad(conf))
	}
	os.Exit(m.Run())
}

// place is what a child is told.
type place struct{ DataDir, HubURL string }

func child(conf string) int {
	var at place
	if err := json.Unmarshal([]byte(conf), &at); err != nil {
		fmt.Println("error", err)
		return 1
	}
	n := node.New(node.Config{Region: "eu", DataDir: at.DataDir, HubURL: at.HubURL, LeafSecret: edgetest.Secret, PublicURL: "http://eu.localhost",
		Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err := n.Open(context.Background()); err != nil {
		fmt.Println("error", fault.KindOf(err), fault.DetailOf(err))
		return 1
	}
	fmt.Println("serving", n.WebSocketAddr())
	io.Copy(io.Discard, os.Stdin) //nolint:errcheck // until the parent closes it
	n.Close()
	return 0
}

// process is an edge in a process of its own.
type process struct {
	cmd  *exec.Cmd
	addr string
	in   io.Closer
	end  sync.Once
}

func startProcess(t *testing.T, at place) (*process, error) {
	t.Helper()
	conf, err := json.Marshal(at)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+string(conf))
	if os.Getenv("EDGE_LOG") != "" {
		cmd.Stderr = os.Stderr
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	addr, ok := strings.CutPrefix(strings.TrimSpace(line), "serving ")
	if !ok {
		cmd.Wait() //nolint:errcheck // what it said is what counts
		return nil, fmt.Errorf("%s", line)
	}
	return &process{cmd: cmd, addr: addr, in: in}, nil
}

func (p *process) kill() {
	p.end.Do(func() {
		p.cmd.Process.Kill() //nolint:errcheck // it may have ended
		p.cmd.Wait()         //nolint:errcheck // it was killed
	})
}

func newPlace(t *testing.T, h *edgetest.Hub) place {
	return place{filepath.Join(t.TempDir(), "eu"), "nats-leaf://" + h.Addr()}
}

func TestKilledInTheMiddleOfPushes(t *testing.T) {
	t.Parallel()
	const total, kills = 200, 3
	h := edgetest.NewHub(t)
	us := newEdge(t, h, "us")
	ana := h.NewPerson()
	acme := h.NewTenant(ana)
	know(t, h.Revoke(h.NewPerson()), us)
	at := newPlace(t, h)
	p, err := startProcess(t, at)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { p.kill() }()

	d := edgetest.NewDevice(ana.ID)
	var txs []change.Tx
	for i := range total {
		txs = append(txs, d.Next(fmt.Sprintf("p%d", i)))
	}
	acked := map[uint64]uint64{} // number → sequence
	connect := func() *edgetest.Browser {
		var b *edgetest.Browser
		edgetest.Eventually(t, patience, "the edge lets the member in", func() bool {
			b, err = edgetest.TryConnect(p.addr, ana.Cookie, acme.ID, string(edgetest.NewID()), d)
			return err == nil
		})
		return b
	}
	b := connect()
	for killed := 0; len(acked) < total; {
		if killed < kills && len(acked) >= (killed+1)*total/(kills+1) {
			killed++
			go func(p *process) { p.kill() }(p) // while the next pushes are under way
		}
		n := len(acked)
		r, err := b.Push(txs[n:min(n+3, total)]...)
		for _, f := range r.Fates {
			acked[f.Num] = f.Seq
		}
		if err == nil {
			continue
		}
		if !b.Conn.IsClosed() && fault.KindOf(err) != fault.Other {
			t.Fatal(err)
		}
		b.Conn.Close()
		p.kill()
		if p, err = startProcess(t, at); err != nil {
			t.Fatal(err)
		}
		b = connect()
	}
	es, last, err := b.Pull(nil)
	if err != nil {
		t.Fatal(err)
	}
	found := map[uint64]uint64{}
	for _, e := range es {
		if e.Tx.Num == 0 {
			continue
		}
		if found[e.Tx.Num] != 0 {
			t.Errorf("change %d is in the log twice", e.Tx.Num)
		}
		found[e.Tx.Num] = e.Seq
	}
	for num, seq := range acked {
		if found[num] != seq {
			t.Errorf("change %d was acknowledged at %d and is at %d", num, seq, found[num])
		}
	}
	if len(found) != total {
		t.Errorf("changes in the log: got %d, want %d", len(found), total)
	}
	edgetest.Eventually(t, patience, "the other region has all", func() bool {
		return us.HeadsForTest(acme.ID)["eu"] == last.Head["eu"]
	})
	edgetest.Eventually(t, patience, "all changes are counted once", func() bool {
		return countedChanges(t, h, "eu", acme.ID) == uint64(total)
	})
}

// countedChanges reads a region's usage as the hub does and sums up a workspace's changes, each sequence once.
func countedChanges(t *testing.T, h *edgetest.Hub, region string, w id.ID) uint64 {
	t.Helper()
	seen := map[uint64]bool{}
	for _, e := range usageEvents(t, h, region) {
		series, from, to, ok := usage.ParseRange(e.ID)
		if !ok || series != usage.ChangesSeries(w) {
			continue
		}
		if uint64(e.Quantity) != to-from+1 {
			t.Fatalf("event %s has quantity %d", e.ID, e.Quantity)
		}
		for n := from; n <= to; n++ {
			if seen[n] {
				t.Fatalf("sequence %d is in two events", n)
			}
			seen[n] = true
		}
	}
	return uint64(len(seen))
}

func usageEvents(t *testing.T, h *edgetest.Hub, region string) (out []usage.Event) {
	t.Helper()
	js, err := jetstream.NewWithDomain(h.Conn, region)
	if err != nil {
		t.Fatal(err)
	}
	st, err := js.Stream(t.Context(), wire.UsageStream)
	if err != nil {
		return nil // the link may just be coming up
	}
	for seq := uint64(1); seq <= st.CachedInfo().State.LastSeq; seq++ {
		m, err := st.GetMsg(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		e, err := usage.Decode(m.Data)
		if err != nil {
			t.Fatal(err)
		}
		if m.Subject != wire.UsageSubject(region, e.Tenant) || e.Source != "edge/"+region {
			t.Fatalf("event %s on %s from %s", e.ID, m.Subject, e.Source)
		}
		out = append(out, e)
	}
	return out
}

func TestSecondProcessOnTheSameFolder(t *testing.T) {
	h := edgetest.NewHub(t)
	at := newPlace(t, h)
	p, err := startProcess(t, at)
	if err != nil {
		t.Fatal(err)
	}
	defer p.kill()
	_, err = startProcess(t, at)
	if err == nil || !strings.Contains(err.Error(), "error busy") || !strings.Contains(err.Error(), "in use by another holdfast") {
		t.Errorf("a second edge on the folder: got %v", err)
	}
}

func TestHubRestarts(t *testing.T) {
	t.Parallel()
	w := newTwo(t)
	eu, us, ana, bo, acme := w.eu, w.us, w.ana, w.bo, w.acme
	a, b := eu.connect(ana, acme), us.connect(bo, acme)
	w.Stop()
	pushMany(t, a, 300)
	pushMany(t, b, 300)
	late := eu.connect(bo, acme) // signed-in people come in while the hub is away
	pushMany(t, late, 10)
	time.Sleep(3 * time.Second)
	w.Start()
	began := time.Now()
	want := w.heads()
	equal(t, patience, acme, want, eu, us)
	t.Logf("equal %v after the hub's restart", time.Since(began))
}
