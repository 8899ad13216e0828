package replica

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync"

	"holdfast/sync/change"
)

// Shelf is a Mirror in memory.
type Shelf struct {
	mu      sync.Mutex
	waiting map[uint64][]byte
	refused map[uint64]Refusal
}

// NewShelf makes an empty shelf.
func NewShelf() *Shelf {
	return &Shelf{waiting: map[uint64][]byte{}, refused: map[uint64]Refusal{}}
}

func (s *Shelf) Put(_ context.Context, num uint64, tx []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.refused, num)
	s.waiting[num] = bytes.Clone(tx)
	return nil
}

func (s *Shelf) Refuse(_ context.Context, num uint64, x Refusal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.waiting, num)
	s.refused[num] = x
	return nil
}

func (s *Shelf) Delete(_ context.Context, nums ...uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range nums {
		delete(s.waiting, n)
		delete(s.refused, n)
	}
	return nil
}

// Saved is what lies on the shelf, in order of number.
func (s *Shelf) Saved() (v Saved, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, num := range slices.Sorted(maps.Keys(s.waiting)) {
		t, err := change.Decode(s.waiting[num])
		if err != nil {
			return Saved{}, err
		}
		v.Pending = append(v.Pending, t)
	}
	for _, num := range slices.Sorted(maps.Keys(s.refused)) {
		v.Refused = append(v.Refused, s.refused[num])
	}
	return v, nil
}
