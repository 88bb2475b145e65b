// SPDX-License-Identifier: MIT

package weir

// #include <stdlib.h>
// #include "glue.h"
import "C"

import (
	"context"
	"runtime"
	"time"
	"unsafe"
)

// Sleep waits so long, in the runtime's time; sooner if ctx ends, whose error it returns then.
func Sleep(ctx context.Context, rt *Runtime, d time.Duration) error {
	o, err := NewSleep(rt, d)
	if err != nil {
		return err
	}
	_, err = o.Run(ctx, nil)
	return err
}

// NewSleep makes an operation that waits so long. Among racers, see RaceOptions.Decisive, it is a
// timeout.
func NewSleep(rt *Runtime, d time.Duration) (*Operation[any, struct{}], error) {
	return newSleep[struct{}](rt, d, nil, nil)
}

// NewSleepValue makes an operation that waits so long and succeeds with a value.
func NewSleepValue[T any](rt *Runtime, d time.Duration, value T) (*Operation[any, T], error) {
	return newSleep(rt, d, &value, nil)
}

// NewSleepError makes an operation that waits so long and fails: with a Status of this package, or
// with an error of yours.
func NewSleepError[T any](rt *Runtime, d time.Duration, err error) (*Operation[any, T], error) {
	return newSleep[T](rt, d, nil, err)
}

func newSleep[T any](rt *Runtime, d time.Duration, value *T, failure error) (*Operation[any, T],
	error) {
	if err := rt.given("sleep"); err != nil {
		return nil, err
	}
	wait := milliseconds(d)
	if d == 0 {
		wait = 0
	}
	var made *C.weir_value
	if value != nil {
		made = encodeValue(rt.core, *value)
	}
	defer C.weir_value_unref(made)
	status := C.weir_status(C.WEIR_OK)
	var result *C.weir_error
	if number, ok := failure.(Status); ok {
		status = C.weir_status(number)
	} else if failure != nil {
		status = C.WEIR_EFAILED
		result = rt.core.cError(failure)
	}
	defer C.weir_error_unref(result)
	o := &Operation[any, T]{}
	err := o.make(rt, nil, func(out **C.weir_operation, e **C.weir_error) C.weir_status {
		return C.weir_sleep_new(rt.handle, wait, status, made, result, out, e)
	})
	return o, err
}

// RaceOptions are those of Race.
type RaceOptions struct {
	// FirstSettled: the first settlement of any kind is the outcome, not the first success.
	FirstSettled bool
	// Decisive says for each operation whether it ends the race however it settles, such as a sleep
	// that is a timeout. Nil: none is.
	Decisive []bool
	Name     string
}

// Race makes an operation that starts several at once, each with its input. The first success wins,
// and the contexts of the others are cancelled. When all have failed, the error is an
// *AggregateError of theirs.
func Race[I, O any](rt *Runtime, options RaceOptions, racers ...*Operation[I, O]) (*Operation[I,
	O], error) {
	if err := givenAll("race", rt, "racers", racers); err != nil {
		return nil, err
	}
	var c C.weir_race_options
	C.weir_race_options_init(&c, C.size_t(unsafe.Sizeof(c)))
	c.first_settled = flag(options.FirstSettled)
	if len(options.Decisive) > 0 {
		if len(options.Decisive) != len(racers) {
			return nil, invalid("race.Decisive must have one entry for each operation")
		}
		list := unsafe.Slice((*C.uint8_t)(C.calloc(C.size_t(len(racers)), 1)), len(racers))
		defer C.free(unsafe.Pointer(&list[0]))
		for i, decisive := range options.Decisive {
			list[i] = C.uint8_t(flag(decisive))
		}
		c.decisive = &list[0]
	}
	c.name = cText(options.Name)
	defer free(c.name)
	o := &Operation[I, O]{decode: decodeOf(racers)}
	err := combine(&o.operationBase, rt, racers, func(list **C.weir_operation, n C.size_t,
		out **C.weir_operation,
		e **C.weir_error) C.weir_status {
		return C.weir_race_new(rt.handle, list, n, &c, out, e)
	})
	return o, err
}

// The racers' own way to decode; all have the same type.
func decodeOf[I, O any](operations []*Operation[I, O]) func(*C.weir_value, *core) (O, error) {
	for _, o := range operations {
		if o.decode != nil {
			return o.decode
		}
	}
	return nil
}

func combine[T AnyOperation](made *operationBase, rt *Runtime, operations []T,
	by func(**C.weir_operation, C.size_t, **C.weir_operation, **C.weir_error) C.weir_status) error {
	list, held := cOperations(operations)
	defer runtime.KeepAlive(held)
	return made.make(rt, append([]T(nil), operations...), func(out **C.weir_operation,
		e **C.weir_error) C.weir_status {
		return by(&list[0], C.size_t(len(operations)), out, e)
	})
}

// Any is Race without options: the first success.
func Any[I, O any](rt *Runtime, operations ...*Operation[I, O]) (*Operation[I, O], error) {
	if err := givenAll("any", rt, "operations", operations); err != nil {
		return nil, err
	}
	o := &Operation[I, O]{decode: decodeOf(operations)}
	err := combine(&o.operationBase, rt, operations, func(list **C.weir_operation, n C.size_t,
		out **C.weir_operation,
		e **C.weir_error) C.weir_status {
		return C.weir_any_new(rt.handle, list, n, nil, out, e)
	})
	return o, err
}

// All makes an operation that runs several at once, each with its input, and succeeds with their
// values in their order. The first failure ends it, and the contexts of the others are cancelled.
func All[I, O any](rt *Runtime, operations ...*Operation[I, O]) (*Operation[I, []O], error) {
	if err := givenAll("all", rt, "operations", operations); err != nil {
		return nil, err
	}
	o := &Operation[I, []O]{decode: decodeList[O]}
	err := combine(&o.operationBase, rt, operations, func(list **C.weir_operation, n C.size_t,
		out **C.weir_operation,
		e **C.weir_error) C.weir_status {
		return C.weir_all_new(rt.handle, list, n, nil, out, e)
	})
	return o, err
}

// AllSettled makes an operation that runs several at once and succeeds when all have ended, however
// they did.
func AllSettled[I, O any](rt *Runtime, operations ...*Operation[I, O]) (*Operation[I, []Result[O]],
	error) {
	if err := givenAll("all", rt, "operations", operations); err != nil {
		return nil, err
	}
	o := &Operation[I, []Result[O]]{decode: decodeResults[O]}
	err := combine(&o.operationBase, rt, operations, func(list **C.weir_operation, n C.size_t,
		out **C.weir_operation,
		e **C.weir_error) C.weir_status {
		return C.weir_all_settled_new(rt.handle, list, n, nil, out, e)
	})
	return o, err
}

// Then makes an operation of two: the second gets the value of the first. More by Then again, or by
// Waterfall.
func Then[A, B, C any](first *Operation[A, B], second *Operation[B, C]) (*Operation[A, C], error) {
	if err := given("waterfall", "first", first); err != nil {
		return nil, err
	}
	return Waterfall[A, C](first.rt, "", first, second)
}

// Waterfall makes an operation of several, each of which gets the value of the one before; the
// types
// are checked as they run. It stops at the first failure, whose error says which step it was and
// unwraps to the step's own.
func Waterfall[I, O any](rt *Runtime, name string, steps ...AnyOperation) (*Operation[I, O],
	error) {
	if err := givenAll("waterfall", rt, "steps", steps); err != nil {
		return nil, err
	}
	text := cText(name)
	defer free(text)
	o := &Operation[I, O]{}
	if len(steps) > 0 {
		if last, ok := steps[len(steps)-1].(*Operation[I, O]); ok {
			o.decode = last.decode
		} else if last, ok := steps[len(steps)-1].(interface {
			decoder() func(*C.weir_value, *core) (O, error)
		}); ok {
			o.decode = last.decoder()
		}
	}
	err := combine(&o.operationBase, rt, steps, func(list **C.weir_operation, n C.size_t,
		out **C.weir_operation,
		e **C.weir_error) C.weir_status {
		return C.weir_waterfall_new(rt.handle, list, n, text, out, e)
	})
	return o, err
}

func (o *Operation[I, O]) decoder() func(*C.weir_value, *core) (O, error) { return o.decode }

// PollOptions are those of Poll.
type PollOptions struct {
	// Interval from the end of a try to the next; Zero is none. Required.
	Interval time.Duration
	// MaxAttempts counts all tries. Default Unlimited.
	MaxAttempts int64
	// MaxElapsed: no try starts later after the first. Default Forever.
	MaxElapsed time.Duration
	Name       string
}

// Poll makes an operation that runs another again and again until its value is what is waited for.
// Failures are tolerated, unless they are Final. Without another try the error is the last, or an
// *ExhaustedError with the last value.
func Poll[I, O any](operation *Operation[I, O], options PollOptions,
	until func(O) bool) (*Operation[I, O], error) {
	if err := given("poll", "operation", operation); err != nil {
		return nil, err
	}
	var c C.weir_poll_options
	C.weir_poll_options_init(&c, C.size_t(unsafe.Sizeof(c)))
	setDuration(&c.interval_ms, options.Interval)
	setNumber(&c.max_attempts, options.MaxAttempts)
	setDuration(&c.max_elapsed_ms, options.MaxElapsed)
	c.name = cText(options.Name)
	defer free(c.name)
	if until != nil {
		judged, err := operation.variant(func(value O, err error) Class {
			if err == nil && !until(value) {
				return ClassFailure
			}
			return ClassNone
		}, nil)
		if err != nil {
			return nil, err
		}
		operation = judged
	}
	o := &Operation[I, O]{decode: operation.decode, encode: operation.encode}
	h := operation.held()
	defer runtime.KeepAlive(h)
	err := o.make(operation.rt, operation, func(out **C.weir_operation,
		e **C.weir_error) C.weir_status {
		return C.weir_poll_new(operation.c(), &c, out, e)
	})
	return o, err
}

// Scoped makes an operation that runs a body in a fresh scope, inside the run's own if it has one.
// It settles when the scope has ended.
func Scoped[I, O any](body *Operation[I, O], options ScopeOptions) (*Operation[I, O], error) {
	if err := given("scope", "body", body); err != nil {
		return nil, err
	}
	var c C.weir_scope_options
	C.weir_scope_options_init(&c, C.size_t(unsafe.Sizeof(c)))
	c.exit = C.uint32_t(options.Exit)
	setDuration(&c.deadline_ms, options.Deadline)
	setDuration(&c.grace_ms, options.Grace)
	c.name = cText(options.Name)
	defer free(c.name)
	if options.Parent != nil {
		return nil, invalid("an operation's scope has no Parent: it is inside the run's own")
	}
	o := &Operation[I, O]{decode: body.decode, encode: body.encode}
	body.rt.scoped.Store(true)
	h := body.held()
	defer runtime.KeepAlive(h)
	err := o.make(body.rt, body, func(out **C.weir_operation, e **C.weir_error) C.weir_status {
		return C.weir_scope_operation(body.c(), &c, out, e)
	})
	return o, err
}
