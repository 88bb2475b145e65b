// SPDX-License-Identifier: MIT

package weir

// #cgo noescape weirgo_turn
// #cgo nocallback weirgo_turn
// #cgo nocallback weirgo_cancel
// #include "glue.h"
import "C"

import (
	"errors"
	"os"
	"runtime"
	"sync"
	"time"
	"unsafe"
)

// The engine is run by a goroutine, not by a thread of its own: what wakes it is Go's scheduler,
// which costs a hundredth of what waking a thread does. Each of its turns is one crossing, which
// takes along what has gathered since the last: runs that begin, attempts that completed. Then it
// hands out what came of it, and lets the goroutines that this made ready go first, so that more
// gathers. It runs no user code but the listeners.
//
// It sleeps when there is nothing to do, until the engine's next timer, a goroutine that brings
// work (rouse), or the waker's descriptor, by which all others do.

type driver struct {
	core   *core
	waker  *C.weirgo_waker
	file   *os.File // the waker's descriptor
	handed handedIn // what the turn takes along; the driver's own
	counts C.weirgo_counts

	mu      sync.Mutex
	waiting handedIn // for the next turn
	roused  bool
	asleep  bool
	over    bool // nobody takes anything any more
	timed   bool // the timer is armed, for due
	due     time.Time
	timer   *time.Timer
	wake    chan struct{} // gets one element when it was asleep
}

type handedIn struct {
	runs    []C.weirgo_begin
	ends    []C.weirgo_end
	cancels []uint64 // slots of calls
}

func (h *handedIn) empty() bool { return len(h.runs)+len(h.ends)+len(h.cancels) == 0 }

func (h *handedIn) clear() {
	h.runs, h.ends, h.cancels = h.runs[:0], h.ends[:0], h.cancels[:0]
}

func newDriver(c *core) (*driver, error) {
	d := &driver{core: c, wake: make(chan struct{}, 1), waker: C.weirgo_waker_new()}
	if d.waker == nil {
		return nil, statusError(C.WEIR_ENOTSUP)
	}
	descriptor := C.weirgo_waker_descriptor(d.waker)
	if descriptor == -1 {
		C.weirgo_waker_unref(d.waker)
		return nil, statusError(C.WEIR_ENOTSUP)
	}
	d.file = os.NewFile(uintptr(descriptor), "weir")
	d.timer = time.AfterFunc(time.Hour, d.timeUp)
	d.timer.Stop()
	return d, nil
}

// Of a runtime that came to nothing.
func (d *driver) discard() {
	if d != nil {
		d.file.Close()
		C.weirgo_waker_unref(d.waker)
	}
}

// begin hands in a run; false if nobody would take it.
func (d *driver) begin(policy unsafe.Pointer, deadline C.int64_t, user uint64) bool {
	d.mu.Lock()
	if d.over {
		d.mu.Unlock()
		return false
	}
	d.waiting.runs = append(d.waiting.runs, C.weirgo_begin{
		policy: C.uintptr_t(uintptr(policy)), deadline_ms: deadline, user: C.uint64_t(user),
	})
	d.rouseLocked()
	return true
}

// end hands in a completion; false if nobody would take it.
func (d *driver) end(token uint64, number uint32, class Class) bool {
	d.mu.Lock()
	if d.over {
		d.mu.Unlock()
		return false
	}
	d.waiting.ends = append(d.waiting.ends, C.weirgo_end{
		token: C.uint64_t(token), number: C.uint32_t(number), class_: C.uint32_t(class),
	})
	d.rouseLocked()
	return true
}

// cancel hands in that a call which was handed in is to stop.
func (d *driver) cancel(id uint64) {
	d.mu.Lock()
	d.waiting.cancels = append(d.waiting.cancels, id)
	d.rouseLocked()
}

// rouse has a turn taken soon: after calls of C that brought work. The virtual clock takes its own.
func (d *driver) rouse() {
	if d != nil {
		d.mu.Lock()
		d.rouseLocked()
	}
}

// Unlocks.
func (d *driver) rouseLocked() {
	d.roused = true
	asleep := d.asleep
	d.asleep = false
	d.mu.Unlock()
	if asleep {
		d.wake <- struct{}{}
	}
}

func (d *driver) timeUp() {
	d.mu.Lock()
	d.timed = false
	d.rouseLocked()
}

// Those who are no goroutines rouse by the descriptor.
func (d *driver) listen() {
	var count [8]byte
	for {
		if _, err := d.file.Read(count[:]); errors.Is(err, os.ErrClosed) {
			return
		}
		d.rouse()
	}
}

func (d *driver) drive() {
	go d.listen()
	closed := false
	for {
		d.take()
		closed = d.turn() || closed
		if closed && C.weirgo_ended(d.core.handle) != 0 {
			d.finish()
			return
		}
		d.rest()
	}
}

func (d *driver) take() {
	d.mu.Lock()
	d.roused = false
	d.handed, d.waiting = d.waiting, d.handed
	d.mu.Unlock()
}

// True if the runtime said its last.
func (d *driver) turn() bool {
	c, r, h := d.core, &d.core.records, &d.handed
	d.counts.runs, d.counts.ends = C.uint32_t(len(h.runs)), C.uint32_t(len(h.ends))
	d.counts.calls, d.counts.capacity = r.nCalls, batchSize
	C.weirgo_turn(d.waker, c.handle, c.operation, c.queue, unsafe.SliceData(h.runs),
		unsafe.SliceData(h.ends), &r.calls[0], &r.got[0], &d.counts)
	r.nCalls = 0
	for i := range h.runs {
		c.begun(&h.runs[i])
	}
	closed := false
	for i := range r.got[:d.counts.records] {
		closed = c.dispatch(&r.got[i]) || closed
	}
	for _, id := range h.cancels {
		if run := c.calls.get(id); run != nil {
			C.weirgo_cancel(run.handle)
			d.counts.wait_ns = 0
		}
	}
	h.clear()
	if d.counts.wait_ns != 0 && r.nCalls > 0 {
		C.weirgo_give_back(&r.calls[0], r.nCalls)
		r.nCalls = 0
	}
	return closed
}

// How handing in a run went. Its settlement, if it is in the same batch, is looked at after this.
func (c *core) begun(b *C.weirgo_begin) {
	found := c.calls.find(uint64(b.user))
	run := found.object.Load()
	if b.status == C.WEIR_OK {
		run.handle = (*C.weir_call)(pointerOf(C.uint64_t(b.call)))
		return
	}
	run.failure = creationError(C.weir_status(b.status),
		(*C.weir_error)(pointerOf(C.uint64_t(b.error))))
	c.calls.remove(found)
	run.seal()
	run.wake()
}

// Lets others go first: what they bring is taken along by the next turn.
func (d *driver) rest() {
	if wait := time.Duration(d.counts.wait_ns); wait != 0 && d.fallAsleep(wait) {
		<-d.wake
	}
	runtime.Gosched()
}

func (d *driver) fallAsleep(wait time.Duration) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.roused {
		return false
	}
	d.asleep = true
	if wait < 0 {
		return true
	}
	if due := time.Now().Add(wait); !d.timed || due.Before(d.due) {
		d.timed, d.due = true, due
		d.timer.Reset(wait)
	}
	return true
}

// The runtime is at its end. What was handed in meanwhile learns of that from C.
func (d *driver) finish() {
	d.mu.Lock()
	d.over = true
	d.mu.Unlock()
	d.take()
	d.turn()
	d.timer.Stop()
	d.discard()
	close(d.core.drained)
}
