package tenant

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/ingress"
	"holdfast/sync/sqlite"
)

// A damaged file is set aside under a name of its own and stays there. Beside the new one a mark stands until Opened has
// succeeded, so that a workspace that is only half back is served to nobody, also after a restart.
const (
	markSuffix   = ".rebuild" // holds the name of the file that was set aside
	acceptSuffix = ".accept"  // made by the operator: what the other regions have is to be taken for all
	timeFormat   = "20060102T150405.000"
)

var fileSuffixes = []string{"", "-wal", "-shm"}

// setAside moves a damaged file out of the way.
func (s *Store) setAside(path string, cause error) error {
	const op = "tenant.setAside"
	aside := path + ".damaged-" + s.cfg.Now().UTC().Format(timeFormat)
	s.cfg.Log.Error("a workspace's file is damaged; it is set aside and will be made again from the own stream and the other regions",
		"file", path, "kept", aside, "err", cause)
	// The mark comes first: a crash in between must not leave a missing file that looks like a new workspace.
	if err := writeDurably(path+markSuffix, []byte(filepath.Base(aside))); err != nil {
		return fault.E(op, fault.Other, err)
	}
	for _, suffix := range fileSuffixes {
		if err := os.Rename(path+suffix, aside+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fault.E(op, fault.Other, err)
		}
	}
	return fault.As(op, fault.Other, syncFolder(filepath.Dir(path)))
}

// rebuilt ends the making again of a file.
func (s *Store) rebuilt(path string) error {
	for _, suffix := range []string{acceptSuffix, markSuffix} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fault.E("tenant.rebuilt", fault.Other, err)
		}
	}
	return nil
}

func writeDurably(path string, data []byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// readMark gives the name of the file that was set aside; rebuilding is false when there is no mark.
func readMark(path string) (aside string, rebuilding bool, err error) {
	name, err := os.ReadFile(path + markSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fault.E("tenant.readMark", fault.Other, err)
	}
	return filepath.Join(filepath.Dir(path), strings.TrimSpace(filepath.Base(string(name)))), true, nil
}

// Rebuilding tells whether the file is being made again after damage: it may be served only when it has all it had.
func (t *Tenant) Rebuilding() bool { return t.rebuilding }

// LossAccepted tells whether the operator takes what there is for all.
func (t *Tenant) LossAccepted() bool {
	_, err := os.Stat(t.s.Path(t.ID) + acceptSuffix)
	return err == nil
}

// Files are the names of the workspace's file, of the one that was set aside, and of the operator's mark.
func (t *Tenant) Files() (file, aside, accept string) {
	return t.s.Path(t.ID), t.aside, t.s.Path(t.ID) + acceptSuffix
}

// Salvage reads the own log after a sequence out of the file that was set aside, and where it ended (ingress.Salvage).
func (t *Tenant) Salvage(ctx context.Context, after uint64) (head uint64, entries []change.Entry, err error) {
	const op = "tenant.Salvage"
	if t.aside == "" {
		return 0, nil, fault.Errorf(op, fault.NotFound, "no file was set aside")
	}
	db, err := sqlite.Open(ctx, t.aside, sqlite.Options{ReadOnly: true})
	if err != nil {
		return 0, nil, fault.Wrap(op, err)
	}
	defer db.Close()
	head, entries, err = ingress.Salvage(ctx, db, t.s.cfg.Region, after)
	return head, entries, fault.Wrap(op, err)
}

// sick notes that the file turned out to be damaged while it was open; when its last user has left it is set aside.
func (t *Tenant) sick(err error) error {
	if fault.KindOf(err) == fault.Corrupt && err != nil {
		t.damage.CompareAndSwap(nil, &err)
		return fault.E("tenant.sick", fault.Unavailable, err)
	}
	return err
}
