// SPDX-License-Identifier: MIT

package weir

// #include "glue.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// Details is what all errors of this package carry, and how a run ended that brought one.
type Details struct {
	// Status is what errors.Is matches.
	Status Status
	// Message says it in a sentence, with names and numbers.
	Message string
	// Domain and Code are the error's own numbers; see WithCode.
	Domain uint32
	Code   int64
	// Attempts is how many were started in the run.
	Attempts int
	// Statuses are those of the last attempts (8 at most), oldest first; 0 is success.
	Statuses []Status
	// Elapsed is how long the run took.
	Elapsed time.Duration
	// RetryAfter is when trying again makes sense, as the peer or the refusing policy says; negative
	// if nobody knows.
	RetryAfter time.Duration
	// Stop says why a retry gave up.
	Stop StopReason
	// Cancel says why a run was told to stop.
	Cancel CancelReason
	// Final: the function said that its failure is (see Final).
	Final bool
	// Rejection is set when a policy's refusal decided, or stopped a retry.
	Rejection *Rejection
	// Err is what caused it: of a FailedError the function's own error, the very same value.
	Err error
}

// Error is the message.
func (d *Details) Error() string { return d.Message }

// Unwrap is the cause.
func (d *Details) Unwrap() error { return d.Err }

// Is matches the status.
func (d *Details) Is(target error) bool {
	status, ok := target.(Status)
	return ok && status == d.Status
}

func (d *Details) details() *Details { return d }

// The typed errors: errors.As tells which it is. All embed Details.
type (
	// An Error has a status that has no type of its own, such as ErrInvalid.
	Error struct{ Details }
	// A FailedError is a function's own error, which Unwrap gives back.
	FailedError struct{ Details }
	// An OpenError: a circuit breaker refused.
	OpenError struct{ Details }
	// A LimitedError: a limiter refused.
	LimitedError struct{ Details }
	// A FullError: a queue, or the runtime's limit of calls in flight, is full.
	FullError struct{ Details }
	// A NoTimeError: what was asked does not fit into the time that is left.
	NoTimeError struct{ Details }
	// A TimeoutError: a timeout or a deadline passed. It is context.DeadlineExceeded, too.
	TimeoutError struct{ Details }
	// A CancelledError: the context or Cancel stopped the run. It is context.Canceled, too, and
	// unwraps to the cause of the context, if that was it.
	CancelledError struct{ Details }
	// A ClosedError: the runtime or the handle was closed.
	ClosedError struct{ Details }
	// A SupersededError: a later call took this one's place.
	SupersededError struct{ Details }
	// An ExhaustedError: no more attempts, and the last brought a value that was judged a failure.
	ExhaustedError struct {
		Details
		// Value is that value.
		Value any
	}
	// An AggregateError: several failed.
	AggregateError struct {
		Details
		// Errors are they, each from the input of the same place in Indexes.
		Errors  []error
		Indexes []int
	}
)

// Unwrap gives them all to errors.Is and errors.As.
func (e *AggregateError) Unwrap() []error { return e.Errors }

// Error lists them.
func (e *AggregateError) Error() string {
	var text strings.Builder
	text.WriteString(e.Message)
	for i, err := range e.Errors {
		separator := "; "
		if i == 0 {
			separator = ": "
		}
		text.WriteString(separator)
		text.WriteString(err.Error())
	}
	return text.String()
}

// Is matches the status and context.DeadlineExceeded.
func (e *TimeoutError) Is(target error) bool {
	return target == context.DeadlineExceeded || e.Details.Is(target)
}

// Timeout is true, as net.Error has it.
func (e *TimeoutError) Timeout() bool { return true }

// Temporary is true.
func (e *TimeoutError) Temporary() bool { return true }

// Is matches the status and context.Canceled.
func (e *CancelledError) Is(target error) bool {
	return target == context.Canceled || e.Details.Is(target)
}

// A PanicError is what a panic in a function becomes: a failure like any other for the policies. If
// it is how the run ends, the call that waits for it panics again, with this as its value.
type PanicError struct {
	// Value is what panic was called with.
	Value any
	// Stack is where.
	Stack []byte
}

// Error has the value and the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v\n\n%s", e.Value, e.Stack) }

// Unwrap is the value, if that is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// ErrGoexit is what a function ends with that called runtime.Goexit (as testing.T's FailNow does).
// It is final. If it is how the run ends, the goroutine that waits for it exits, too.
var ErrGoexit = errors.New("weir: the function called runtime.Goexit")

// AsDetails finds the outermost error of this package in err's tree, and gives its details; nil if
// there is none.
func AsDetails(err error) *Details {
	var found interface{ details() *Details }
	if errors.As(err, &found) {
		return found.details()
	}
	return nil
}

// RetryAfterOf is when trying again makes sense, if err says so.
func RetryAfterOf(err error) (time.Duration, bool) {
	if details := AsDetails(err); details != nil && details.RetryAfter >= 0 {
		return details.RetryAfter, true
	}
	return 0, false
}

// Statuses to types.
func typed(d Details) error {
	switch d.Status {
	case ErrFailed:
		return &FailedError{d}
	case ErrOpen:
		return &OpenError{d}
	case ErrLimited:
		return &LimitedError{d}
	case ErrFull:
		return &FullError{d}
	case ErrNoTime:
		return &NoTimeError{d}
	case ErrTimedOut:
		return &TimeoutError{d}
	case ErrCancelled:
		return &CancelledError{d}
	case ErrClosed:
		return &ClosedError{d}
	case ErrSuperseded:
		return &SupersededError{d}
	}
	return &Error{d}
}

func statusError(status C.weir_status) error {
	if status == C.WEIR_OK {
		return nil
	}
	return typed(Details{Status: Status(status), Message: Status(status).Error(), RetryAfter: -1})
}

// The error of a creating call; takes the reference.
func creationError(status C.weir_status, failure *C.weir_error) error {
	if failure == nil {
		return statusError(status)
	}
	defer C.weir_error_unref(failure)
	message := C.GoString(C.weir_error_message(failure))
	if message == "" {
		message = Status(status).Error()
	} else {
		message = "weir: " + message
	}
	return typed(Details{Status: Status(status), Message: message, RetryAfter: -1})
}

// A C error as a Go error: a function's own is the value that it returned. Borrows.
func (c *core) goError(failure *C.weir_error) error {
	if failure == nil {
		return nil
	}
	if err, ok := c.ownError(failure); ok {
		cause := c.goError(C.weir_error_cause(failure))
		switch {
		case cause == nil:
			return err
		case !same(err, cause):
			return &fallbackError{err, cause}
		}
		// The same error twice: the library says more about it, such as which step it was of.
	}
	d := Details{
		Status:     Status(C.weir_error_status(failure)),
		Message:    C.GoString(C.weir_error_message(failure)),
		Domain:     uint32(C.weir_error_domain(failure)),
		Code:       int64(C.weir_error_code(failure)),
		RetryAfter: -1,
		Err:        c.goError(C.weir_error_cause(failure)),
	}
	return c.withParts(d, failure)
}

// The Go error that a function returned, which C carries as the detail of its error.
func (c *core) ownError(failure *C.weir_error) (error, bool) {
	if C.weir_error_status(failure) != C.WEIR_EFAILED {
		return nil, false
	}
	var item C.weirgo_item
	C.weirgo_look(c.queue, C.weir_error_detail(failure), &item)
	if item.what != C.WEIRGO_HOST {
		return nil, false
	}
	err, ok := c.values.get(uint64(item.host)).(error)
	return err, ok
}

// Whether two errors are one; also of types that cannot be compared.
func same(a, b error) bool {
	return reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.TypeOf(a).Comparable() && a == b
}

// A fallback's function failed, too: its own error, and what it was to stand in for.
type fallbackError struct{ own, inside error }

func (e *fallbackError) Error() string {
	return e.own.Error() + " (in place of: " + e.inside.Error() + ")"
}
func (e *fallbackError) Unwrap() []error { return []error{e.own, e.inside} }

// Adds what the status has besides.
func (c *core) withParts(d Details, failure *C.weir_error) error {
	if d.Message == "" {
		d.Message = d.Status.Error()
	}
	switch d.Status {
	case ErrAggregate:
		return c.aggregate(d, failure)
	case ErrExhausted:
		return &ExhaustedError{Details: d, Value: c.looseValue(C.weir_error_detail(failure))}
	}
	if d.Domain == C.WEIR_DOMAIN_ERRNO && d.Err == nil {
		d.Err = syscall.Errno(d.Code)
	}
	return typed(d)
}

func (c *core) aggregate(d Details, failure *C.weir_error) error {
	e := &AggregateError{Details: d}
	for i := C.size_t(0); i < C.weir_error_count(failure); i++ {
		var index C.size_t
		part := C.weir_error_at(failure, i, &index)
		e.Errors = append(e.Errors, c.goError(part))
		e.Indexes = append(e.Indexes, int(index))
	}
	return e
}

// A Rejection says which policy refused, why, and the numbers behind it.
type Rejection struct {
	Status     Status
	Policy     PolicyKind
	Reason     RejectionReason
	Name       string // the policy's
	RetryAfter time.Duration
	// Limiter: permits asked for, there now, per interval or at once; runs that wait.
	Requested, Available, Limit, Queued int64
	// Breaker: calls judged, of these failed, slow; what opened it and at which number.
	Calls, Failures, SlowCalls uint64
	Threshold                  float64
	Cause                      BreakerReason
	Interval, Waited           time.Duration
	// Remaining is what was left until the deadline.
	Remaining time.Duration
	text      string
}

// String is one sentence: who refused, why, and when to try again.
func (r *Rejection) String() string { return r.text }

func goRejection(r *C.weir_rejection) *Rejection {
	var text [256]C.char
	length := min(int(C.weir_rejection_describe(r, &text[0], 256)), 255)
	return &Rejection{
		Status: Status(r.status), Policy: PolicyKind(r.policy), Reason: RejectionReason(r.reason),
		Name: C.GoString(&r.name[0]), RetryAfter: time.Duration(r.retry_after_ns),
		Requested: int64(r.requested), Available: int64(r.available), Limit: int64(r.limit),
		Queued: int64(r.queued), Calls: uint64(r.calls), Failures: uint64(r.failures),
		SlowCalls: uint64(r.slow_calls), Threshold: float64(r.threshold),
		Cause: BreakerReason(r.cause), Interval: time.Duration(r.interval_ns),
		Waited: time.Duration(r.waited_ns), Remaining: time.Duration(r.remaining_ns),
		text: string(unsafe.Slice((*byte)(unsafe.Pointer(&text[0])), length)),
	}
}

// The error of a refusal at a decide door. By value: what has its address taken here must not move
// the caller's to the heap.
//
//go:noinline
func refusal(status C.weir_status, r C.weir_rejection) error {
	if r.status == 0 {
		return statusError(status)
	}
	rejection := goRejection(&r)
	return typed(Details{
		Status: Status(status), Message: rejection.text, RetryAfter: rejection.RetryAfter,
		Rejection: rejection,
	})
}

// A RejectionReason says why a policy refused.
type RejectionReason uint32

const (
	RejectedNone RejectionReason = C.WEIR_REJECTION_NONE
	RejectedOpen RejectionReason = C.WEIR_REJECTION_OPEN // breaker: open
	// breaker: no trial place is free
	RejectedHalfOpen RejectionReason = C.WEIR_REJECTION_HALF_OPEN
	// breaker: isolated or forced
	RejectedForcedOpen RejectionReason = C.WEIR_REJECTION_FORCED_OPEN
	// breaker: outside the growing share
	RejectedRampUp RejectionReason = C.WEIR_REJECTION_RAMP_UP
	// limiter: no permit in this interval
	RejectedRate RejectionReason = C.WEIR_REJECTION_RATE
	// limiter: all permits are held
	RejectedConcurrency RejectionReason = C.WEIR_REJECTION_CONCURRENCY
	RejectedQueueFull   RejectionReason = C.WEIR_REJECTION_QUEUE_FULL // limiter: no place to wait
	// limiter: waited QueueTimeout
	RejectedQueueTimeout RejectionReason = C.WEIR_REJECTION_QUEUE_TIMEOUT
	RejectedPaused       RejectionReason = C.WEIR_REJECTION_PAUSED // limiter: paused
	// limiter: more than it can ever give
	RejectedWeight RejectionReason = C.WEIR_REJECTION_WEIGHT
	// limiter: MaxKeys keys are live
	RejectedKeys RejectionReason = C.WEIR_REJECTION_KEYS
	// the wait does not fit the deadline
	RejectedNoTime  RejectionReason = C.WEIR_REJECTION_NO_TIME
	RejectedWaiters RejectionReason = C.WEIR_REJECTION_WAITERS // limiter: others wait
	RejectedBudget  RejectionReason = C.WEIR_REJECTION_BUDGET  // budget: no retry is left
)
