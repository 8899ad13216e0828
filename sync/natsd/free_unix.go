//go:build unix

package natsd

import "syscall"

// Free is the room that is left on the disk of a folder.
func Free(folder string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(folder, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}
