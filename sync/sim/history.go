package sim

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/work"
)

// History runs a story told as text in a calm world of two regions, eu and us, where nothing happens by itself:
//
//	ana: create T1 | bo: rename T1 to Red fence | sync | bo sees T1 title = Red fence | all equal
//
// Steps are separated by "|" or ends of lines; what follows "#" is a remark. People are ana (owner), bo and cy (members), and
// ana2, a second device of ana's; all are in eu with right clocks. Names of projects, tasks and labels are made up; every
// task is in the project P, which exists. An error names the step that failed.
func History(ctx context.Context, dir, text string) error {
	w, err := New(ctx, Config{Seed: 1, Regions: 2, Devices: 4, Dir: dir})
	if err != nil {
		return err
	}
	defer w.Close()
	w.calm = true
	s := story{w, map[string]*device{}}
	for i, d := range w.devices {
		name := w.people[d.person].name
		if i >= len(w.people) {
			name += "2"
		}
		s.devices[name], d.at = d, w.regions[0]
	}
	for _, r := range w.regions {
		r.skew = 0
	}
	steps := []string{"sync", "ana: project P", "sync"}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		steps = append(steps, strings.Split(line, "|")...)
	}
	for i, step := range steps {
		if step = strings.TrimSpace(step); step == "" {
			continue
		}
		w.now = w.now.Add(time.Second)
		if err := s.step(step); err != nil {
			return fmt.Errorf("step %d, %q: %w", i-2, step, err)
		}
	}
	return nil
}

type story struct {
	w       *World
	devices map[string]*device
}

func (s *story) step(step string) error {
	if who, what, ok := strings.Cut(step, ":"); ok {
		d := s.devices[who]
		if d == nil {
			return fmt.Errorf("who is %q?", who)
		}
		return s.act(d, strings.Fields(what))
	}
	f := strings.Fields(step)
	if len(f) > 2 && s.devices[f[0]] != nil {
		return s.expect(s.devices[f[0]], f[1], f[2:])
	}
	switch f[0] {
	case "sync":
		return s.sync()
	case "cut", "join":
		a, b := slices.Index(regionNames, f[1]), slices.Index(regionNames, f[2])
		s.w.cut[[2]int{min(a, b), max(a, b)}] = f[0] == "cut"
	case "later":
		d, err := time.ParseDuration(f[1])
		s.w.now = s.w.now.Add(d)
		return err
	case "role":
		return s.role(f[1], f[2])
	case "all":
		return s.equal()
	default:
		return fmt.Errorf("what is %q?", f[0])
	}
	return nil
}

// sync lets everybody who can reach somebody catch up.
func (s *story) sync() error {
	for range 8 {
		for _, r := range s.w.regions {
			for _, origin := range s.w.regions {
				r.fetchFrom(origin, origin)
			}
		}
		for _, d := range s.w.devices {
			if err := d.push(); err != nil {
				return err
			}
			if err := d.pull(); err != nil {
				return err
			}
		}
		if err := s.w.drain(); err != nil {
			return err
		}
		s.w.now = s.w.now.Add(100 * time.Millisecond)
	}
	return nil
}

// role changes a person's role in all regions at once.
func (s *story) role(name, role string) error {
	for i := range s.w.people {
		if p := &s.w.people[i]; p.name == name {
			p.role = role
			for _, r := range s.w.regions {
				if err := r.project(*p, s.w.now); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func thing(name string) id.ID { return id.Derive("thing", name) }

// act does what a device's person does. The first word says what, the second to which thing, the rest with what.
func (s *story) act(d *device, f []string) error {
	verb, name, rest := f[0], "", ""
	if len(f) > 1 {
		name = f[1]
	}
	if len(f) > 2 {
		rest = strings.TrimPrefix(strings.TrimPrefix(strings.Join(f[2:], " "), "to "), "as ")
	}
	switch verb {
	case "offline", "online":
		d.online = verb == "online"
		d.session++
	case "at":
		d.at = s.w.regions[slices.Index(regionNames, name)]
		d.session++
	case "clock":
		off, err := time.ParseDuration(name)
		d.skew = off
		return err
	case "dies":
		return d.crash()
	case "loses":
		return d.lose()
	case "snapshot":
		return d.install()
	case "push":
		return d.push()
	case "retry", "discard":
		items, err := d.attention()
		if err != nil || len(items) == 0 {
			return fmt.Errorf("nothing was refused: %w", err)
		}
		if verb == "discard" {
			return d.replica.Discard(s.w.ctx, items[0].Num)
		}
		return d.retry(items[0].Num)
	default:
		e, err := s.edit(d, verb, thing(name), name, rest)
		if err != nil {
			return err
		}
		return d.do(e)
	}
	return nil
}

func (s *story) edit(d *device, verb string, row id.ID, name, rest string) (port.Edit, error) {
	me := s.w.people[d.person].id
	switch verb {
	case "project":
		return work.NewProject(row, name, "green", "a0V"), nil
	case "create":
		return work.NewTask(work.TaskDraft{ID: row, Project: thing("P"), Title: name, Status: work.Todo, Rank: "a0V", Author: me}), nil
	case "rename":
		return work.RenameTask(row, rest), nil
	case "describe":
		return work.DescribeTask(row, rest), nil
	case "status":
		return work.SetStatus(row, rest), nil
	case "make-label":
		return work.NewLabel(row, name, "red"), nil
	case "label", "unlabel":
		return work.LabelTask(row, thing(rest), verb == "label"), nil
	case "comment":
		return work.NewComment(thing(rest), row, me, rest), nil
	case "edit-comment":
		return work.EditComment(row, rest), nil
	case "trash":
		return work.TrashTask(row, s.w.now.UnixMilli()), nil
	case "restore":
		return work.RestoreTask(row), nil
	}
	return port.Edit{}, fmt.Errorf("what is %q?", verb)
}

// expect holds what a device's person sees against the story.
func (s *story) expect(d *device, verb string, f []string) error {
	want := strings.Join(f, " ")
	c := d.replica.Counts()
	got := ""
	switch verb {
	case "waits":
		got = strconv.Itoa(c.Waiting)
	case "refused":
		got = strconv.Itoa(c.Attention)
	case "cannot": // rename T1 to X: the device itself refuses
		if err := s.act(d, f); fault.KindOf(err) != fault.Denied && fault.KindOf(err) != fault.NotFound {
			return fmt.Errorf("it was not refused: %v", err)
		}
		return nil
	case "sees":
		var seen string
		var err error
		seen, want, _ = strings.Cut(want, " = ")
		if got, err = s.see(d, strings.Fields(seen)); err != nil {
			return err
		}
	default:
		return fmt.Errorf("what is %q?", verb)
	}
	if got != want {
		return fmt.Errorf("it is %q", got)
	}
	return nil
}

func (s *story) see(d *device, f []string) (string, error) {
	t, err := ask[port.DetailResult](d, port.Query{Kind: port.Detail, Task: thing(f[0])})
	if err != nil {
		return "", err
	}
	if !t.Found {
		return "nothing", nil
	}
	var list []string
	switch f[1] {
	case "title":
		return t.Task.Title, nil
	case "status":
		return t.Task.Status, nil
	case "description":
		return t.Description, nil
	case "trashed":
		return strconv.FormatBool(t.Task.Deleted > 0), nil
	case "labels":
		return strconv.Itoa(len(t.Task.Labels)), nil
	case "mark":
		return []string{"everywhere", "region", "device", "refused"}[t.Task.Mark], nil
	case "comments":
		for _, c := range t.Comments {
			list = append(list, c.Body)
		}
	case "lost", "past":
		for _, h := range t.History {
			if h.Lost || (f[1] == "past" && h.Col == "title") {
				list = append(list, h.Value.Text)
			}
		}
	default:
		return "", fmt.Errorf("what is %q of a task?", f[1])
	}
	return strings.Join(list, ", "), nil
}

// equal wants everything healed and all replicas the same.
func (s *story) equal() error {
	if !s.w.agreed() {
		return fmt.Errorf("not all have everything:%s", s.w.status())
	}
	m := newModel()
	for _, r := range s.w.regions {
		for _, e := range s.w.ops.log[r.name] {
			m.add(e.Tx)
		}
	}
	for _, d := range s.w.devices {
		if err := m.compare(s.w, d.db); err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
	}
	return nil
}
