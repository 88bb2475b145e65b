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

// A Backoff is how the delays of a retry grow.
type Backoff uint32

const (
	BackoffDefault        Backoff = iota // exponential
	BackoffConstant                      // BaseDelay
	BackoffLinear                        // BaseDelay × n
	BackoffExponential                   // BaseDelay × Multiplierⁿ
	BackoffDecorrelated                  // spreads by the delay before
	BackoffDecorrelatedV2                // Polly's, smooth and spread
)

// A Jitter is how delays are spread.
type Jitter uint32

const (
	JitterDefault      Jitter = iota // proportional
	JitterNone                       // not
	JitterFull                       // anywhere from 0 to the delay
	JitterEqual                      // its upper half
	JitterProportional               // up to JitterFactor more
	JitterSymmetric                  // up to JitterFactor more or less
)

// RetryOptions are those of NewRetry. The zero value of each field is its default.
type RetryOptions struct {
	// MaxAttempts counts all tries; at least 1, or Unlimited. Default 3.
	MaxAttempts int64
	Backoff     Backoff
	Jitter      Jitter
	// BaseDelay is before the second try. Default 1 s; Zero.
	BaseDelay time.Duration
	// MaxDelay always holds. Default 30 s.
	MaxDelay time.Duration
	// MinDelay of computed delays. Default 0.
	MinDelay time.Duration
	// Multiplier is 1 to 1000; default 2.
	Multiplier float64
	// JitterFactor is 0 to 1; default 0.3.
	JitterFactor float64
	// RetryRefusals waits for a refusal that says when, and tries again, if that fits the deadline.
	RetryRefusals bool
	// MaxElapsed: no try starts later after the first. Default Forever.
	MaxElapsed time.Duration
	// AttemptTimeout of each try. Default Forever.
	AttemptTimeout time.Duration
	// Budget bounds retries to a share of traffic; of the same runtime.
	Budget *Budget
	// ShouldRetry is asked about each error that a function returns, on its goroutine: false makes
	// it final. Timeouts and refusals do not come from a function, and are not asked about.
	ShouldRetry func(err error) bool
	// Failures, if any: only these errors of functions are failures; the others are ignored.
	Failures []ErrorRange
	// Name in logs, metrics and rejections.
	Name string
}

// A Retry tries again what failed.
type Retry struct{ policyBase }

func (o *RetryOptions) c() C.weir_retry_options {
	var c C.weir_retry_options
	C.weir_retry_options_init(&c, C.size_t(unsafe.Sizeof(c)))
	setNumber(&c.max_attempts, o.MaxAttempts)
	setChoice(&c.backoff, uint32(o.Backoff))
	setChoice(&c.jitter, uint32(o.Jitter))
	setDuration(&c.base_delay_ms, o.BaseDelay)
	setDuration(&c.max_delay_ms, o.MaxDelay)
	setDuration(&c.min_delay_ms, o.MinDelay)
	setRate(&c.multiplier, o.Multiplier)
	setRate(&c.jitter_factor, o.JitterFactor)
	c.retry_refusals = flag(o.RetryRefusals)
	setDuration(&c.max_elapsed_ms, o.MaxElapsed)
	setDuration(&c.attempt_timeout_ms, o.AttemptTimeout)
	if o.Budget != nil {
		c.budget = o.Budget.c()
	}
	c.failures, c.failures_count = cRanges(o.Failures)
	c.name = cText(o.Name)
	return c
}

func (o *RetryOptions) free(c *C.weir_retry_options) {
	C.free(unsafe.Pointer(c.failures))
	free(c.name)
	runtime.KeepAlive(o.Budget)
}

// NewRetry makes a retry policy.
func NewRetry(rt *Runtime, options RetryOptions) (*Retry, error) {
	if err := rt.given("retry"); err != nil {
		return nil, err
	}
	c := options.c()
	defer options.free(&c)
	var made *C.weir_retry
	var failure *C.weir_error
	status := C.weir_retry_new(rt.handle, &c, &made, &failure)
	if status != C.WEIR_OK {
		return nil, creationError(status, failure)
	}
	r := &Retry{}
	r.own(rt, unsafe.Pointer(made))
	r.retryable = options.ShouldRetry
	return r, nil
}

func (r *Retry) c(h *handle) *C.weir_retry { return (*C.weir_retry)(h.pointer) }

// SetOptions changes all options live but Name and ShouldRetry, which must be empty. Runs that have
// entered the policy go on by what they entered with. A bad set changes nothing.
func (r *Retry) SetOptions(options RetryOptions) error {
	if options.ShouldRetry != nil {
		return invalid("retry.ShouldRetry cannot change")
	}
	return r.with(func(h *handle) error {
		c := options.c()
		defer options.free(&c)
		var failure *C.weir_error
		status := C.weir_retry_set_options(r.c(h), &c, &failure)
		return creationError(status, failure)
	})
}

// RetryStats counts.
type RetryStats struct {
	Calls, Retries, SucceededFirst, SucceededLater, GaveUp, RefusedByBudget uint64
}

// Stats counts first attempts, retries, and how calls ended.
func (r *Retry) Stats() (stats RetryStats, err error) {
	err = r.with(func(h *handle) error {
		var s C.weir_retry_stats
		s.size = C.uint32_t(unsafe.Sizeof(s))
		status := C.weir_retry_get_stats(r.c(h), &s)
		stats = RetryStats{
			uint64(s.calls), uint64(s.retries), uint64(s.succeeded_first), uint64(s.succeeded_later),
			uint64(s.gave_up), uint64(s.refused_by_budget),
		}
		return statusError(status)
	})
	return
}

// Calls C with the handle held, or is ErrClosed.
func (o *owner) with(f func(h *handle) error) error {
	h := o.held()
	if h == nil {
		return statusError(C.WEIR_ECLOSED)
	}
	defer runtime.KeepAlive(h)
	return f(h)
}

// A RetryState is one logical call's progress at the decide door, for those who do the trying and
// the sleeping themselves. One goroutine at a time.
type RetryState struct {
	retry *Retry
	state C.weir_retry_state
}

// Begin starts a logical call: its first try begins now.
func (r *Retry) Begin() (*RetryState, error) {
	s := &RetryState{retry: r}
	err := r.with(func(h *handle) error { return statusError(C.weir_retry_begin(r.c(h), &s.state)) })
	return s, err
}

// Next says that a try ended as class, and that its peer asked for a delay (negative: it did not).
// It returns how long to wait before the next, or false and why to stop.
func (s *RetryState) Next(class Class, asked time.Duration) (delay time.Duration,
	reason StopReason, again bool) {
	asking := C.int64_t(-1)
	if asked >= 0 {
		asking = milliseconds(asked)
	}
	var wait C.int64_t
	var stop C.uint32_t
	err := s.retry.with(func(h *handle) error {
		return statusError(C.weir_retry_next(s.retry.c(h), &s.state, C.uint32_t(class), asking, &wait,
			&stop))
	})
	return time.Duration(wait), StopReason(stop), err == nil
}

// BudgetOptions are those of NewBudget. The zero value of each field is its default.
type BudgetOptions struct {
	// Ratio is retries per first attempt; 0 to 1000, default 0.2; ZeroRate.
	Ratio float64
	// MinPerSecond is always allowed; default 1; ZeroRate.
	MinPerSecond float64
	// Window looks back this far. Default 10 s.
	Window time.Duration
	Name   string
}

// A Budget bounds retries and hedges to a share of traffic, so that they do not amplify an outage.
// One may serve many policies.
type Budget struct{ owner }

func (o *BudgetOptions) c() C.weir_budget_options {
	var c C.weir_budget_options
	C.weir_budget_options_init(&c, C.size_t(unsafe.Sizeof(c)))
	setRate(&c.ratio, o.Ratio)
	setRate(&c.min_per_second, o.MinPerSecond)
	setDuration(&c.window_ms, o.Window)
	c.name = cText(o.Name)
	return c
}

// NewBudget makes a budget.
func NewBudget(rt *Runtime, options BudgetOptions) (*Budget, error) {
	if err := rt.given("budget"); err != nil {
		return nil, err
	}
	c := options.c()
	defer free(c.name)
	var made *C.weir_budget
	var failure *C.weir_error
	status := C.weir_budget_new(rt.handle, &c, &made, &failure)
	if status != C.WEIR_OK {
		return nil, creationError(status, failure)
	}
	b := &Budget{}
	b.set(rt, unsafe.Pointer(made), func(p unsafe.Pointer) {
		C.weir_budget_unref((*C.weir_budget)(p))
	})
	return b, nil
}

func (b *Budget) c() *C.weir_budget {
	if h := b.held(); h != nil {
		return (*C.weir_budget)(h.pointer)
	}
	return nil
}

// SetOptions changes Ratio and MinPerSecond live; Window must be as it is, Name empty.
func (b *Budget) SetOptions(options BudgetOptions) error {
	return b.with(func(h *handle) error {
		c := options.c()
		defer free(c.name)
		var failure *C.weir_error
		status := C.weir_budget_set_options((*C.weir_budget)(h.pointer), &c, &failure)
		return creationError(status, failure)
	})
}

// Deposit counts a first attempt, for those who retry by themselves.
func (b *Budget) Deposit() error {
	return b.with(func(h *handle) error {
		return statusError(C.weir_budget_deposit((*C.weir_budget)(h.pointer)))
	})
}

// Withdraw takes one retry; a *LimitedError if there is none left.
func (b *Budget) Withdraw() error {
	return b.with(func(h *handle) error {
		var r C.weir_rejection
		r.size = C.uint32_t(unsafe.Sizeof(r))
		status := C.weir_budget_try_withdraw((*C.weir_budget)(h.pointer), &r)
		if status == C.WEIR_OK {
			return nil
		}
		return refusal(status, r)
	})
}

// Refund gives back a retry that never started.
func (b *Budget) Refund() error {
	return b.with(func(h *handle) error {
		return statusError(C.weir_budget_refund((*C.weir_budget)(h.pointer)))
	})
}

// SetLabel adds a label to the budget's samples in the metrics.
func (b *Budget) SetLabel(key, value string) error {
	return b.with(func(h *handle) error {
		return setLabel(key, value, func(k, v *C.char, e **C.weir_error) C.weir_status {
			return C.weir_budget_set_label((*C.weir_budget)(h.pointer), k, v, e)
		})
	})
}

// BudgetStats is what the window holds; Refused is ever.
type BudgetStats struct {
	Deposits, Withdrawn, Refused uint64
	Available                    int64
}

// Stats counts.
func (b *Budget) Stats() (stats BudgetStats, err error) {
	err = b.with(func(h *handle) error {
		var s C.weir_budget_stats
		s.size = C.uint32_t(unsafe.Sizeof(s))
		status := C.weir_budget_get_stats((*C.weir_budget)(h.pointer), &s)
		stats = BudgetStats{uint64(s.deposits), uint64(s.withdrawn), uint64(s.refused),
			int64(s.available)}
		return statusError(status)
	})
	return
}
