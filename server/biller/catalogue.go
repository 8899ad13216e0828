package biller

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"holdfast/server/catalog"
	"holdfast/server/metering"
	"holdfast/sync/fault"
)

// CatalogText is the file of what is sold now, as it was written, and whether it is the operator's own.
func (s *Service) CatalogText() (text string, own bool, err error) {
	b, err := os.ReadFile(filepath.Join(s.cfg.Dir, CatalogFile))
	switch {
	case err == nil:
		return string(b), true, nil
	case errors.Is(err, os.ErrNotExist):
		return catalogYAML, false, nil
	}
	return "", false, fault.E("biller.CatalogText", fault.Unavailable, err)
}

// PlanCatalog tells what selling by another file would change, and for how many. Its error says what is wrong with the file, or that some of
// it is refused; the list is complete in the second case.
func (s *Service) PlanCatalog(text string) ([]catalog.Change, error) {
	next, err := parseCatalog(text, CatalogFile)
	if err != nil {
		return nil, err
	}
	return s.compareCatalog(next)
}

// compareCatalog compares for everybody, those on test clocks too.
func (s *Service) compareCatalog(next *catalog.Catalog) ([]catalog.Change, error) {
	changes, err := s.engine.CompareCatalog(next)
	for _, t := range s.tests.list() {
		more, e := t.engine.CompareCatalog(testCatalog(next))
		if err == nil {
			err = e
		}
		for i := range min(len(changes), len(more)) { // the same catalogues, so the same changes
			changes[i].Subscribers += more[i].Subscribers
			changes[i].Who = append(changes[i].Who, more[i].Who...)
			changes[i].Refused = changes[i].Refused || more[i].Refused
		}
	}
	return changes, err
}

// ApplyCatalog sells by another file from now on, if nothing in it is refused, and keeps it for the next start. Regions are told what changes
// for workspaces with the next pass.
func (s *Service) ApplyCatalog(_ context.Context, text string) ([]catalog.Change, error) {
	const op = "biller.ApplyCatalog"
	next, err := parseCatalog(text, CatalogFile)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	changes, err := s.compareCatalog(next)
	if err != nil {
		return changes, err
	}
	path := filepath.Join(s.cfg.Dir, CatalogFile)
	if err := writeWhole(path+".new", normal(text)); err != nil {
		return nil, fault.E(op, fault.Full, err)
	}
	if _, err := s.engine.SetCatalog(next); err != nil {
		return changes, errors.Join(err, os.Remove(path+".new"))
	}
	for _, t := range s.tests.list() {
		if _, err := t.engine.SetCatalog(testCatalog(next)); err != nil {
			return changes, err
		}
	}
	s.cfg.Log.Info("the catalogue changed", "changes", len(changes))
	return changes, fault.As(op, fault.Full, os.Rename(path+".new", path))
}

// writeWhole writes a file that is on the disk when it returns.
func writeWhole(path, text string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// normal gives a text that came through a form the line ends of a file.
func normal(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text
}

// parseCatalog reads a catalogue. The first plan is what new workspaces get.
func parseCatalog(text, file string) (*catalog.Catalog, error) {
	const op = "biller.parseCatalog"
	c, err := catalog.Parse(strings.NewReader(normal(text)))
	if err != nil {
		return nil, &fault.Error{Op: op, Kind: fault.Invalid, Detail: file + ": " + fault.DetailOf(err), Err: err}
	}
	if len(c.Plans) == 0 {
		return nil, fault.Errorf(op, fault.Invalid, "%s has no plan; the first one is what new workspaces get", file)
	}
	for _, m := range c.Meters {
		if err := countable(m); err != nil {
			return nil, fault.Errorf(op, fault.Invalid, "%s: %s", file, fault.DetailOf(err))
		}
	}
	return c, nil
}

// countable tells why a meter cannot count what Holdfast counts itself: that comes as totals and as readings, and says its region only.
func countable(m catalog.Meter) error {
	const op = "biller.countable"
	if !metering.Counts(m.Event) {
		return nil
	}
	summed := m.Aggregate == "sum" && m.Value == value
	read := slices.Contains([]string{"latest", "weighted", "max", "min", "average"}, m.Aggregate) && m.Value == value
	switch {
	case metering.Gauge(m.Event) && !read:
		return fault.Errorf(op, fault.Invalid, "meter %s: %s is read now and then; its aggregate is latest, weighted, max, min or average of value", m.ID, m.Event)
	case !metering.Gauge(m.Event) && !summed:
		return fault.Errorf(op, fault.Invalid, "meter %s: %s comes as totals; its aggregate is sum of value", m.ID, m.Event)
	}
	for _, d := range append(slices.Collect(maps.Keys(m.Filter)), m.GroupBy...) {
		if d != region {
			return fault.Errorf(op, fault.Invalid, "meter %s: %s has one dimension, region, and not %s", m.ID, m.Event, d)
		}
	}
	return nil
}
