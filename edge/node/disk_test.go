package node_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast/edge/edgetest"
	"holdfast/edge/node"
	"holdfast/sync/change"
	"holdfast/sync/fault"
)

// smallDisk is a folder with a file system of its own, of 96 MB.
func smallDisk(t *testing.T) string {
	t.Helper()
	mount := t.TempDir()
	if err := syscall.Mount("tmpfs", mount, "tmpfs", 0, "size=96m"); err != nil {
		t.Skip("needs the right to mount a small file system:", err)
	}
	t.Cleanup(func() { syscall.Unmount(mount, syscall.MNT_DETACH) })
	return mount
}

// fill uses up the file system of a folder, and gives what makes room again.
func fill(t *testing.T, folder string) (room func()) {
	t.Helper()
	path := filepath.Join(folder, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size >= 1; {
		if _, err := f.Write(bytes.Repeat([]byte{1}, size)); err != nil {
			size /= 2
		}
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// On a full disk reading goes on, what is new is refused as temporary, and when there is room again all goes on by itself,
// also what was accepted just before and is not in the other region yet.
func TestDiskOfAnEdgeIsFull(t *testing.T) {
	t.Parallel()
	mount := smallDisk(t)
	h := edgetest.NewHub(t)
	us := newEdge(t, h, "us")
	eu := newEdgeIn(t, h, "eu", filepath.Join(mount, "eu"))
	ana, bo := h.NewPerson(), h.NewPerson()
	acme := h.NewTenant(ana, bo)
	know(t, h.Revoke(h.NewPerson()), eu, us)
	a, b := eu.connect(ana, acme.ID), us.connect(bo, acme.ID)
	pushMany(t, a, 50)
	pushMany(t, b, 50)
	equal(t, patience, acme.ID, change.Vector{"eu": eu.HeadsForTest(acme.ID)["eu"], "us": us.HeadsForTest(acme.ID)["us"]}, eu, us)

	acked := map[uint64]uint64{} // number → sequence
	for round := range 2 {
		if round == 1 { // the write-ahead log is reused from its beginning, so files have room while streams have none
			if err := eu.CheckpointForTest(acme.ID); err != nil {
				t.Fatal(err)
			}
		}
		room := fill(t, mount)
		accepted := eu.HeadsForTest(acme.ID)["eu"]
		var refused []change.Tx
		for range 400 {
			tx := a.Next("x")
			r, err := a.Push(tx)
			if err != nil {
				if k := fault.KindOf(err); k != fault.Unavailable || !strings.Contains(fault.DetailOf(err), "no room on its disk") {
					t.Fatalf("round %d: on a full disk: got %v, want a sentence that says so", round, err)
				}
				refused = append(refused, tx)
				break
			}
			accepted++
			acked[tx.Num] = r.Fates[0].Seq
		}
		if len(refused) == 0 {
			t.Fatal("the disk was never full")
		}
		pushMany(t, b, 100) // the other region goes on, and this one cannot take it
		if _, last, err := a.Pull(nil); err != nil || last.Head["eu"] != accepted {
			t.Errorf("round %d: reading on a full disk: head %v, want eu at %d (%v)", round, last.Head, accepted, err)
		}
		time.Sleep(3 * time.Second)
		room()
		edgetest.Eventually(t, patience, "what was refused is taken", func() bool { _, err := a.Push(refused...); return err == nil })
		pushMany(t, a, 50)
		want := change.Vector{"eu": eu.HeadsForTest(acme.ID)["eu"], "us": us.HeadsForTest(acme.ID)["us"]}
		equal(t, patience, acme.ID, want, eu, us)
		holds(t, a, a.Replica, acked)
		edgetest.Eventually(t, patience, "all is counted", func() bool { return countedChanges(t, h, "eu", acme.ID) == eu.PushedForTest(acme.ID) })
	}
	eu.restart() // the disk has it, and not only the process
	holds(t, eu.connect(ana, acme.ID), a.Replica, acked)
}

// An edge that is started on a disk with no room, or too little, says so and what to do, or it works as far as there is room;
// when there is, it starts with everything that was acknowledged. So does a new one.
func TestEdgeStartsOnAFullDisk(t *testing.T) {
	t.Parallel()
	mount := smallDisk(t)
	h := edgetest.NewHub(t)
	eu, us := newEdgeIn(t, h, "eu", filepath.Join(mount, "eu")), newEdge(t, h, "us")
	ana := h.NewPerson()
	acme := h.NewTenant(ana)
	know(t, h.Revoke(h.NewPerson()), eu, us)
	a := eu.connect(ana, acme.ID)
	acked := map[uint64]uint64{}
	push := func() {
		t.Helper()
		for range 20 {
			r, err := a.Push(a.Next("x"))
			if err != nil {
				t.Fatal(err)
			}
			acked[a.Num] = r.Fates[0].Seq
		}
	}
	push()
	for _, left := range []int64{0, 16 << 10, 128 << 10, 1 << 20} {
		eu.Close()
		room := fill(t, mount)
		if err := os.Truncate(filepath.Join(mount, "filler"), size(t, filepath.Join(mount, "filler"))-left); err != nil {
			t.Fatal(err)
		}
		for _, folder := range []string{eu.cfg.DataDir, filepath.Join(mount, "fresh")} {
			cfg := eu.cfg
			cfg.DataDir = folder
			n := node.New(cfg)
			err := n.Open(context.Background())
			if err != nil && (fault.KindOf(err) != fault.Full || !strings.Contains(fault.DetailOf(err), "no room on the disk") && !strings.Contains(fault.DetailOf(err), "is full")) {
				t.Errorf("%d bytes free: %v", left, err)
			}
			if left == 0 && err == nil {
				t.Errorf("%s starts without room; what was tested?", folder)
			}
			n.Close()
		}
		room()
		if err := os.RemoveAll(filepath.Join(mount, "fresh")); err != nil {
			t.Fatal(err)
		}
		eu.start()
		device := a.Device
		a = eu.connect(ana, acme.ID)
		a.Device = device
		holds(t, a, a.Replica, acked)
		push()
		equal(t, patience, acme.ID, change.Vector{"eu": eu.HeadsForTest(acme.ID)["eu"]}, eu, us)
	}
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// holds checks that the region has each change that was acknowledged, at its place.
func holds(t *testing.T, b *edgetest.Browser, replica uint64, acked map[uint64]uint64) {
	t.Helper()
	es, _, err := b.Pull(nil)
	if err != nil {
		t.Fatal(err)
	}
	at := map[uint64]uint64{}
	for _, e := range es {
		if e.Tx.Replica() == replica {
			at[e.Tx.Num] = e.Seq
		}
	}
	for num, seq := range acked {
		if at[num] != seq {
			t.Errorf("change %d was acknowledged at %d and is at %d", num, seq, at[num])
		}
	}
}
