// SPDX-License-Identifier: MIT

package weir

// #include "glue.h"
import "C"

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"
	"unsafe"
)

// Run runs a function under a policy and waits for how it ends. A *Runtime is a policy, too: the
// one that does nothing.
//
// Each attempt is a goroutine of its own. Its context is cancelled when the attempt should stop: a
// timeout fired, another copy won, ctx was cancelled. Run itself returns then at once, whether the
// function has or not; such a function goes on as an orphan, its result is dropped, and it keeps
// what concurrency permits it was started under. A deadline of ctx is the run's.
//
// The error is nil, or one of the typed errors of this package. A *FailedError unwraps to the
// function's own error, the same value. If the function panicked, and no policy made up for it, Run
// panics with a *PanicError; if it called runtime.Goexit, so does Run.
func Run[T any](ctx context.Context, policy Policy, f func(context.Context) (T, error),
	options ...RunOption) (T, error) {
	t := takeCall(f)
	if err := t.start(ctx, policy, options); err != nil {
		var none T
		return none, err
	}
	t.wait(ctx)
	value, err := t.result()
	t.giveBack()
	return value, err
}

// Do is Run of a function without a value.
func Do(ctx context.Context, policy Policy, f func(context.Context) error,
	options ...RunOption) error {
	_, err := Run(ctx, policy, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, f(ctx)
	}, options...)
	return err
}

// Start begins a run and returns at once. It fails as Run would that did not begin: a closed
// runtime, too many in flight, an option that is not legal, a context that has ended.
func Start[T any](ctx context.Context, policy Policy, f func(context.Context) (T, error),
	options ...RunOption) (*Call[T], error) {
	t := &typedCall[T]{f: f}
	t.async()
	if err := t.start(ctx, policy, options); err != nil {
		return nil, err
	}
	t.watch(ctx)
	return &Call[T]{typedCall: t}, nil
}

// A Call is a run in flight. It settles exactly once.
type Call[T any] struct {
	*typedCall[T]
}

// Cancel asks the run to stop: it settles with ErrCancelled unless it was about to otherwise.
func (c *Call[T]) Cancel() { c.cancel() }

// Done is closed when the call has settled.
func (c *Call[T]) Done() <-chan struct{} { return c.done }

// Wait waits for the settlement, and returns as Run. If ctx ends first it returns its error, and
// the run goes on.
func (c *Call[T]) Wait(ctx context.Context) (T, error) {
	if err := c.await(ctx); err != nil {
		var none T
		return none, err
	}
	return c.result()
}

// Result is how it ended, once Done is closed, without the panics of Wait: a *PanicError is an
// error like any other. ErrStale before.
func (c *Call[T]) Result() (T, error) {
	select {
	case <-c.done:
		return c.outcome()
	default:
		var none T
		return none, statusError(C.WEIR_ESTALE)
	}
}

// Attempts is how many were started, and Elapsed how long it took; once Done is closed.
func (c *Call[T]) Attempts() int { return int(c.record.number) }

// Elapsed is the time from the run's beginning to its settlement; once Done is closed.
func (c *Call[T]) Elapsed() time.Duration { return time.Duration(c.record.detail) }

// Details is how the run ended, in numbers, once Done is closed: of one that failed, and with
// WithDetails of every one. Otherwise the zero Details.
func (c *Call[T]) Details() Details {
	_, err := c.Result()
	if d := AsDetails(err); d != nil {
		return *d
	}
	if c.details == nil {
		return Details{}
	}
	return *c.details
}

func (c *call) await(ctx context.Context) error {
	if w := c.core.workerOf(ctx); w != nil {
		c.parkUntilSettled(w)
		defer w.unpark()
	}
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return contextError(ctx, Details{})
	}
}

// The worker whose goroutine this is, in virtual time.
func (c *core) workerOf(ctx context.Context) *worker {
	if c.work == nil {
		return nil
	}
	w, _ := ctx.Value(workerKey{}).(*worker)
	return w
}

// The settlement unparks whoever waits for it, and nobody else.
func (c *call) parkUntilSettled(w *worker) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.settled {
		c.waiters = append(c.waiters, w)
		w.park()
	}
}

func (c *call) async() {
	c.eager = true
	c.done = make(chan struct{})
}

// Cancels the run when its context ends.
func (c *call) watch(ctx context.Context) {
	if ctx.Done() == nil {
		return
	}
	stop := context.AfterFunc(ctx, c.cancel)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.settled {
		stop()
	} else {
		c.stop = stop
	}
}

// A typedCall is a call with the types of its value.
type typedCall[T any] struct {
	call
	f      func(context.Context) (T, error)
	first  T
	later  map[uint32]T
	over   bool       // the first attempt's function has returned
	keep   sync.Mutex // of the three
	judge  func(any, error) Class
	retry  func(error) bool // ShouldRetry of the policies
	decode func(raw *C.weir_value, c *core) (T, error)
}

// The calls of Run that are to be used again, a *sync.Pool for each type, by its nil pointer.
var callPools sync.Map

func takeCall[T any](f func(context.Context) (T, error)) *typedCall[T] {
	pool, ok := callPools.Load((*T)(nil))
	if !ok {
		pool, _ = callPools.LoadOrStore((*T)(nil), &sync.Pool{})
	}
	t, _ := pool.(*sync.Pool).Get().(*typedCall[T])
	if t == nil {
		t = &typedCall[T]{}
		t.pooled = true
		t.done = make(chan struct{}, 1)
		t.pool = pool.(*sync.Pool)
		t.launch = t.attemptFirst
	}
	t.f = f
	return t
}

// After the settlement. A call that something else may still know goes to the collector: one with
// several attempts, of which some may go on, or with an error.
func (t *typedCall[T]) giveBack() {
	t.keep.Lock()
	over := t.over
	t.keep.Unlock()
	if t.started != 1 || !over || t.failure != nil || t.waiters != nil || t.later != nil {
		return
	}
	var none T
	t.f, t.first, t.over = nil, none, false
	t.judge, t.retry = nil, nil
	t.reset()
	t.pool.Put(t)
}

// The goroutine of the first attempt.
func (t *typedCall[T]) attemptFirst() {
	a := t.begun
	t.begun = nil
	t.attempt(a)
}

func (t *typedCall[T]) start(ctx context.Context, policy Policy, options []RunOption) error {
	p, err := givenPolicy("run", "policy", policy)
	if err != nil {
		return err
	}
	t.core = p.rt.core
	t.body = t
	o := readOptions(options)
	t.judge, t.retry, t.keeps = o.judge, p.retryable, p
	h := p.held()
	if h == nil {
		return statusError(C.WEIR_ECLOSED)
	}
	t.held = h
	return t.begin(t.core.operation, h.pointer, nil, ctx, o)
}

func (t *typedCall[T]) attempt(a *attempt) {
	v := noVerdict
	protect(func() (T, error) {
		value, err := t.f(a)
		v, err = classed(err)
		if t.judge != nil && v.class == ClassNone {
			v.class = t.judge(value, err)
		}
		v.final = err != nil && t.retry != nil && !t.retry(err)
		return value, err
	}, func(value T, err error) { t.complete(a, value, err, v) })
}

func (t *typedCall[T]) complete(a *attempt, value T, err error, v verdict) {
	a.seal()
	defer a.leave()
	if err != nil {
		t.keep.Lock()
		t.over = true
		t.keep.Unlock()
		a.fail(err, v)
		return
	}
	number := uint32(0)
	t.keep.Lock()
	t.over = true
	if a.serial == 1 {
		t.first = value
	} else {
		number = a.serial
		if t.later == nil {
			t.later = map[uint32]T{}
		}
		t.later[a.serial] = value
	}
	t.keep.Unlock()
	if a.core.driver == nil || !a.core.driver.end(a.token, number, v.class) {
		C.weirgo_complete_number(a.core.handle, C.weir_token(a.token), C.uint64_t(number),
			C.uint32_t(v.class), 0, C.WEIR_OFF)
	}
}

// The value that attempt `number` brought.
func (t *typedCall[T]) kept(number uint32) T {
	t.keep.Lock()
	defer t.keep.Unlock()
	if number <= 1 {
		return t.first
	}
	return t.later[number]
}

// As outcome, but what the function did to its goroutine happens to this one.
func (t *typedCall[T]) result() (T, error) {
	value, err := t.outcome()
	if failed, ok := err.(*FailedError); ok {
		if thrown, ok := failed.Err.(*PanicError); ok {
			panic(thrown)
		}
		if failed.Err == ErrGoexit {
			runtime.Goexit()
		}
	}
	return value, err
}

// Once, unless the call is eager.
func (t *typedCall[T]) outcome() (T, error) {
	if !t.eager && (t.record.object != 0 || t.handle != nil) {
		t.take()
	}
	var none T
	switch {
	case t.failure != nil:
		t.resolve(t.failure)
		return none, t.failure
	case t.coded:
		return t.decoded()
	case t.hosted:
		return asType[T](t.value)
	case t.body != nil:
		return t.kept(uint32(t.record.host)), nil
	}
	return none, nil
}

// Puts the values that the run keeps itself where an error has their numbers.
func (t *typedCall[T]) resolve(err error) {
	switch e := err.(type) {
	case *ExhaustedError:
		if number, ok := e.Value.(attemptNumber); ok {
			e.Value = t.kept(uint32(number))
		}
	case *AggregateError:
		for _, part := range e.Errors {
			t.resolve(part)
		}
	}
}

func (t *typedCall[T]) decoded() (T, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.raw == nil { // decoded before
		return asType[T](t.value)
	}
	raw := t.raw
	decode := t.decode
	if decode == nil {
		decode = decodeValue[T]
	}
	value, err := decode(raw, t.core)
	C.weir_value_unref(raw)
	t.raw = nil
	if err != nil {
		t.failure = err
		return value, err
	}
	t.value = value
	return value, nil
}

// An attemptNumber is a judged value that the run itself keeps.
type attemptNumber uint32

// The value that a retry gave up on.
func (c *call) judgedValue(value *C.weir_value) any {
	var item C.weirgo_item
	C.weirgo_look(c.core.queue, value, &item)
	if c.body != nil && (item.what == C.WEIRGO_NONE || item.what == C.WEIRGO_NUMBER) {
		return attemptNumber(max(item.host, 1))
	}
	return c.core.looseValue(value)
}

// What a host value is in Go, or the value itself, to be decoded. Takes the reference.
func (c *core) hostValue(value *C.weir_value) (any, *C.weir_value) {
	var item C.weirgo_item
	C.weirgo_look(c.queue, value, &item)
	if item.what != C.WEIRGO_HOST {
		return nil, value
	}
	object := c.values.get(uint64(item.host))
	C.weir_value_unref(value)
	return object, nil
}

// A value of any kind, for those who know no type. Borrows.
func (c *core) looseValue(value *C.weir_value) any {
	var item C.weirgo_item
	C.weirgo_look(c.queue, value, &item)
	return c.looseItem(&item)
}

func (c *core) looseItem(item *C.weirgo_item) any {
	switch {
	case item.error != nil:
		return c.goError(item.error)
	case item.what == C.WEIRGO_NUMBER:
		return attemptNumber(item.host)
	case item.what == C.WEIRGO_HOST:
		return c.values.get(uint64(item.host))
	case item.kind == C.WEIR_VALUE_BYTES:
		return goBytes(item.value)
	case item.kind == C.WEIR_VALUE_LIST:
		var list []any
		for _, part := range c.listItems(item.value) {
			list = append(list, c.looseItem(&part))
		}
		return list
	}
	return nil
}

func (c *core) listItems(list *C.weir_value) []C.weirgo_item {
	count := int(C.weir_value_count(list))
	if count == 0 {
		return nil
	}
	items := make([]C.weirgo_item, count)
	C.weirgo_items(c.queue, list, 0, C.uint32_t(count), &items[0])
	return items
}

func goBytes(value *C.weir_value) []byte {
	size := C.weir_value_size(value)
	return append([]byte{}, unsafe.Slice((*byte)(C.weir_value_data(value)), int(size))...)
}

// asType is an error if another module, or another type of this one, made the value.
func asType[T any](object any) (T, error) {
	var none T
	if object == nil {
		return none, nil
	}
	if value, ok := object.(T); ok {
		return value, nil
	}
	return none, &Error{Details{
		Status: ErrInvalid, RetryAfter: -1,
		Message: fmt.Sprintf("weir: a value is of type %T, not %T", object, none),
	}}
}

// A value of C as T: a Go value, or the bytes that another language made.
func decodeValue[T any](value *C.weir_value, c *core) (T, error) {
	var item C.weirgo_item
	C.weirgo_look(c.queue, value, &item)
	return decodeItem[T](&item, c)
}

func decodeItem[T any](item *C.weirgo_item, c *core) (T, error) {
	var none T
	switch {
	case item.error != nil:
		return none, c.goError(item.error)
	case item.kind == C.WEIR_VALUE_NONE:
		return none, nil
	case item.kind == C.WEIR_VALUE_BYTES:
		switch any(none).(type) {
		case string:
			return any(string(goBytes(item.value))).(T), nil
		}
	}
	object := c.looseItem(item)
	if object == nil {
		return none, nil
	}
	return asType[T](object)
}

// A Go value for C: bytes and strings as bytes, which other languages understand; all else by
// number. The caller owns the reference.
func encodeValue[T any](c *core, value T) *C.weir_value {
	var made *C.weir_value
	var status C.weir_status
	switch v := any(&value).(type) {
	case *[]byte:
		data, size := keyPointer(*v)
		status = C.weir_value_new_bytes(c.handle, data, size, &made)
	case *struct{}:
		return nil
	case *string:
		data, size := keyText(*v)
		status = C.weir_value_new_bytes(c.handle, data, size, &made)
	default:
		id := c.newValue(any(value))
		status = C.weir_value_new_host(c.queue, C.uint64_t(id), &made)
		if status != C.WEIR_OK {
			c.values.release(id)
		}
	}
	if status != C.WEIR_OK {
		return nil
	}
	return made
}

func takeInput(detail C.uint64_t) *C.weir_value { return (*C.weir_value)(pointerOf(detail)) }
