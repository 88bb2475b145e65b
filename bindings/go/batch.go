// SPDX-License-Identifier: MIT

package weir

// #include "glue.h"
import "C"

import (
	"context"
	"errors"
	"runtime"
	"time"
)

// Batches take many permits in one crossing and hand them out one by one: for paths so hot that
// even a crossing into C is too much.

// How an error counts at a decide door.
func classOf(err error) Class {
	var status Status
	switch {
	case err == nil:
		return ClassSuccess
	case errors.As(err, &status) && refuses(status), AsDetails(err) != nil &&
		refuses(AsDetails(err).Status):
		return ClassRefusal
	case errors.Is(err, context.Canceled):
		return ClassAbandon
	}
	return ClassFailure
}

func refuses(status Status) bool {
	switch status {
	case ErrOpen, ErrLimited, ErrFull, ErrNoTime:
		return true
	}
	return false
}

// A BreakerBatch acquires and reports up to so many permits at a time. One goroutine at a time: one
// per worker. While the breaker trips, up to a batch of permits acquired before still passes, and
// failures are reported up to a batch late; Flush reports at once. Close it at the end.
type BreakerBatch struct {
	breaker *Breaker
	permits []C.weir_permit
	left    int
	reports []C.weir_breaker_report_entry
	filled  int
	late    int
}

// Batch makes a batch of up to size permits (at least 1).
func (b *Breaker) Batch(size int) *BreakerBatch {
	size = max(size, 1)
	return &BreakerBatch{
		breaker: b, permits: make([]C.weir_permit, size), reports: make([]C.weir_breaker_report_entry,
			size),
	}
}

// Acquire is Breaker.Acquire.
func (q *BreakerBatch) Acquire() (Permit, error) {
	left := q.left - 1
	if uint(left) >= uint(len(q.permits)) { // none is left
		if err := q.refill(); err != nil {
			return 0, err
		}
		left = q.left - 1
	}
	q.left = left
	return Permit(q.permits[left]), nil
}

func (q *BreakerBatch) refill() error {
	h := q.breaker.held()
	if h == nil {
		return statusError(C.WEIR_ECLOSED)
	}
	defer runtime.KeepAlive(h)
	var granted C.size_t
	var rejection C.weir_rejection
	status := C.weirgo_breaker_acquire_n(h.number(), C.uint32_t(len(q.permits)), &q.permits[0],
		&granted,
		&rejection)
	if status != C.WEIR_OK {
		return refusal(status, rejection)
	}
	q.left = int(granted)
	return nil
}

// Report is Breaker.Report, later: with the batch's last, or with Flush.
func (q *BreakerBatch) Report(permit Permit, class Class, elapsed time.Duration) {
	entry := &q.reports[q.filled] // it is never full here
	entry.permit = C.weir_permit(permit)
	entry.elapsed_ns = C.int64_t(elapsed)
	entry.class_ = C.uint32_t(class)
	if q.filled++; q.filled == len(q.reports) {
		q.flush()
	}
}

// Flush reports what waits. It returns how many reports since the last Flush counted no more
// (ErrStale, ErrExpired).
func (q *BreakerBatch) Flush() (late int) {
	q.flush()
	late, q.late = q.late, 0
	return late
}

func (q *BreakerBatch) flush() {
	if q.filled == 0 {
		return
	}
	if h := q.breaker.held(); h != nil {
		q.late += int(C.weirgo_breaker_report_many(h.number(), &q.reports[0], C.uint32_t(q.filled)))
		runtime.KeepAlive(h)
	}
	q.filled = 0
}

// Close reports what waits, and gives back the permits that nobody took.
func (q *BreakerBatch) Close() {
	q.Flush()
	for ; q.left > 0; q.left-- {
		q.Report(Permit(q.permits[q.left-1]), ClassAbandon, 0)
	}
	q.Flush()
}

// A LimiterBatch takes up to so many permits of a rate at a time. One goroutine at a time. Close it
// at the end, which refunds what was not used.
type LimiterBatch struct {
	limiter *Limiter
	left    int
	size    int
}

// Batch makes a batch of up to size permits (at least 1), of a limiter without keys or a bound of
// concurrency.
func (l *Limiter) Batch(size int) *LimiterBatch {
	return &LimiterBatch{limiter: l, size: max(size, 1)}
}

// Acquire takes one permit; a *LimitedError if there is none.
func (q *LimiterBatch) Acquire() error {
	if q.left == 0 {
		if err := q.refill(); err != nil {
			return err
		}
	}
	q.left--
	return nil
}

func (q *LimiterBatch) refill() error {
	h := q.limiter.held()
	if h == nil {
		return statusError(C.WEIR_ECLOSED)
	}
	defer runtime.KeepAlive(h)
	var granted C.size_t
	var rejection C.weir_rejection
	status := C.weirgo_limiter_acquire_n(h.number(), C.uint32_t(q.size), &granted, &rejection)
	if status != C.WEIR_OK {
		return refusal(status, rejection)
	}
	q.left = int(granted)
	return nil
}

// Close refunds the permits that nobody took.
func (q *LimiterBatch) Close() error {
	left := q.left
	q.left = 0
	if left == 0 {
		return nil
	}
	return q.limiter.Refund(left)
}
