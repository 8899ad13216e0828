package outbox

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"holdfast/server/biller"
	"holdfast/server/billingdb"
	"holdfast/server/hubdb"
	"holdfast/server/mail"
	"holdfast/server/tenancy"
	"holdfast/server/webhook"
)

// The test binary plays the hub's outbox when these are set.
const (
	dirEnv  = "OUTBOX_TEST_DIR"
	smtpEnv = "OUTBOX_TEST_SMTP"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(dirEnv); dir != "" {
		if err := playOutbox(dir, os.Getenv(smtpEnv)); err != nil {
			fmt.Println("outbox:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// playOutbox sends until the process is killed or its input ends.
func playOutbox(dir, addr string) error {
	ctx := context.Background()
	db, err := hubdb.Open(ctx, dir)
	if err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	people := tenancy.New(tenancy.Config{DB: db, Now: time.Now, Rand: rand.Reader, Log: log})
	w := &world{now: time.Now()}
	bill := biller.New(biller.Config{Dir: dir, Tenancy: people, Usage: w, Now: time.Now, Log: log})
	if err := bill.Open(ctx); err != nil {
		return err
	}
	m, err := mail.NewSender(mail.Config{Addr: addr, From: "billing@holdfast.example"})
	if err != nil {
		return err
	}
	s := New(Config{DB: bill.Replies(), Book: bill, Mail: m, Webhooks: webhook.NewSender(false), Now: time.Now, Rand: rand.Reader, Log: log})
	s.Open(ctx)
	fmt.Println("ready")
	bufio.NewScanner(os.Stdin).Scan() // ends when the parent ends
	return nil
}

// The outbox is killed again and again between handing a mail over and noting it: every mail arrives, and those that arrive twice say so
// by their Message-ID.
func TestNT10_KilledBetweenSendAndNote(t *testing.T) {
	const mails = 25
	w := newWorld(t)
	w.address("billing@acme.example")
	for range mails {
		w.tell("account.recovered", true)
	}
	must(t, w.bill.Close())

	p := newPost(t, "127.0.0.1:0")
	seed := mathrand.Uint64()
	t.Logf("seed %d", seed)
	dice := mathrand.New(mathrand.NewPCG(seed, 1))
	var child atomic.Pointer[os.Process]
	kills := 0
	p.mu.Lock()
	p.after = func() {
		if kills < 8 && dice.IntN(3) == 0 {
			kills++
			child.Load().Kill()
		}
	}
	p.mu.Unlock()
	exe, err := os.Executable()
	must(t, err)
	start := func() *exec.Cmd {
		c := exec.Command(exe)
		c.Env = append(os.Environ(), dirEnv+"="+w.dir, smtpEnv+"="+p.addr)
		_, err := c.StdinPipe()
		must(t, err)
		must(t, c.Start())
		child.Store(c.Process)
		return c
	}
	state := func() (sent int) {
		db, err := billingdb.Open(t.Context(), w.dir)
		must(t, err)
		defer db.Close()
		list, err := db.Deliveries(t.Context(), billingdb.MailLane, "", 0, 100)
		must(t, err)
		for _, v := range list {
			if v.State == billingdb.Sent {
				sent++
			}
		}
		return sent
	}
	for state() < mails {
		c := start()
		done := make(chan struct{})
		go func() { c.Wait(); close(done) }()
		for waiting := true; waiting; {
			select {
			case <-done:
				waiting = false
			case <-time.After(20 * time.Millisecond):
				waiting = state() < mails
			}
		}
		c.Process.Kill()
		<-done
	}
	ids := map[string]int{}
	for _, l := range p.all() {
		ids[l.id]++
	}
	if len(ids) != mails || len(p.all()) > mails+kills {
		t.Errorf("%d mails of %d arrived %d times after %d kills", len(ids), mails, len(p.all()), kills)
	}
	t.Logf("%d kills, %d mails arrived %d times", kills, len(ids), len(p.all()))
}
