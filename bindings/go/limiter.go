// SPDX-License-Identifier: MIT

package weir

// #cgo noescape weirgo_limiter_acquire
// #cgo nocallback weirgo_limiter_acquire
// #cgo noescape weirgo_limiter_acquire_key
// #cgo nocallback weirgo_limiter_acquire_key
// #cgo noescape weirgo_limiter_acquire_n
// #cgo nocallback weirgo_limiter_acquire_n
// #cgo noescape weirgo_limiter_release
// #cgo nocallback weirgo_limiter_release
// #cgo noescape weir_limiter_release_key
// #cgo nocallback weir_limiter_release_key
// #include <stdlib.h>
// #include "glue.h"
import "C"

import (
	"math"
	"runtime"
	"time"
	"unsafe"
)

// A LimiterAlgorithm is how a rate is counted.
type LimiterAlgorithm uint32

const (
	// at most Burst + rate × t in any time t
	TokenBucket   LimiterAlgorithm = C.WEIR_LIMITER_TOKEN_BUCKET
	FixedWindow   LimiterAlgorithm = C.WEIR_LIMITER_FIXED_WINDOW   // at most Permits in each window
	SlidingWindow LimiterAlgorithm = C.WEIR_LIMITER_SLIDING_WINDOW // at most Permits in any interval
)

// Adaptive is how a limit of concurrency finds itself.
type Adaptive uint32

const (
	AdaptiveOff      Adaptive = C.WEIR_ADAPTIVE_OFF
	AdaptiveAIMD     Adaptive = C.WEIR_ADAPTIVE_AIMD     // by failures and slow calls
	AdaptiveGradient Adaptive = C.WEIR_ADAPTIVE_GRADIENT // by how latency grows
)

// LimiterOptions are those of NewLimiter. The zero value of each field is its default; nothing set
// limits nothing.
type LimiterOptions struct {
	Algorithm LimiterAlgorithm
	// Permits in each Interval. Default: no rate.
	Permits  int64
	Interval time.Duration
	// Burst is a token bucket's depth. Default: as Permits.
	Burst int64
	// MaxConcurrent hold a permit at once. Default Unlimited.
	MaxConcurrent int64
	// MaxQueue runs wait; the next is refused. Default 1024; Zero, Unlimited.
	MaxQueue int64
	// QueueTimeout is how long a run waits at most. Default Forever; Zero.
	QueueTimeout time.Duration
	// ByPriority: queue by WithPriority, then first in, first out.
	ByPriority bool
	// MaxKeys makes it keyed: each key has the limits by itself. Default: not keyed.
	MaxKeys int64
	// EvictKeys: at MaxKeys the key that is closest to idle gives way, instead of a refusal.
	EvictKeys bool
	// Adaptive moves MaxConcurrent between AdaptiveMin (default 1) and AdaptiveMax (1000).
	Adaptive                 Adaptive
	AdaptiveMin, AdaptiveMax int64
	// AdaptiveLatency: AIMD counts what took longer as overload. Default Off.
	AdaptiveLatency time.Duration
	// AdaptiveBackoff is what AIMD multiplies with; default 0.9.
	AdaptiveBackoff float64
	// AdaptiveTolerance of the gradient; 1 to 10, default 1.5.
	AdaptiveTolerance float64
	// EarlyRelease gives a permit back when its run is told to stop, not when the function returned.
	EarlyRelease bool
	// Failures, if any: only these errors of functions count as failures for Adaptive.
	Failures []ErrorRange
	Name     string
}

// A Limiter bounds how often, how many at once, or both; per key if it is keyed. As a policy it
// lets runs wait; the Acquire functions are its other door, where nobody waits.
type Limiter struct{ policyBase }

func (o *LimiterOptions) c() C.weir_limiter_options {
	var c C.weir_limiter_options
	C.weir_limiter_options_init(&c, C.size_t(unsafe.Sizeof(c)))
	c.algorithm = C.uint32_t(o.Algorithm)
	setNumber(&c.permits, o.Permits)
	setDuration(&c.interval_ms, o.Interval)
	setNumber(&c.burst, o.Burst)
	setNumber(&c.max_concurrent, o.MaxConcurrent)
	setNumber(&c.max_queue, o.MaxQueue)
	setDuration(&c.queue_timeout_ms, o.QueueTimeout)
	c.queue_order = flag(o.ByPriority)
	c.key_overflow = flag(o.EvictKeys)
	setNumber(&c.max_keys, o.MaxKeys)
	c.adaptive = C.uint32_t(o.Adaptive)
	c.early_release = flag(o.EarlyRelease)
	setNumber(&c.adaptive_min, o.AdaptiveMin)
	setNumber(&c.adaptive_max, o.AdaptiveMax)
	setDuration(&c.adaptive_latency_ms, o.AdaptiveLatency)
	setRate(&c.adaptive_backoff, o.AdaptiveBackoff)
	setRate(&c.adaptive_tolerance, o.AdaptiveTolerance)
	c.failures, c.failures_count = cRanges(o.Failures)
	c.name = cText(o.Name)
	return c
}

func (o *LimiterOptions) free(c *C.weir_limiter_options) {
	C.free(unsafe.Pointer(c.failures))
	free(c.name)
}

// NewLimiter makes a limiter.
func NewLimiter(rt *Runtime, options LimiterOptions) (*Limiter, error) {
	if err := rt.given("limiter"); err != nil {
		return nil, err
	}
	c := options.c()
	defer options.free(&c)
	var made *C.weir_limiter
	var failure *C.weir_error
	status := C.weir_limiter_new(rt.handle, &c, &made, &failure)
	return newLimiter(rt, made, status, failure)
}

// NewBulkhead makes a limiter of concurrency alone: so many at once, so many wait (0 or more, or
// Unlimited), the rest is refused.
func NewBulkhead(rt *Runtime, maxConcurrent, queueLimit int64, name string) (*Limiter, error) {
	if err := rt.given("bulkhead"); err != nil {
		return nil, err
	}
	text := cText(name)
	defer free(text)
	var made *C.weir_limiter
	var failure *C.weir_error
	status := C.weir_bulkhead_new(rt.handle, C.int64_t(maxConcurrent), C.int64_t(queueLimit), text,
		&made, &failure)
	return newLimiter(rt, made, status, failure)
}

func newLimiter(rt *Runtime, made *C.weir_limiter, status C.weir_status,
	failure *C.weir_error) (*Limiter, error) {
	if status != C.WEIR_OK {
		return nil, creationError(status, failure)
	}
	l := &Limiter{}
	l.own(rt, unsafe.Pointer(made))
	return l, nil
}

func (l *Limiter) c(h *handle) *C.weir_limiter { return (*C.weir_limiter)(h.pointer) }

// AddLimit adds one rate more (per second and per minute and per day); all are granted, or none. At
// most 8 in all. A burst of 0 is as permits.
func (l *Limiter) AddLimit(algorithm LimiterAlgorithm, permits int64, interval time.Duration,
	burst int64) error {
	if burst == 0 {
		burst = Off
	}
	return l.with(func(h *handle) error {
		var failure *C.weir_error
		status := C.weir_limiter_add_limit(l.c(h), C.uint32_t(algorithm), C.int64_t(permits),
			milliseconds(interval), C.int64_t(burst), &failure)
		return creationError(status, failure)
	})
}

// TryAcquire takes so many permits, or nothing: a *LimitedError says why and when. Give the permit
// back with Release; without a bound of concurrency it is 0, and Release does nothing.
func (l *Limiter) TryAcquire(permits int) (Permit, error) {
	h := l.held()
	if h == nil {
		return 0, statusError(C.WEIR_ECLOSED)
	}
	var permit C.weir_permit
	var rejection C.weir_rejection
	status := C.weirgo_limiter_acquire(h.number(), count32(permits), &permit, &rejection)
	runtime.KeepAlive(h)
	if status != C.WEIR_OK {
		return 0, refusal(status, rejection)
	}
	return Permit(permit), nil
}

// TryAcquireKey is TryAcquire for one key of a keyed limiter.
func (l *Limiter) TryAcquireKey(key string, permits int) (Permit, error) {
	h := l.held()
	if h == nil {
		return 0, statusError(C.WEIR_ECLOSED)
	}
	var permit C.weir_permit
	var rejection C.weir_rejection
	data, size := keyText(key)
	status := C.weirgo_limiter_acquire_key(h.number(), data, size, count32(permits), &permit,
		&rejection)
	runtime.KeepAlive(h)
	if status != C.WEIR_OK {
		return 0, refusal(status, rejection)
	}
	return Permit(permit), nil
}

// Reserve takes permits of the rate in advance and says how long to wait before going ahead. Only
// for one token bucket without keys or a bound of concurrency.
func (l *Limiter) Reserve(permits int) (wait time.Duration, reservation Permit, err error) {
	err = l.with(func(h *handle) error {
		var wait_ns C.int64_t
		var permit C.weir_permit
		status := C.weir_limiter_reserve(l.c(h), count32(permits), &wait_ns, &permit)
		wait, reservation = time.Duration(wait_ns), Permit(permit)
		return statusError(status)
	})
	return
}

// CancelReservation gives back of a reservation what nobody has reserved after.
func (l *Limiter) CancelReservation(permits int, reservation Permit) error {
	return l.with(func(h *handle) error {
		return statusError(C.weir_limiter_cancel_reservation(l.c(h), count32(permits),
			C.weir_permit(reservation)))
	})
}

// Release gives a permit back; exactly once.
func (l *Limiter) Release(permit Permit) error {
	h := l.held()
	if h == nil {
		return statusError(C.WEIR_ECLOSED)
	}
	status := C.weirgo_limiter_release(h.number(), C.weir_permit(permit))
	runtime.KeepAlive(h)
	return statusError(status)
}

// ReleaseWith is Release for adaptive limits: how the call ended and how long it took.
func (l *Limiter) ReleaseWith(permit Permit, class Class, elapsed time.Duration) error {
	return l.with(func(h *handle) error {
		return statusError(C.weir_limiter_release_with(l.c(h), C.weir_permit(permit), C.uint32_t(class),
			C.int64_t(elapsed)))
	})
}

// ReleaseKey is Release for one key of a keyed limiter.
func (l *Limiter) ReleaseKey(key string, permit Permit) error {
	return l.with(func(h *handle) error {
		data, size := keyText(key)
		return statusError(C.weir_limiter_release_key(l.c(h), data, size, C.weir_permit(permit)))
	})
}

// Refund gives permits of the rate back, for work that was not done.
func (l *Limiter) Refund(permits int) error {
	return l.with(func(h *handle) error {
		return statusError(C.weir_limiter_refund(l.c(h), count32(permits)))
	})
}

// Available is how many permits TryAcquire could have now; math.MaxInt64 if nothing limits.
func (l *Limiter) Available() int64 {
	h := l.held()
	if h == nil {
		return math.MaxInt64
	}
	defer runtime.KeepAlive(h)
	return int64(C.weir_limiter_available(l.c(h)))
}

// Drain takes all that each rate has now, such as after a 429.
func (l *Limiter) Drain() (drained int64, err error) {
	err = l.with(func(h *handle) error {
		return statusError(C.weir_limiter_drain(l.c(h), (*C.int64_t)(unsafe.Pointer(&drained))))
	})
	return
}

// Pause lets nothing pass until Resume; runs wait.
func (l *Limiter) Pause() error {
	return l.with(func(h *handle) error { return statusError(C.weir_limiter_pause(l.c(h))) })
}

// Resume undoes Pause.
func (l *Limiter) Resume() error {
	return l.with(func(h *handle) error { return statusError(C.weir_limiter_resume(l.c(h))) })
}

// SetOptions changes every number live. Algorithm, ByPriority, MaxKeys, Adaptive and whether there
// is a rate must stay; Failures and Name must be empty. A bad set changes nothing.
func (l *Limiter) SetOptions(options LimiterOptions) error {
	return l.with(func(h *handle) error {
		c := options.c()
		defer options.free(&c)
		var failure *C.weir_error
		status := C.weir_limiter_set_options(l.c(h), &c, &failure)
		return creationError(status, failure)
	})
}

// LimiterStats is what a limiter has counted, and how it stands. Limit is -1 if concurrency has
// none.
type LimiterStats struct {
	Paused                                   bool
	Available, Concurrent, Limit             int64
	Queued, Granted, Refused, TimedOut, Keys uint64
}

// Stats counts.
func (l *Limiter) Stats() (stats LimiterStats, err error) {
	err = l.with(func(h *handle) error {
		var s C.weir_limiter_stats
		s.size = C.uint32_t(unsafe.Sizeof(s))
		status := C.weir_limiter_get_stats(l.c(h), &s)
		stats = LimiterStats{
			Paused: s.paused != 0, Available: int64(s.available), Concurrent: int64(s.concurrent),
			Limit: int64(s.limit), Queued: uint64(s.queued), Granted: uint64(s.granted),
			Refused: uint64(s.refused), TimedOut: uint64(s.timed_out), Keys: uint64(s.keys),
		}
		return statusError(status)
	})
	return
}
