// SPDX-License-Identifier: MIT

package weir

// #include "glue.h"
import "C"

import (
	"runtime"
	"time"
)

// An EventKind is what an event tells of.
type EventKind uint32

const (
	EventStateChange EventKind = C.WEIR_EVENT_STATE_CHANGE // a breaker: From, To, Reason
	EventRetry       EventKind = C.WEIR_EVENT_RETRY        // is about to wait: Count, Delay
	EventRefusal     EventKind = C.WEIR_EVENT_REFUSAL      // of a run: Status, Delay, Reason
	EventEviction    EventKind = C.WEIR_EVENT_EVICTION     // Count entries were given up
	EventHedge       EventKind = C.WEIR_EVENT_HEDGE        // starts copy Count
	EventFallback    EventKind = C.WEIR_EVENT_FALLBACK     // steps in: Status
	EventWaiting     EventKind = C.WEIR_EVENT_WAITING      // for a limiter: Count now wait
	EventGranted     EventKind = C.WEIR_EVENT_GRANTED      // goes on: Count are left, it waited Delay
	EventTimeout     EventKind = C.WEIR_EVENT_TIMEOUT      // a timeout or deadline fired after Delay
	EventGaveUp      EventKind = C.WEIR_EVENT_GAVE_UP      // a retry: Status, Reason, Count tries
	// of a cache ended: Status, Count keys, Delay
	EventLoad     EventKind = C.WEIR_EVENT_LOAD
	EventPaced    EventKind = C.WEIR_EVENT_PACED     // a pacer's run ended: Status, Count calls
	EventHedgeWon EventKind = C.WEIR_EVENT_HEDGE_WON // copy Count
	EventChaos    EventKind = C.WEIR_EVENT_CHAOS     // injected: Reason, Delay
)

// An Event is one decision of a policy. Kinds may be added: ignore those you do not know.
type Event struct {
	// Number counts all there ever were; a gap is what was overwritten before it was read.
	Number uint64
	Kind   EventKind
	// Policy and Name say whose it is; KindNone of runs, caches and log lines.
	Policy PolicyKind
	Name   string
	// At is the runtime's time.
	At     time.Duration
	Status Status
	// Reason is in the policy's own numbers: a BreakerReason, RejectionReason, StopReason, ChaosKind.
	Reason   uint32
	From, To BreakerState
	Count    uint64
	Delay    time.Duration
	// Calls, Failures and SlowCalls of a state change.
	Calls, Failures, SlowCalls uint64
	// Text is a refusal's sentence, or a log line.
	Text string
}

// Events reads what is kept from a cursor on, oldest first, and where to go on: 0 at first. Several
// readers may each have a cursor. ErrNotSupported without RuntimeOptions.RecorderEntries.
func (rt *Runtime) Events(cursor uint64) (events []Event, next uint64, err error) {
	defer runtime.KeepAlive(rt)
	err = rt.core.readEvents(&cursor, func(e Event) { events = append(events, e) })
	return events, cursor, err
}

func (c *core) readEvents(cursor *uint64, tell func(Event)) error {
	at := C.uint64_t(*cursor)
	for {
		var entries [16]C.weir_recorded
		var count C.size_t
		status := C.weir_recorder_read(c.handle, &at, &entries[0], C.sizeof_weir_recorded, 16, &count)
		*cursor = uint64(at)
		if status != C.WEIR_OK || count == 0 {
			return statusError(status)
		}
		for i := range entries[:count] {
			tell(goEvent(&entries[i]))
		}
	}
}

func goEvent(e *C.weir_recorded) Event {
	return Event{
		Number: uint64(e.number), Kind: EventKind(e.kind), Policy: PolicyKind(e.policy),
		Name: C.GoString(&e.name[0]), At: time.Duration(e.at_ns), Status: Status(e.status),
		Reason: uint32(e.reason), From: BreakerState(e.from), To: BreakerState(e.to),
		Count: uint64(e.count), Delay: time.Duration(e.delay_ns), Calls: uint64(e.calls),
		Failures: uint64(e.failures), SlowCalls: uint64(e.slow_calls), Text: C.GoString(&e.text[0]),
	}
}

// Tells a listener of events as they come: a record says that there are some.
// The Runtime keeps the listener, which may know it.
func (rt *Runtime) openEvents(tell func(Event)) error {
	var cursor uint64
	c := rt.core
	rt.told = c.listen(func(*C.weirgo_record) { c.readEvents(&cursor, tell) })
	return statusError(C.weir_recorder_notify(c.handle, c.queue, rt.told.user()))
}
