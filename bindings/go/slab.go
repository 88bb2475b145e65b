// SPDX-License-Identifier: MIT

package weir

import (
	"sync"
	"sync/atomic"
)

// Slabs give Go objects numbers that C can carry. A number is {generation, index}: a slot that is
// used again has another number, so a record that comes late finds nothing. Looking up takes no
// lock: slots live in chunks that never move.
//
// The highest bits of a call's number are its kind, so that one look at `user` of a record says
// what it speaks of.

const (
	chunkBits = 10
	chunkSize = 1 << chunkBits
)

type slot[T any] struct {
	object     atomic.Pointer[T]
	generation atomic.Uint32
	number     uint32
	next       *slot[T]
}

func (s *slot[T]) id() uint64 { return uint64(s.generation.Load())<<32 | uint64(s.number) }

type slab[T any] struct {
	chunks atomic.Pointer[[]*[chunkSize]slot[T]]
	mu     sync.Mutex
	free   *slot[T]
	used   int
}

// put gives the object a slot. Generations count from 1 and stay below 2^28, so a number is never 0
// and leaves room for a kind.
func (s *slab[T]) put(object *T) *slot[T] {
	s.mu.Lock()
	if s.free == nil {
		s.grow()
	}
	found := s.free
	s.free = found.next
	s.used++
	s.mu.Unlock()
	found.object.Store(object)
	return found
}

func (s *slab[T]) grow() {
	var old []*[chunkSize]slot[T]
	if chunks := s.chunks.Load(); chunks != nil {
		old = *chunks
	}
	chunk := new([chunkSize]slot[T])
	for i := chunkSize - 1; i >= 0; i-- {
		chunk[i].number = uint32(len(old)<<chunkBits + i)
		chunk[i].generation.Store(1)
		chunk[i].next = s.free
		s.free = &chunk[i]
	}
	grown := append(append(make([]*[chunkSize]slot[T], 0, len(old)+1), old...), chunk)
	s.chunks.Store(&grown)
}

func (s *slab[T]) find(id uint64) *slot[T] {
	index := uint32(id)
	chunks := s.chunks.Load()
	if chunks == nil || int(index>>chunkBits) >= len(*chunks) {
		return nil
	}
	found := &(*chunks)[index>>chunkBits][index%chunkSize]
	if found.generation.Load() != uint32(id>>32)&generationMask {
		return nil
	}
	return found
}

const generationMask = 1<<28 - 1

// get is nil if the slot was given back.
func (s *slab[T]) get(id uint64) *T {
	if found := s.find(id); found != nil {
		return found.object.Load()
	}
	return nil
}

// remove gives the slot back; the number is void from here on.
func (s *slab[T]) remove(found *slot[T]) {
	found.object.Store(nil)
	generation := (found.generation.Load() + 1) & generationMask
	found.generation.Store(max(generation, 1))
	s.mu.Lock()
	found.next = s.free
	s.free = found
	s.used--
	s.mu.Unlock()
}

// live is how many slots are taken.
func (s *slab[T]) live() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used
}

// Host values: what C holds by number until its last reference is gone.
type valueSlab struct{ slab[any] }

// The number of a value that C is to hold. That C let others go is seen in the next turn, and
// where nothing runs none is due: so every 256th slot that is taken brings one.
func (c *core) newValue(object any) uint64 {
	found := c.values.put(&object)
	if found.number%256 == 255 {
		c.driver.rouse()
	}
	return found.id()
}

func (s *valueSlab) get(id uint64) any {
	if object := s.slab.get(id); object != nil {
		return *object
	}
	return nil
}

func (s *valueSlab) release(id uint64) {
	if found := s.find(id); found != nil {
		s.remove(found)
	}
}
