// Package sim is the world in which replicas and regions must agree: one goroutine, one seed, real replicas, real doors
// (package ingress), real SQLite, and a network, clocks and processes that fail by dice.
//
// Time is simulated. The network drops, doubles, delays and reorders every message; regions are cut from one another; devices
// go offline, roam between regions, and have clocks that are wrong by minutes or by a year; processes die between any two
// commits, which loses everything but the database; devices lose their database and come back from its mirror; logs are
// trimmed, so that devices must start from a snapshot, and beyond what other regions have, so that those must take the rows
// as a whole; regions lose their file and get it again from another; people lose and regain the right to write, and regions
// learn of it at different times.
//
// While it runs, and after everything has healed, Run checks: all replicas are equal; they are what a naive merge of all
// logs gives; nothing that was acknowledged is missing; nothing is logged twice by one region; every edit has exactly one
// terminal fate; cursors never run backwards; a process that died comes back as it was. The same seed runs the same world.
package sim

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"time"

	"holdfast/sync/id"
	"holdfast/sync/work"
)

// Config says how large a world is and how long it runs.
type Config struct {
	Seed    uint64
	Steps   int    // of trouble, before everything heals
	Regions int    // 0: 2
	Devices int    // 0: 4
	Dir     string // for snapshots; a folder of its own
	Log     *slog.Logger
	// Trace, when set, is told every step in words.
	Trace func(line string)
}

// Report is what happened.
type Report struct {
	Steps, Edits, Accepted, Refused, Resent    int
	Entries, Doubled                           int // in all logs; changes that two regions logged
	Crashes, Installs, Losses, Renames, Clamps int
	Adoptions, Rebuilds                        int // of a region, from another one's rows
	Messages, Dropped                          int
	Trace                                      uint64 // fingerprint of everything that happened, in order
}

// World is a simulation under way.
type World struct {
	cfg     Config
	ctx     context.Context
	rnd     *rand.Rand
	now     time.Time
	regions []*region
	devices []*device
	people  []person
	net     []message
	cut     map[[2]int]bool // pairs of regions that do not reach one another
	calm    bool            // the network is reliable, nobody fails
	files   int
	report  Report
	trace   interface {
		Write(b []byte) (int, error)
		Sum64() uint64
	}
	ops *ledger
}

// person is a member, in the hub's eyes.
type person struct {
	id   id.ID
	name string
	role string
}

// message is something on its way. It is delivered once, by calling it.
type message struct {
	what    string
	deliver func() error
}

var tenant = id.Derive("tenant of the simulation")

var names = []string{"ana", "bo", "cy", "di", "ed", "flo", "gus", "hal"}

// New builds a world with its regions and devices. Close it after use.
func New(ctx context.Context, cfg Config) (*World, error) {
	if cfg.Regions == 0 {
		cfg.Regions = 2
	}
	if cfg.Devices == 0 {
		cfg.Devices = 4
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	w := &World{cfg: cfg, ctx: ctx, rnd: rand.New(rand.NewPCG(cfg.Seed, 0x686f6c6466617374)),
		now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), cut: map[[2]int]bool{}, trace: fnv.New64a(), ops: newLedger()}
	// Two devices belong to the first person: the same one in two places.
	for i := range max(2, cfg.Devices-1) {
		role := work.Member
		if i == 0 {
			role = work.Owner
		}
		w.people = append(w.people, person{id.Derive("person", names[i%len(names)]), names[i%len(names)], role})
	}
	for i := range cfg.Regions {
		r, err := w.newRegion(i)
		if err != nil {
			return nil, err
		}
		w.regions = append(w.regions, r)
	}
	for i := range cfg.Devices {
		d, err := w.newDevice(i)
		if err != nil {
			return nil, err
		}
		w.devices = append(w.devices, d)
	}
	return w, nil
}

// Close closes all databases.
func (w *World) Close() {
	for _, r := range w.regions {
		r.db.Close()
	}
	for _, d := range w.devices {
		d.replica.Close()
		d.db.Close()
	}
}

// Run builds a world, lets it run into trouble, heals it and checks it. The error names the seed.
func Run(ctx context.Context, cfg Config) (Report, error) {
	w, err := New(ctx, cfg)
	if err != nil {
		return Report{}, err
	}
	defer w.Close()
	for err == nil && w.report.Steps < cfg.Steps {
		w.report.Steps++
		err = w.step()
	}
	if err == nil {
		err = w.Heal()
	}
	if err == nil {
		err = w.Check()
	}
	w.report.Trace = w.trace.Sum64()
	if err != nil {
		return w.report, fmt.Errorf("seed %d, step %d: %w", cfg.Seed, w.report.Steps, err)
	}
	return w.report, nil
}

func (w *World) say(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	fmt.Fprintln(w.trace, line)
	if w.cfg.Trace != nil {
		w.cfg.Trace(w.now.Format("01-02 15:04:05.000 ") + line)
	}
}

// one in n.
func (w *World) dice(n int) bool { return w.rnd.IntN(n) == 0 }

func pick[T any](w *World, list []T) T { return list[w.rnd.IntN(len(list))] }

// reader is the world's randomness for those who want bytes.
type reader struct{ *rand.Rand }

func (r reader) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return len(b), nil
}

func (w *World) file() string {
	w.files++
	return filepath.Join(w.cfg.Dir, fmt.Sprintf("world-%d-%d.db", w.cfg.Seed, w.files))
}

// send puts a message on the network, where it may be lost or doubled.
func (w *World) send(what string, deliver func() error) {
	w.report.Messages++
	if !w.calm {
		if w.dice(8) {
			w.report.Dropped++
			return
		}
		if w.dice(12) {
			w.net = append(w.net, message{what, deliver})
		}
	}
	w.net = append(w.net, message{what, deliver})
}

// deliver takes one message off the network: usually an old one.
func (w *World) deliver() error {
	if len(w.net) == 0 {
		return nil
	}
	i := 0
	if !w.calm && w.dice(3) {
		i = w.rnd.IntN(len(w.net))
	}
	m := w.net[i]
	w.net = append(w.net[:i:i], w.net[i+1:]...)
	w.say("%s", m.what)
	return m.deliver()
}

// step is one thing that happens.
func (w *World) step() error {
	w.now = w.now.Add(time.Duration(w.rnd.IntN(3000)) * time.Millisecond)
	if w.dice(400) {
		w.now = w.now.Add(time.Duration(w.rnd.IntN(48)) * time.Hour)
	}
	if w.rnd.IntN(10) < 6 {
		return w.deliver()
	}
	d := pick(w, w.devices)
	switch n := w.rnd.IntN(100); {
	case n < 45:
		return d.edit()
	case n < 65:
		return d.push()
	case n < 78:
		return d.pull()
	case n < 90:
		return pick(w, w.regions).fetch()
	case n < 94:
		return d.decide()
	default:
		return w.trouble(d)
	}
}

// trouble is what seldom happens.
func (w *World) trouble(d *device) error {
	switch w.rnd.IntN(10) {
	case 0, 1:
		return d.crash()
	case 2:
		if w.dice(2) {
			return pick(w, w.regions).lose()
		}
		return pick(w, w.regions).crash()
	case 3:
		return d.roam()
	case 4:
		d.toggle()
	case 5:
		w.partition()
	case 6:
		d.setClock()
	case 7:
		return w.promote()
	case 8:
		return pick(w, w.regions).trim()
	case 9:
		if w.dice(3) {
			return d.lose()
		}
		return d.install()
	}
	return nil
}

// partition cuts two regions from one another, or joins them.
func (w *World) partition() {
	a, b := w.rnd.IntN(len(w.regions)), w.rnd.IntN(len(w.regions))
	if a == b {
		return
	}
	k := [2]int{min(a, b), max(a, b)}
	w.cut[k] = !w.cut[k]
	w.say("link %v cut: %v", k, w.cut[k])
}

func (w *World) reach(a, b int) bool { return a == b || !w.cut[[2]int{min(a, b), max(a, b)}] }

// promote changes somebody's role at the hub; regions hear of it one by one.
func (w *World) promote() error {
	i := 1 + w.rnd.IntN(len(w.people)-1)
	p := &w.people[i]
	p.role = pick(w, []string{work.Member, work.Viewer, work.Admin, work.Member})
	w.say("%s becomes %s", p.name, p.role)
	person := *p
	at := w.now
	for _, r := range w.regions {
		w.net = append(w.net, message{"directory → " + r.name, func() error { return r.project(person, at) }})
	}
	return nil
}
