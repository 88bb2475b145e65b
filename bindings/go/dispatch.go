// SPDX-License-Identifier: MIT

package weir

// #cgo noescape weirgo_give_back
// #cgo nocallback weirgo_give_back
// #cgo noescape weirgo_drain
// #cgo nocallback weirgo_drain
// #include "glue.h"
import "C"

import "unsafe"

// The records of a runtime are dispatched by the one goroutine that runs it, the driver's or the
// virtual clock's, which holds no lock meanwhile: START begins a goroutine, SETTLED wakes who waits,
// RELEASED frees a slot.

// The kinds of what `user` of a record names; its highest four bits.
const (
	userCall     uint64 = 1 << 60
	userFunction uint64 = 2 << 60
	userListener uint64 = 3 << 60
	userKind     uint64 = 15 << 60
)

const batchSize = 256

// What one batch needs; the drain's own.
type records struct {
	got    [batchSize]C.weirgo_record
	calls  [batchSize]C.uintptr_t // to give back; numbers, which cgo need not check
	nCalls C.uint32_t
}

// Takes one batch of a virtual runtime: how many records.
func (c *core) receive() int {
	var count C.uint32_t
	r := &c.records
	C.weirgo_drain(c.queue, &r.got[0], batchSize, &count)
	for i := range r.got[:count] {
		c.dispatch(&r.got[i])
	}
	C.weirgo_give_back(&r.calls[0], r.nCalls)
	r.nCalls = 0
	return int(count)
}

// True if it was the last.
func (c *core) dispatch(record *C.weirgo_record) bool {
	switch record.kind {
	case C.WEIR_RECORD_START, C.WEIR_RECORD_ASK:
		c.start(record)
	case C.WEIR_RECORD_CANCEL:
		if a := c.attempts.get(uint64(record.object)); a != nil {
			a.stop(CancelReason(record.number))
		}
	case C.WEIR_RECORD_SETTLED:
		if found := c.calls.find(uint64(record.user)); found != nil {
			c.settle(found, record)
		}
	case C.WEIR_RECORD_RELEASED:
		c.values.release(uint64(record.object))
	case C.WEIR_RECORD_EVENT, C.WEIR_RECORD_ITEM, C.WEIR_RECORD_RECORDED:
		c.tell(record)
	case C.WEIR_RECORD_CLOSED:
		return true
	}
	return false
}

// Begins a goroutine for an attempt. A closure's call has not settled yet, so its slot is live.
func (c *core) start(record *C.weirgo_record) {
	a := &attempt{core: c, token: uint64(record.object), number: uint32(record.number)}
	c.attempts.set(a.token, a)
	if c.work != nil {
		a.worker = c.work.begin()
	}
	if uint64(record.user)&userKind == userCall {
		run := c.calls.get(uint64(record.user))
		if run == nil {
			a.refuse()
			return
		}
		run.started++
		a.serial = run.started
		a.parent = run.ctx
		if run.started == 1 && run.launch != nil {
			run.begun = a
			go run.launch()
			return
		}
		go run.body.attempt(a)
		return
	}
	if record.detail != 0 {
		a.input = takeInput(record.detail)
	}
	if known := c.ops.get(uint64(record.user)); known != nil {
		if f := known.Value(); f != nil {
			go (*f).attempt(a)
			return
		}
	}
	a.refuse()
}

// It can no longer be cancelled. Returns whom its settlement unparks.
func (c *call) seal() []*worker {
	c.mu.Lock()
	c.settled = true
	waiters, stop := c.waiters, c.stop
	c.mu.Unlock()
	if stop != nil {
		stop()
	}
	return waiters
}

// Wakes who waits for a call. A plain success needs no look at the call, which goes back with the
// batch; for all else the waiter has it, or, if there may be none, it is looked at here.
func (c *core) settle(found *slot[call], record *C.weirgo_record) {
	run := found.object.Load()
	c.calls.remove(found)
	run.record = *record
	waiters := run.seal()
	if record.channel == C.WEIR_CHANNEL_VALUE && !run.tells {
		r := &c.records
		r.calls[r.nCalls] = C.uintptr_t(uintptr(unsafe.Pointer(run.handle)))
		r.nCalls++
		run.handle = nil
	}
	if run.eager {
		run.take()
	}
	if run.onEnd != nil {
		run.onEnd(run)
	}
	for _, waiter := range waiters {
		waiter.unpark()
	}
	run.wake()
}
