// SPDX-License-Identifier: MIT

package weir

// #include <stdlib.h>
// #include "glue.h"
import "C"

import (
	"runtime"
	"time"
	"unsafe"
)

// Superseded is what a call gets that a later one of its batch replaced.
type Superseded uint32

const (
	SupersededDefault Superseded = iota // a debounce cancels, a throttle shares
	SupersededCancel                    // ErrSuperseded, at once
	SupersededShare                     // the outcome of the run that covers its batch
)

// Overlap is what happens when a run is due while the last still goes on.
type Overlap uint32

const (
	OverlapQueue      Overlap = C.WEIR_OVERLAP_QUEUE      // it waits
	OverlapConcurrent Overlap = C.WEIR_OVERLAP_CONCURRENT // both run
	OverlapCancel     Overlap = C.WEIR_OVERLAP_CANCEL     // the last is told to stop
)

// What debounce and throttle have in common.
type paced[I, O any] struct {
	Operation[I, O]
	pacer owner
	calls *pacerCalls
}

// The functions of C for one of the two.
type pacerCalls struct {
	unref         func(unsafe.Pointer)
	cancel, flush func(pacer, key unsafe.Pointer, size C.size_t) C.weir_status
	stats         func(unsafe.Pointer, *C.weir_pacing_stats) C.weir_status
}

var debounceCalls = pacerCalls{
	unref: func(p unsafe.Pointer) { C.weir_debounce_unref((*C.weir_debounce)(p)) },
	cancel: func(p, key unsafe.Pointer, size C.size_t) C.weir_status {
		return C.weir_debounce_cancel((*C.weir_debounce)(p), key, size)
	},
	flush: func(p, key unsafe.Pointer, size C.size_t) C.weir_status {
		return C.weir_debounce_flush((*C.weir_debounce)(p), key, size)
	},
	stats: func(p unsafe.Pointer, s *C.weir_pacing_stats) C.weir_status {
		return C.weir_debounce_get_stats((*C.weir_debounce)(p), s)
	},
}

var throttleCalls = pacerCalls{
	unref: func(p unsafe.Pointer) { C.weir_throttle_unref((*C.weir_throttle)(p)) },
	cancel: func(p, key unsafe.Pointer, size C.size_t) C.weir_status {
		return C.weir_throttle_cancel((*C.weir_throttle)(p), key, size)
	},
	flush: func(p, key unsafe.Pointer, size C.size_t) C.weir_status {
		return C.weir_throttle_flush((*C.weir_throttle)(p), key, size)
	},
	stats: func(p unsafe.Pointer, s *C.weir_pacing_stats) C.weir_status {
		return C.weir_throttle_get_stats((*C.weir_throttle)(p), s)
	},
}

// Takes the references.
func (p *paced[I, O]) pace(operation *Operation[I, O], policy Policy, made *C.weir_operation,
	pacer unsafe.Pointer, calls *pacerCalls) {
	p.decode, p.encode = operation.decode, operation.encode
	p.keeps = []any{operation, policy}
	p.calls = calls
	p.own(operation.rt, made)
	p.pacer.set(operation.rt, pacer, calls.unref)
}

// Close lets go of it; what is pending still runs.
func (p *paced[I, O]) Close() error {
	p.pacer.Close()
	return p.Operation.Close()
}

// An optional key for C.
func optionalKey(key []string) (unsafe.Pointer, C.size_t) {
	if len(key) == 0 {
		return nil, 0
	}
	return keyText(key[0])
}

// Cancel forgets what is pending for a key, or for the calls without one, and tells what runs to
// stop; the next call begins afresh.
func (p *paced[I, O]) Cancel(key ...string) error {
	return p.pacer.with(func(h *handle) error {
		data, size := optionalKey(key)
		return statusError(p.calls.cancel(h.pointer, data, size))
	})
}

// Flush runs now what is pending for a key, or for the calls without one.
func (p *paced[I, O]) Flush(key ...string) error {
	return p.pacer.with(func(h *handle) error {
		data, size := optionalKey(key)
		return statusError(p.calls.flush(h.pointer, data, size))
	})
}

// PacingStats counts; Pending, Running and Keys are how it stands.
type PacingStats struct {
	Calls, Runs, Superseded, Pending, Running, Keys uint64
}

// Stats counts.
func (p *paced[I, O]) Stats() (stats PacingStats, err error) {
	err = p.pacer.with(func(h *handle) error {
		var s C.weir_pacing_stats
		s.size = C.uint32_t(unsafe.Sizeof(s))
		status := p.calls.stats(h.pointer, &s)
		stats = PacingStats{
			uint64(s.calls), uint64(s.runs), uint64(s.superseded), uint64(s.pending), uint64(s.running),
			uint64(s.keys),
		}
		return statusError(status)
	})
	return
}

// DebounceOptions are those of NewDebounce. The zero value of each field is its default.
type DebounceOptions struct {
	// Leading runs at the first call of a burst, too.
	Leading bool
	// NoTrailing does not run after the quiet time; then Leading must be set.
	NoTrailing bool
	Superseded Superseded
	Overlap    Overlap
	// Wait is the quiet time. Default 300 ms; Zero.
	Wait time.Duration
	// MaxWait: under constant calls it runs at least this often. Default Forever.
	MaxWait time.Duration
	// Policy around each run.
	Policy Policy
	Name   string
}

// A Debounce runs its operation once calls have been quiet for a while, with the latest input. It
// is an operation: Run and Start are calls, whose WithKey paces keys apart.
type Debounce[I, O any] struct{ paced[I, O] }

func (d *DebounceOptions) c() C.weir_debounce_options {
	var c C.weir_debounce_options
	C.weir_debounce_options_init(&c, C.size_t(unsafe.Sizeof(c)))
	c.leading = flag(d.Leading)
	c.trailing = flag(!d.NoTrailing)
	setChoice(&c.superseded, uint32(d.Superseded))
	c.overlap = C.uint32_t(d.Overlap)
	setDuration(&c.wait_ms, d.Wait)
	setDuration(&c.max_wait_ms, d.MaxWait)
	if d.Policy != nil {
		c.policy = d.Policy.policy().c()
	}
	c.name = cText(d.Name)
	return c
}

// NewDebounce makes a debounce of an operation.
func NewDebounce[I, O any](operation *Operation[I, O], options DebounceOptions) (*Debounce[I, O],
	error) {
	operation, err := operation.under("debounce", options.Policy)
	if err != nil {
		return nil, err
	}
	c := options.c()
	defer free(c.name)
	defer runtime.KeepAlive(options.Policy)
	h := operation.held()
	defer runtime.KeepAlive(h)
	rt := operation.rt
	var made *C.weir_debounce
	var failure *C.weir_error
	status := C.weir_debounce_new(rt.handle, operation.c(), &c, &made, &failure)
	if status != C.WEIR_OK {
		return nil, creationError(status, failure)
	}
	d := &Debounce[I, O]{}
	d.pace(operation, options.Policy, C.weir_operation_ref(C.weir_debounce_operation(made)),
		unsafe.Pointer(made), &debounceCalls)
	return d, nil
}

// SetOptions changes Wait and MaxWait live; the others must be as they are, Policy and Name empty.
func (d *Debounce[I, O]) SetOptions(options DebounceOptions) error {
	return d.pacer.with(func(h *handle) error {
		c := options.c()
		defer free(c.name)
		var failure *C.weir_error
		status := C.weir_debounce_set_options((*C.weir_debounce)(h.pointer), &c, &failure)
		return creationError(status, failure)
	})
}

// ThrottleOptions are those of NewThrottle. The zero value of each field is its default.
type ThrottleOptions struct {
	// NoLeading does not run at the first call.
	NoLeading bool
	// NoTrailing does not run at the interval's end; one of the two must be left.
	NoTrailing bool
	Superseded Superseded
	Overlap    Overlap
	// Interval between starts. Default 100 ms; Zero.
	Interval time.Duration
	// Policy around each run.
	Policy Policy
	Name   string
}

// A Throttle runs its operation at most once in an interval, however many calls come. It is an
// operation, as a Debounce.
type Throttle[I, O any] struct{ paced[I, O] }

func (o *ThrottleOptions) c() C.weir_throttle_options {
	var c C.weir_throttle_options
	C.weir_throttle_options_init(&c, C.size_t(unsafe.Sizeof(c)))
	c.leading = flag(!o.NoLeading)
	c.trailing = flag(!o.NoTrailing)
	setChoice(&c.superseded, uint32(o.Superseded))
	c.overlap = C.uint32_t(o.Overlap)
	setDuration(&c.interval_ms, o.Interval)
	if o.Policy != nil {
		c.policy = o.Policy.policy().c()
	}
	c.name = cText(o.Name)
	return c
}

// NewThrottle makes a throttle of an operation.
func NewThrottle[I, O any](operation *Operation[I, O], options ThrottleOptions) (*Throttle[I, O],
	error) {
	operation, err := operation.under("throttle", options.Policy)
	if err != nil {
		return nil, err
	}
	c := options.c()
	defer free(c.name)
	defer runtime.KeepAlive(options.Policy)
	h := operation.held()
	defer runtime.KeepAlive(h)
	rt := operation.rt
	var made *C.weir_throttle
	var failure *C.weir_error
	status := C.weir_throttle_new(rt.handle, operation.c(), &c, &made, &failure)
	if status != C.WEIR_OK {
		return nil, creationError(status, failure)
	}
	t := &Throttle[I, O]{}
	t.pace(operation, options.Policy, C.weir_operation_ref(C.weir_throttle_operation(made)),
		unsafe.Pointer(made), &throttleCalls)
	return t, nil
}

// SetOptions changes Interval live; the others must be as they are, Policy and Name empty.
func (t *Throttle[I, O]) SetOptions(options ThrottleOptions) error {
	return t.pacer.with(func(h *handle) error {
		c := options.c()
		defer free(c.name)
		var failure *C.weir_error
		status := C.weir_throttle_set_options((*C.weir_throttle)(h.pointer), &c, &failure)
		return creationError(status, failure)
	})
}
