// SPDX-License-Identifier: MIT

package weir

// #include <stdlib.h>
// #include "glue.h"
import "C"

import (
	"context"
	"runtime"
	"sync"
	"time"
	"unsafe"
)

// HedgeOptions are those of NewHedge.
type HedgeOptions struct {
	// MaxHedges is how many copies beside the first; 1 to 16, default 1.
	MaxHedges int
	// Delay before a copy; required unless Quantile is set. Zero starts all at once.
	Delay time.Duration
	// Quantile of the measured latency is the delay instead, from 20 samples on: 0.95 hedges one
	// run in twenty.
	Quantile float64
	// Budget bounds copies to a share of traffic; of the same runtime.
	Budget *Budget
	// Failures, if any: only these errors of functions are failures.
	Failures []ErrorRange
	Name     string
}

// A Hedge starts copies of what is slow; the first success wins, and the others' contexts are
// cancelled. Only for what may safely run twice.
type Hedge struct{ policyBase }

func (o *HedgeOptions) c() C.weir_hedge_options {
	var c C.weir_hedge_options
	C.weir_hedge_options_init(&c, C.size_t(unsafe.Sizeof(c)))
	setCount(&c.max_hedges, o.MaxHedges)
	setDuration(&c.delay_ms, o.Delay)
	setRate(&c.quantile, o.Quantile)
	if o.Budget != nil {
		c.budget = o.Budget.c()
	}
	c.failures, c.failures_count = cRanges(o.Failures)
	c.name = cText(o.Name)
	return c
}

func (o *HedgeOptions) free(c *C.weir_hedge_options) {
	C.free(unsafe.Pointer(c.failures))
	free(c.name)
	runtime.KeepAlive(o.Budget)
}

// NewHedge makes a hedge policy.
func NewHedge(rt *Runtime, options HedgeOptions) (*Hedge, error) {
	if err := rt.given("hedge"); err != nil {
		return nil, err
	}
	c := options.c()
	defer options.free(&c)
	var made *C.weir_hedge
	var failure *C.weir_error
	status := C.weir_hedge_new(rt.handle, &c, &made, &failure)
	if status != C.WEIR_OK {
		return nil, creationError(status, failure)
	}
	h := &Hedge{}
	h.own(rt, unsafe.Pointer(made))
	return h, nil
}

// SetOptions changes all options live but Name, which must be empty.
func (h *Hedge) SetOptions(options HedgeOptions) error {
	return h.with(func(held *handle) error {
		c := options.c()
		defer options.free(&c)
		var failure *C.weir_error
		status := C.weir_hedge_set_options((*C.weir_hedge)(held.pointer), &c, &failure)
		return creationError(status, failure)
	})
}

// HedgeStats counts. Delay is what the next run waits (Forever: nothing is started beside it).
type HedgeStats struct {
	Started, Hedged, WonByHedge, RefusedByBudget uint64
	Delay                                        time.Duration
	Samples                                      uint64
}

// Stats counts.
func (h *Hedge) Stats() (stats HedgeStats, err error) {
	err = h.with(func(held *handle) error {
		var s C.weir_hedge_stats
		s.size = C.uint32_t(unsafe.Sizeof(s))
		status := C.weir_hedge_get_stats((*C.weir_hedge)(held.pointer), &s)
		stats = HedgeStats{
			uint64(s.started), uint64(s.hedged), uint64(s.won_by_hedge), uint64(s.refused_by_budget),
			time.Duration(s.delay_ns), uint64(s.samples),
		}
		return statusError(status)
	})
	return
}

// FallbackOptions are those of NewFallback.
type FallbackOptions struct {
	// Failures, if any: it steps in only for these errors of functions, and for refusals.
	Failures []ErrorRange
	Name     string
}

// A Fallback answers in the place of what failed or was refused; never of what was cancelled.
type Fallback struct {
	policyBase
	mu sync.Mutex // keeps
}

// A FallbackTarget is what a fallback falls back on.
type FallbackTarget interface {
	// Fills in value or operation; the caller gives the value back.
	target(rt *Runtime) (*C.weir_value, *operationBase, error)
}

type fallbackValue[T any] struct{ value T }

// Nil is a value, too.
func (f fallbackValue[T]) target(rt *Runtime) (*C.weir_value, *operationBase, error) {
	return encodeItem(rt.core, f.value), nil, nil
}

type fallbackFunction[T any] struct {
	f func(ctx context.Context, failed error) (T, error)
}

func (f fallbackFunction[T]) target(rt *Runtime) (*C.weir_value, *operationBase, error) {
	operation, err := NewOperation(rt, func(ctx context.Context, _ any) (T, error) {
		return f.f(ctx, AttemptOf(ctx).Failed)
	})
	if err != nil {
		return nil, nil, err
	}
	return nil, &operation.operationBase, nil
}

type fallbackOperation struct{ operation *operationBase }

func (f fallbackOperation) target(*Runtime) (*C.weir_value, *operationBase, error) {
	return nil, f.operation, nil
}

// FallbackToValue answers with a value, which must be of the type of what is run.
func FallbackToValue[T any](value T) FallbackTarget { return fallbackValue[T]{value} }

// FallbackTo answers with what another function brings, which sees what failed. It gets the time
// that is left. If it fails too, the run ends with both errors.
func FallbackTo[T any](f func(ctx context.Context, failed error) (T, error)) FallbackTarget {
	return fallbackFunction[T]{f}
}

// FallbackToOperation answers with what an operation brings, which gets the run's input.
func FallbackToOperation(operation AnyOperation) FallbackTarget {
	if isNil(operation) {
		return nil // which NewFallback refuses
	}
	return fallbackOperation{operation.operation()}
}

// Calls C with the options.
func (o *FallbackOptions) with(rt *Runtime, target FallbackTarget,
	call func(*C.weir_fallback_options) error) (*operationBase, error) {
	if target == nil {
		return nil, invalid("fallback: target must not be nil")
	}
	value, operation, err := target.target(rt)
	if err != nil {
		return nil, err
	}
	defer C.weir_value_unref(value)
	var c C.weir_fallback_options
	C.weir_fallback_options_init(&c, C.size_t(unsafe.Sizeof(c)))
	c.has_value = flag(operation == nil)
	c.value = value
	if operation != nil {
		h := operation.held()
		defer runtime.KeepAlive(h)
		c.operation = operation.c()
	}
	c.failures, c.failures_count = cRanges(o.Failures)
	defer C.free(unsafe.Pointer(c.failures))
	c.name = cText(o.Name)
	defer free(c.name)
	return operation, call(&c)
}

// NewFallback makes a fallback: FallbackToValue, FallbackTo or FallbackToOperation.
func NewFallback(rt *Runtime, target FallbackTarget, options FallbackOptions) (*Fallback, error) {
	if err := rt.given("fallback"); err != nil {
		return nil, err
	}
	var made *C.weir_fallback
	operation, err := options.with(rt, target, func(c *C.weir_fallback_options) error {
		var failure *C.weir_error
		status := C.weir_fallback_new(rt.handle, c, &made, &failure)
		return creationError(status, failure)
	})
	if err != nil {
		return nil, err
	}
	f := &Fallback{}
	f.keeps = operation
	f.own(rt, unsafe.Pointer(made))
	return f, nil
}

// SetOptions changes all options live but Name, which must be empty. Runs that have entered it go
// on by what they entered with.
func (f *Fallback) SetOptions(target FallbackTarget, options FallbackOptions) error {
	return f.with(func(h *handle) error {
		operation, err := options.with(f.rt, target, func(c *C.weir_fallback_options) error {
			var failure *C.weir_error
			status := C.weir_fallback_set_options((*C.weir_fallback)(h.pointer), c, &failure)
			return creationError(status, failure)
		})
		if err == nil {
			f.mu.Lock()
			f.keeps = []any{f.keeps, operation} // runs may go by the old one
			f.mu.Unlock()
		}
		return err
	})
}

// FallbackStats counts.
type FallbackStats struct{ Started, FellBack, Failed uint64 }

// Stats counts what came by, what it stepped in for, and what failed even so.
func (f *Fallback) Stats() (stats FallbackStats, err error) {
	err = f.with(func(h *handle) error {
		var s C.weir_fallback_stats
		s.size = C.uint32_t(unsafe.Sizeof(s))
		status := C.weir_fallback_get_stats((*C.weir_fallback)(h.pointer), &s)
		stats = FallbackStats{uint64(s.started), uint64(s.fell_back), uint64(s.failed)}
		return statusError(status)
	})
	return
}
