//go:build unix

// Package lockfile keeps two processes off one data folder. The lock is the operating system's: it ends with the process,
// however that ends, so a crash leaves nothing to clean up.
package lockfile

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"holdfast/sync/fault"
)

const (
	name       = "holdfast.lock"
	pidDigits  = 20
	filePerm   = 0o600
	folderPerm = 0o700
)

// Lock is a data folder held by this process.
type Lock struct{ f *os.File }

// Take makes the folder when it is missing and takes it. An error of kind Busy tells that another process has it, Full that
// the disk is full, Denied that this user may not write there.
func Take(folder string) (*Lock, error) {
	const op = "lockfile.Take"
	if err := os.MkdirAll(folder, folderPerm); err != nil {
		return nil, failed(op, folder, err)
	}
	f, err := os.OpenFile(filepath.Join(folder, name), os.O_RDWR|os.O_CREATE, filePerm)
	if err != nil {
		return nil, failed(op, folder, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fault.Errorf(op, fault.Busy, "The data folder %s is in use by another holdfast%s. Stop that one, or choose another folder with --data.", folder, holder(f))
		}
		return nil, failed(op, folder, err)
	}
	// The process's number is for people only, so a full disk does not matter here.
	if err := f.Truncate(0); err == nil {
		f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0) //nolint:errcheck // see above
	}
	return &Lock{f}, nil
}

// Release gives the folder back.
func (l *Lock) Release() error { return l.f.Close() }

func holder(f *os.File) string {
	b := make([]byte, pidDigits)
	n, _ := f.ReadAt(b, 0)
	if pid, err := strconv.Atoi(strings.TrimSpace(string(b[:n]))); err == nil {
		return " (process " + strconv.Itoa(pid) + ")"
	}
	return ""
}

func failed(op, folder string, err error) error {
	switch {
	case errors.Is(err, os.ErrPermission):
		return &fault.Error{Op: op, Kind: fault.Denied, Err: err, Detail: "This user may not write to the data folder " + folder + ". Change its owner, or choose another with --data."}
	case errors.Is(err, syscall.ENOSPC):
		return &fault.Error{Op: op, Kind: fault.Full, Err: err, Detail: "The disk that holds the data folder " + folder + " is full."}
	}
	return fault.E(op, fault.Other, err)
}
