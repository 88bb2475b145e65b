// SPDX-License-Identifier: MIT

package weir

// #cgo noescape weirgo_breaker_acquire
// #cgo nocallback weirgo_breaker_acquire
// #cgo noescape weirgo_breaker_acquire_n
// #cgo nocallback weirgo_breaker_acquire_n
// #cgo noescape weirgo_breaker_report
// #cgo nocallback weirgo_breaker_report
// #cgo noescape weirgo_breaker_report_many
// #cgo nocallback weirgo_breaker_report_many
// #include <stdlib.h>
// #include "glue.h"
import "C"

import (
	"runtime"
	"time"
	"unsafe"
)

// A BreakerState is one of a breaker's states.
type BreakerState uint32

const (
	BreakerClosed       BreakerState = C.WEIR_BREAKER_CLOSED
	BreakerOpen         BreakerState = C.WEIR_BREAKER_OPEN
	BreakerHalfOpen     BreakerState = C.WEIR_BREAKER_HALF_OPEN
	BreakerForcedOpen   BreakerState = C.WEIR_BREAKER_FORCED_OPEN
	BreakerForcedClosed BreakerState = C.WEIR_BREAKER_FORCED_CLOSED // all pass, nothing is judged
	BreakerMetricsOnly  BreakerState = C.WEIR_BREAKER_METRICS_ONLY  // judged, but never opens
)

var breakerStates = [...]string{"closed", "open", "half-open", "forced open", "forced closed",
	"metrics only"}

func (s BreakerState) String() string {
	if int(s) < len(breakerStates) {
		return breakerStates[s]
	}
	return "unknown"
}

// A BreakerMode is what a closed breaker judges by.
type BreakerMode uint32

const (
	BreakerConsecutive BreakerMode = C.WEIR_BREAKER_CONSECUTIVE  // failures in a row
	BreakerCountWindow BreakerMode = C.WEIR_BREAKER_COUNT_WINDOW // of the last WindowSize calls
	BreakerTimeWindow  BreakerMode = C.WEIR_BREAKER_TIME_WINDOW  // of the last Window of time
)

// A BreakerReason says why a breaker changed its state.
type BreakerReason uint32

const (
	BreakerByFailures  BreakerReason = C.WEIR_BREAKER_BY_FAILURES
	BreakerBySlowCalls BreakerReason = C.WEIR_BREAKER_BY_SLOW_CALLS
	BreakerByTime      BreakerReason = C.WEIR_BREAKER_BY_TIME
	BreakerByTrials    BreakerReason = C.WEIR_BREAKER_BY_TRIALS
	BreakerByHand      BreakerReason = C.WEIR_BREAKER_BY_HAND
)

// BreakerOptions are those of NewBreaker. The zero value of each field is its default.
type BreakerOptions struct {
	// Mode is consecutive by default.
	Mode BreakerMode
	// FailureThreshold is how many failures in a row open it; default 5.
	FailureThreshold int
	// WindowSize of a count window; default 100.
	WindowSize int
	// Window of a time window; default 1 min.
	Window time.Duration
	// FailureRate of a window opens it; above 0 to 1, default 0.5.
	FailureRate float64
	// MinCalls before a window is judged; default 10.
	MinCalls int
	// HalfOpenMaxCalls is the trials that a half-open period judges; 1 to 32, default 3.
	HalfOpenMaxCalls int
	// HalfOpenSuccessThreshold closes; default 2.
	HalfOpenSuccessThreshold int
	// HalfOpenFailures reopen; default 1.
	HalfOpenFailures int
	// SlowCall: what took longer is slow. Default Off.
	SlowCall time.Duration
	// SlowCallRate of a window opens it; above 0 to 1, default 1.
	SlowCallRate float64
	// ResetTimeout is how long it stays open; default 1 min; Zero.
	ResetTimeout time.Duration
	// ResetMultiplier lengthens each reopening; 1 to 1000, default 1.
	ResetMultiplier float64
	// MaxResetTimeout bounds that; default 10 min.
	MaxResetTimeout time.Duration
	// TrialTimeout is a trial's lease; default 1 min; Forever.
	TrialTimeout time.Duration
	// RampUp: after closing, the share that passes grows over this time. Default Off.
	RampUp time.Duration
	// Failures, if any: only these errors of functions are failures.
	Failures []ErrorRange
	// OnStateChange is told of each change, in order, on the runtime's goroutine: it must not block.
	OnStateChange func(BreakerChange)
	Name          string
}

// A BreakerChange is a change of a breaker's state.
type BreakerChange struct {
	From, To BreakerState
	Reason   BreakerReason
	// Sequence counts from 1; Missed is how many came too fast to be told before this one.
	Sequence, Missed uint64
}

// A Breaker stops calling what keeps failing. As a policy it judges runs; Acquire and Report are
// its other door, for those who make the call themselves. Both share its state.
type Breaker struct{ policyBase }

func (o *BreakerOptions) c() C.weir_breaker_options {
	var c C.weir_breaker_options
	C.weir_breaker_options_init(&c, C.size_t(unsafe.Sizeof(c)))
	c.mode = C.uint32_t(o.Mode)
	setCount(&c.failure_threshold, o.FailureThreshold)
	setCount(&c.window_size, o.WindowSize)
	setDuration(&c.window_ms, o.Window)
	setRate(&c.failure_rate, o.FailureRate)
	setCount(&c.min_calls, o.MinCalls)
	setCount(&c.half_open_max_calls, o.HalfOpenMaxCalls)
	setCount(&c.half_open_success_threshold, o.HalfOpenSuccessThreshold)
	setCount(&c.half_open_failures, o.HalfOpenFailures)
	setDuration(&c.slow_call_ms, o.SlowCall)
	setRate(&c.slow_call_rate, o.SlowCallRate)
	setDuration(&c.reset_timeout_ms, o.ResetTimeout)
	setRate(&c.reset_multiplier, o.ResetMultiplier)
	setDuration(&c.max_reset_timeout_ms, o.MaxResetTimeout)
	setDuration(&c.trial_timeout_ms, o.TrialTimeout)
	setDuration(&c.ramp_up_ms, o.RampUp)
	c.failures, c.failures_count = cRanges(o.Failures)
	c.name = cText(o.Name)
	return c
}

func (o *BreakerOptions) free(c *C.weir_breaker_options) {
	C.free(unsafe.Pointer(c.failures))
	free(c.name)
}

// NewBreaker makes a breaker, closed.
func NewBreaker(rt *Runtime, options BreakerOptions) (*Breaker, error) {
	if err := rt.given("breaker"); err != nil {
		return nil, err
	}
	c := options.c()
	defer options.free(&c)
	var told *ear
	if options.OnStateChange != nil {
		told = rt.core.listen(tellChange(options.OnStateChange))
		c.queue = rt.queue
		c.user = told.user()
	}
	var made *C.weir_breaker
	var failure *C.weir_error
	status := C.weir_breaker_new(rt.handle, &c, &made, &failure)
	if status != C.WEIR_OK {
		rt.core.unlisten(told)
		return nil, creationError(status, failure)
	}
	b := &Breaker{}
	b.own(rt, unsafe.Pointer(made))
	told.with(rt.core, b.held())
	return b, nil
}

func tellChange(f func(BreakerChange)) listener {
	return func(record *C.weirgo_record) {
		f(BreakerChange{
			From: BreakerState(record.number >> 8), To: BreakerState(record.number & 255),
			Reason: BreakerReason(record.status), Sequence: uint64(record.object),
			Missed: uint64(record.detail),
		})
	}
}

func (b *Breaker) c(h *handle) *C.weir_breaker { return (*C.weir_breaker)(h.pointer) }

// A Permit is what Acquire gives and Report takes back.
type Permit uint64

// Acquire asks to make a call. Nil: make it, and Report the permit. An *OpenError: do not.
func (b *Breaker) Acquire() (Permit, error) {
	h := b.held()
	if h == nil {
		return 0, statusError(C.WEIR_ECLOSED)
	}
	var permit C.weir_permit
	var rejection C.weir_rejection
	status := C.weirgo_breaker_acquire(h.number(), &permit, &rejection)
	runtime.KeepAlive(h)
	if status != C.WEIR_OK {
		return 0, refusal(status, rejection)
	}
	return Permit(permit), nil
}

// Report says how the call ended and how long it took (0 if SlowCall is off). Once for each permit.
// ErrStale and ErrExpired say that the verdict counts no more.
func (b *Breaker) Report(permit Permit, class Class, elapsed time.Duration) error {
	h := b.held()
	if h == nil {
		return statusError(C.WEIR_ECLOSED)
	}
	status := C.weirgo_breaker_report(h.number(), C.weir_permit(permit), C.uint32_t(class),
		C.int64_t(elapsed))
	runtime.KeepAlive(h)
	return statusError(status)
}

// Call makes a call through the decide door on this goroutine: it is not made while the breaker is
// open, and counts as a failure if it returns an error or panics. ErrOpen and its like do not
// count, and neither does context.Canceled.
func (b *Breaker) Call(f func() error) error {
	permit, err := b.Acquire()
	if err != nil {
		return err
	}
	class := ClassFailure
	begun := time.Now()
	defer func() { b.Report(permit, class, time.Since(begun)) }()
	err = f()
	class = classOf(err)
	return err
}

// State is the current one: a breaker whose open time is over is half-open, traffic or not.
func (b *Breaker) State() BreakerState {
	h := b.held()
	if h == nil {
		return BreakerClosed
	}
	defer runtime.KeepAlive(h)
	return BreakerState(C.weir_breaker_state(b.c(h)))
}

// Isolate forces it open until as many Release came.
func (b *Breaker) Isolate() error {
	return b.with(func(h *handle) error { return statusError(C.weir_breaker_isolate(b.c(h))) })
}

// Release undoes one Isolate.
func (b *Breaker) Release() error {
	return b.with(func(h *handle) error { return statusError(C.weir_breaker_release(b.c(h))) })
}

// Force puts it into BreakerForcedOpen, BreakerForcedClosed or BreakerMetricsOnly, or with
// BreakerClosed back to judging by itself.
func (b *Breaker) Force(state BreakerState) error {
	return b.with(func(h *handle) error {
		return statusError(C.weir_breaker_force(b.c(h), C.uint32_t(state)))
	})
}

// Reset makes it closed, its counts as new.
func (b *Breaker) Reset() error {
	return b.with(func(h *handle) error { return statusError(C.weir_breaker_reset(b.c(h))) })
}

// SetOptions changes the options live but OnStateChange, Failures and Name, which must be empty. A
// bad set changes nothing.
func (b *Breaker) SetOptions(options BreakerOptions) error {
	if options.OnStateChange != nil {
		return invalid("breaker.OnStateChange cannot change")
	}
	return b.with(func(h *handle) error {
		c := options.c()
		defer options.free(&c)
		var failure *C.weir_error
		status := C.weir_breaker_set_options(b.c(h), &c, &failure)
		return creationError(status, failure)
	})
}

// BreakerStats is what a breaker has counted: Calls, Failures and SlowCalls in its window, the
// others ever.
type BreakerStats struct {
	State                                             BreakerState
	Calls, Failures, SlowCalls                        uint64
	FailureRate, SlowCallRate                         float64
	Succeeded, Failed, Slow, Ignored, Stale, Rejected uint64
	TimesOpened, MissedEvents                         uint64
	OpenRemaining                                     time.Duration
}

// Stats counts.
func (b *Breaker) Stats() (stats BreakerStats, err error) {
	err = b.with(func(h *handle) error {
		var s C.weir_breaker_stats
		s.size = C.uint32_t(unsafe.Sizeof(s))
		status := C.weir_breaker_get_stats(b.c(h), &s)
		stats = BreakerStats{
			State: BreakerState(s.state), Calls: uint64(s.calls), Failures: uint64(s.failures),
			SlowCalls: uint64(s.slow_calls), FailureRate: float64(s.failure_rate),
			SlowCallRate: float64(s.slow_call_rate), Succeeded: uint64(s.succeeded),
			Failed: uint64(s.failed), Slow: uint64(s.slow), Ignored: uint64(s.ignored),
			Stale: uint64(s.stale), Rejected: uint64(s.rejected), TimesOpened: uint64(s.times_opened),
			MissedEvents: uint64(s.missed_events), OpenRemaining: fromNanoseconds(s.open_remaining_ns),
		}
		return statusError(status)
	})
	return
}

// Snapshot is the state as bytes, portable between processes and machines.
func (b *Breaker) Snapshot() (bytes []byte, err error) {
	err = b.with(func(h *handle) error {
		buffer := make([]byte, C.WEIR_BREAKER_SNAPSHOT_SIZE)
		size := C.size_t(len(buffer))
		status := C.weir_breaker_snapshot(b.c(h), unsafe.Pointer(&buffer[0]), &size)
		bytes = buffer[:size]
		return statusError(status)
	})
	return
}

// Restore takes over the state of a snapshot that was taken so long ago.
func (b *Breaker) Restore(snapshot []byte, elapsed time.Duration) error {
	return b.with(func(h *handle) error {
		data, size := keyPointer(snapshot)
		return statusError(C.weir_breaker_restore(b.c(h), data, size, milliseconds(elapsed)))
	})
}
