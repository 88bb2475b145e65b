// SPDX-License-Identifier: MIT

package weir

// #include "glue.h"
import "C"

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"unsafe"
	"weak"
)

// An Operation is what to do: a recipe from an input to an output that can be run any number of
// times, also at once, and that others are made of: races, parallels, waterfalls, loaders of
// caches, what a fallback falls back on. For a function that is simply run, see Run.
//
// Inputs and outputs that are strings or byte slices travel as bytes, which other languages of the
// process understand; all else is a Go value, which arrives as the same value.
type Operation[I, O any] struct {
	operationBase
	f      func(context.Context, I) (O, error) // of a leaf; else nil
	judge  func(O, error) Class                // of a leaf
	decode func(*C.weir_value, *core) (O, error)
	encode func(*core, I) *C.weir_value
}

// An AnyOperation is an Operation of whatever types.
type AnyOperation interface {
	operation() *operationBase
}

type operationBase struct {
	owner
	keeps any // Go objects that C reaches through it
}

func (o *operationBase) operation() *operationBase { return o }

// What is nil, where an operation is wanted.
func given(subject, name string, operation AnyOperation) error {
	if isNil(operation) {
		return missing(subject, name)
	}
	return nil
}

func givenAll[T AnyOperation](subject string, rt *Runtime, name string, operations []T) error {
	for i, operation := range operations {
		if isNil(operation) {
			return missing(subject, fmt.Sprintf("%s[%d]", name, i))
		}
	}
	return rt.given(subject)
}

// A nil interface, or one of a nil pointer. Not for where runs begin: it takes its time.
func isNil(operation AnyOperation) bool {
	if operation == nil {
		return true
	}
	value := reflect.ValueOf(operation)
	return value.Kind() == reflect.Pointer && value.IsNil()
}

func (o *operationBase) c() *C.weir_operation {
	if h := o.held(); h != nil {
		return (*C.weir_operation)(h.pointer)
	}
	return nil
}

func unrefOperation(p unsafe.Pointer) { C.weir_operation_unref((*C.weir_operation)(p)) }

func (o *operationBase) own(rt *Runtime, made *C.weir_operation) {
	o.set(rt, unsafe.Pointer(made), unrefOperation)
}

// SetLabel adds a label to the operation's samples in the metrics.
func (o *operationBase) SetLabel(key, value string) error {
	h := o.held()
	if h == nil {
		return statusError(C.WEIR_ECLOSED)
	}
	defer runtime.KeepAlive(h)
	return setLabel(key, value, func(k, v *C.char, e **C.weir_error) C.weir_status {
		return C.weir_operation_set_label((*C.weir_operation)(h.pointer), k, v, e)
	})
}

// A function is the Go side of a leaf operation; its slot is free when the operation is closed.
type function interface {
	attempt(a *attempt)
}

// NewOperation makes an operation of a function. Each attempt is a goroutine; see Run for what the
// context does, and for panics.
func NewOperation[I, O any](rt *Runtime, f func(ctx context.Context, input I) (O,
	error)) (*Operation[I, O], error) {
	o := &Operation[I, O]{f: f}
	return o, o.leaf(rt, nil)
}

// Func makes an operation of a function without an input.
func Func[O any](rt *Runtime, f func(ctx context.Context) (O, error)) (*Operation[any, O], error) {
	return NewOperation(rt, func(ctx context.Context, _ any) (O, error) { return f(ctx) })
}

// Judge makes the same operation with a judge of how its attempts end; see the run option Judge.
func (o *Operation[I, O]) Judge(judge func(O, error) Class) (*Operation[I, O], error) {
	return o.variant(judge, nil)
}

// A leaf of its own with more judges; of an operation that runs others, one that runs it.
func (o *Operation[I, O]) variant(judge func(O, error) Class,
	retry func(error) bool) (*Operation[I, O], error) {
	v := &Operation[I, O]{f: o.f, judge: judge}
	if o.f == nil {
		v.f = func(ctx context.Context, input I) (O, error) { return o.Run(ctx, input) }
	} else if inner := o.judge; inner != nil {
		v.judge = func(value O, err error) Class {
			if class := inner(value, err); class != ClassNone || judge == nil {
				return class
			}
			return judge(value, err)
		}
	}
	return v, v.leaf(o.rt, retry)
}

// The operation as a policy is to run it, which may have to be asked about its errors. Nil: none.
// Refuses an operation that is nil, for subject.
func (o *Operation[I, O]) under(subject string, policy Policy) (*Operation[I, O], error) {
	if o == nil {
		return nil, missing(subject, "operation")
	}
	if policy == nil {
		return o, nil
	}
	p, err := givenPolicy(subject, "Policy", policy)
	if err != nil || p.retryable == nil {
		return o, err
	}
	return o.variant(nil, p.retryable)
}

func (o *Operation[I, O]) leaf(rt *Runtime, retry func(error) bool) error {
	return o.serve(rt, &typedFunction[I, O]{f: o.f, judge: o.judge, retry: retry})
}

// A queued operation whose attempts are the function's, for as long as the handle lives.
func (o *operationBase) serve(rt *Runtime, f function) error {
	return o.serveBy(rt, f, func(q *C.weir_completions, user C.uint64_t, out **C.weir_operation,
		e **C.weir_error) C.weir_status {
		return C.weir_operation_new_queued(q, user, out, e)
	})
}

// The same, of which a parallel asks its items.
func (o *operationBase) ask(rt *Runtime, f function) error {
	return o.serveBy(rt, f, func(q *C.weir_completions, user C.uint64_t, out **C.weir_operation,
		e **C.weir_error) C.weir_status {
		return C.weir_operation_new_asked(q, user, out, e)
	})
}

func (o *operationBase) serveBy(rt *Runtime, f function,
	by func(*C.weir_completions, C.uint64_t, **C.weir_operation, **C.weir_error) C.weir_status) error {
	if err := rt.given("operation"); err != nil {
		return err
	}
	c := rt.core
	known := weak.Make(&f)
	found := c.ops.put(&known)
	var made *C.weir_operation
	var failure *C.weir_error
	status := by(c.queue, C.uint64_t(userFunction|found.id()), &made, &failure)
	if status != C.WEIR_OK {
		c.ops.remove(found)
		return creationError(status, failure)
	}
	o.own(rt, made)
	o.held().serves = &f
	runtime.AddCleanup(o.held(), func(s *slot[weak.Pointer[function]]) { c.ops.remove(s) }, found)
	return nil
}

type typedFunction[I, O any] struct {
	f     func(context.Context, I) (O, error)
	judge func(O, error) Class
	retry func(error) bool
}

func (f *typedFunction[I, O]) attempt(a *attempt) {
	v := noVerdict
	protect(func() (O, error) {
		input, err := adopt[I](a)
		if err != nil {
			var none O
			return none, Final(err)
		}
		value, err := f.f(a, input)
		v, err = classed(err)
		if f.judge != nil && v.class == ClassNone {
			v.class = f.judge(value, err)
		}
		v.final = err != nil && f.retry != nil && !f.retry(err)
		return value, err
	}, func(value O, err error) { finish(a, value, err, v) })
}

// The caller's context, for its values, and the input.
func adopt[I any](a *attempt) (I, error) {
	a.adoptContext()
	if a.input == nil {
		var none I
		return none, nil
	}
	defer C.weir_value_unref(a.input)
	return decodeValue[I](a.input, a.core)
}

// A load may go on after the run whose context it has: then it has none.
func (a *attempt) adoptContext() {
	a.mu.Lock()
	defer a.mu.Unlock()
	context := a.look().context
	if context&userKind != userCall { // of another module's run
		return
	}
	if parent := a.core.contextOf(context); parent != nil {
		a.parent = parent
	}
}

func finish[O any](a *attempt, value O, err error, v verdict) {
	a.seal()
	defer a.leave()
	if err != nil {
		a.fail(err, v)
		return
	}
	a.succeed(encodeValue(a.core, value), v)
}

// Run runs the operation and waits for how it ends. Context and errors are those of the function
// Run.
func (o *Operation[I, O]) Run(ctx context.Context, input I, options ...RunOption) (O, error) {
	call, err := o.begin(ctx, nil, &input, options)
	if err != nil {
		var none O
		return none, err
	}
	call.wait(ctx)
	return call.result()
}

// Start begins a run and returns at once; see the function Start.
func (o *Operation[I, O]) Start(ctx context.Context, input I, options ...RunOption) (*Call[O],
	error) {
	call, err := o.begin(ctx, nil, &input, options)
	if err != nil {
		return nil, err
	}
	call.watch(ctx)
	return &Call[O]{typedCall: call}, nil
}

// RunUnder is Run under a policy, without making an operation for good; see Wrap for that.
func (o *Operation[I, O]) RunUnder(ctx context.Context, policy Policy, input I,
	options ...RunOption) (O, error) {
	var call *typedCall[O]
	var inner *Operation[I, O]
	p, err := givenPolicy("run", "policy", policy)
	if err == nil {
		inner, err = o.under("run", policy)
	}
	if err == nil {
		call, err = inner.begin(ctx, p, &input, options)
	}
	if err != nil {
		var none O
		return none, err
	}
	call.wait(ctx)
	return call.result()
}

func (o *Operation[I, O]) begin(ctx context.Context, p *policyBase, input *I,
	options []RunOption) (*typedCall[O], error) {
	encode := o.encode
	if encode == nil {
		encode = encodeInput[I]
	}
	return startOperation(&o.operationBase, o.decode, ctx, p, encode(o.rt.core, *input), options)
}

// Begins a run of an operation with a value for input, which is taken.
func startOperation[O any](o *operationBase, decode func(*C.weir_value, *core) (O, error),
	ctx context.Context,
	p *policyBase, input *C.weir_value, options []RunOption) (*typedCall[O], error) {
	defer C.weir_value_unref(input)
	t := &typedCall[O]{decode: decode}
	t.core = o.rt.core
	t.keeps = []any{o, p}
	t.async()
	h := o.held()
	if h == nil {
		return nil, statusError(C.WEIR_ECLOSED)
	}
	var policy unsafe.Pointer
	var hp *handle
	if p != nil {
		if hp = p.held(); hp == nil {
			return nil, statusError(C.WEIR_ECLOSED)
		}
		policy = hp.pointer
	}
	err := t.begin((*C.weir_operation)(h.pointer), policy, input, ctx, readOptions(options))
	runtime.KeepAlive(h)
	runtime.KeepAlive(hp)
	if err != nil {
		return nil, err
	}
	return t, nil
}

// Wrap makes an operation that runs another under a policy. ShouldRetry of a retry is asked about
// the errors of a leaf's function, and of what an operation that runs others ends with.
func Wrap[I, O any](policy Policy, operation *Operation[I, O]) (*Operation[I, O], error) {
	p, err := givenPolicy("wrap", "policy", policy)
	if err != nil {
		return nil, err
	}
	inner, err := operation.under("wrap", policy)
	if err != nil || p.held() == noHandle {
		return inner, err
	}
	if p.held() == nil || inner.held() == nil {
		return nil, statusError(C.WEIR_ECLOSED)
	}
	wrapped := &Operation[I, O]{decode: inner.decode, encode: inner.encode}
	h, hp := inner.held(), p.held()
	defer runtime.KeepAlive(h)
	defer runtime.KeepAlive(hp)
	err = wrapped.make(operation.rt, []any{policy, inner}, func(out **C.weir_operation,
		e **C.weir_error) C.weir_status {
		return C.weir_policy_wrap(p.c(), inner.c(), out, e)
	})
	return wrapped, err
}

// Makes the operation by a C function.
func (o *operationBase) make(rt *Runtime, keeps any, by func(**C.weir_operation,
	**C.weir_error) C.weir_status) error {
	var made *C.weir_operation
	var failure *C.weir_error
	status := by(&made, &failure)
	if status != C.WEIR_OK {
		return creationError(status, failure)
	}
	o.keeps = keeps
	o.own(rt, made)
	return nil
}

// The C handles of operations, which the second result keeps alive.
func cOperations[T AnyOperation](operations []T) ([]*C.weir_operation, []*handle) {
	list := make([]*C.weir_operation, len(operations)+1)
	keep := make([]*handle, len(operations))
	for i, operation := range operations {
		o := operation.operation()
		keep[i] = o.held()
		list[i] = o.c()
	}
	return list, keep
}
