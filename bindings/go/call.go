// SPDX-License-Identifier: MIT

package weir

// #cgo noescape weirgo_run_plain
// #cgo nocallback weirgo_run_plain
// #cgo nocallback weirgo_run
// #cgo noescape weirgo_outcome_get
// #cgo nocallback weirgo_outcome_get
// #include "glue.h"
import "C"

import (
	"context"
	"runtime"
	"strconv"
	"sync"
	"time"
	"unsafe"
)

// A call is a run in flight, without its types. It has a slot from before the run until its
// settlement, which comes exactly once.
type call struct {
	core    *core
	ctx     context.Context // for its attempts' values
	body    body            // of a closure's run; else nil
	handle  *C.weir_call    // written by C before the run is published; or the driver's
	handed  bool            // to the driver, which alone may use handle until the settlement
	held    *handle         // of the policy, until then
	keeps   any             // what the run needs alive
	slot    *slot[call]
	started uint32 // attempts; the drain's

	mu      sync.Mutex // settled: cancelling uses the handle under it
	settled bool
	eager   bool // settled by the drain: maybe nobody waits
	tells   bool // details are wanted of a success, too
	details *Details
	onEnd   func(*call) // of tests
	pooled  bool        // used again, with done, which gets one element
	pool    *sync.Pool
	launch  func()   // begins the attempt begun; nil: body does
	begun   *attempt // the first, for launch
	stop    func() bool
	done    chan struct{}
	waiters []*worker // of virtual time: whom the settlement unparks

	// The settlement, once done; value and failure once taken.
	record  C.weirgo_record
	value   any
	hosted  bool          // value is set, perhaps to nil
	coded   bool          // raw was set
	raw     *C.weir_value // of a kind that has to be decoded; a reference
	failure error
}

// A body begins attempts of a closure.
type body interface {
	attempt(a *attempt)
}

// runOptions is what a run is given besides.
type runOptions struct {
	deadline time.Duration
	key      []byte
	name     string
	permits  int
	priority int
	scope    *Scope
	judge    func(value any, err error) Class
	details  bool
	onEnd    func(*call) // of tests
}

// A RunOption changes one run.
type RunOption func(*runOptions)

// WithDeadline settles the run with ErrTimedOut after so long, and lets nothing begin that cannot
// fit. The context's own deadline does the same; the nearer of both holds.
func WithDeadline(after time.Duration) RunOption {
	return func(o *runOptions) { o.deadline = after }
}

// WithKey is the key for keyed limiters, pacers, caches and flights.
func WithKey(key string) RunOption {
	return func(o *runOptions) { o.key = append(make([]byte, 0, len(key)), key...) }
}

// WithName is for logs and the audit.
func WithName(name string) RunOption { return func(o *runOptions) { o.name = name } }

// WithPermits is what limiters count the run as; default 1.
func WithPermits(permits int) RunOption { return func(o *runOptions) { o.permits = permits } }

// WithPriority is the order in queues that go by priority: 0 (first) to 63; default 31.
func WithPriority(priority int) RunOption {
	return func(o *runOptions) { o.priority = priority + 1 }
}

// WithDetails lets Call.Details tell of successes, too.
func WithDetails() RunOption { return func(o *runOptions) { o.details = true } }

// Judge classes how each attempt of the function ended: a value can be a failure, an error can be
// ignored. ClassNone is the default: errors are failures.
func Judge[T any](judge func(value T, err error) Class) RunOption {
	return func(o *runOptions) {
		o.judge = func(value any, err error) Class {
			typed, _ := value.(T)
			return judge(typed, err)
		}
	}
}

// FailIf judges some values as failures: they are retried, and a breaker counts them. When a retry
// gives up on one, the error is an *ExhaustedError that has it.
func FailIf[T any](failed func(T) bool) RunOption {
	return Judge(func(value T, err error) Class {
		if err == nil && failed(value) {
			return ClassFailure
		}
		return ClassNone
	})
}

func readOptions(options []RunOption) *runOptions {
	if len(options) == 0 {
		return &noOptions
	}
	o := &runOptions{}
	for _, option := range options {
		option(o)
	}
	return o
}

var noOptions runOptions

// The time until the nearer deadline in milliseconds.
func (o *runOptions) until(ctx context.Context) C.int64_t {
	bound := C.int64_t(C.WEIR_FOREVER)
	if o.deadline != 0 {
		bound = milliseconds(o.deadline)
	}
	if due, ok := ctx.Deadline(); ok {
		left := milliseconds(max(time.Until(due), 0))
		if bound == C.WEIR_FOREVER || left < bound {
			bound = left
		}
	}
	return bound
}

// Begins a run of a C operation. The call is settled later in every case unless this fails.
func (c *call) begin(op *C.weir_operation, policy unsafe.Pointer, input *C.weir_value,
	ctx context.Context, o *runOptions) error {
	if err := ctx.Err(); err != nil {
		return contextError(ctx, Details{})
	}
	c.setContext(ctx)
	c.tells = o.details
	c.onEnd = o.onEnd
	scope := c.core.scopeOf(ctx, o)
	c.slot = c.core.calls.put(c)
	user := C.uint64_t(userCall | c.slot.id())
	deadline := o.until(ctx)
	var failure *C.weir_error
	var status C.weir_status
	if input == nil && scope == nil && o.plain() {
		if c.pooled && c.core.driver != nil {
			c.handed = true
			if c.core.driver.begin(policy, deadline, uint64(user)) {
				return nil
			}
			c.handed = false
		}
		status = C.weirgo_run_plain(op, c.core.queue, (*C.weir_policy)(policy), deadline, user,
			&c.handle, &failure)
	} else {
		status = c.beginWith(op, policy, input, scope, deadline, user, o, &failure)
	}
	if status != C.WEIR_OK {
		c.core.calls.remove(c.slot)
		return creationError(status, failure)
	}
	c.core.driver.rouse()
	return nil
}

// Under the mutex, as an attempt that goes on may look at a call that is used again.
func (c *call) setContext(ctx context.Context) {
	c.mu.Lock()
	c.ctx = ctx
	c.mu.Unlock()
}

// The context of a call; nil if it has settled.
func (c *core) contextOf(id uint64) context.Context {
	run := c.calls.get(id)
	if run == nil {
		return nil
	}
	run.mu.Lock()
	defer run.mu.Unlock()
	if c.calls.get(id) != run { // it is another's by now
		return nil
	}
	return run.ctx
}

// Before the next use. Nobody else knows the call.
func (c *call) reset() {
	c.mu.Lock()
	c.ctx = nil
	c.settled = false
	c.mu.Unlock()
	c.core, c.body, c.keeps, c.slot, c.held, c.handed = nil, nil, nil, nil, nil, false
	c.started, c.tells, c.details, c.onEnd = 0, false, nil, nil
	c.record = C.weirgo_record{}
	c.value, c.hosted, c.coded = nil, false, false
}

func (o *runOptions) plain() bool {
	return o.key == nil && o.name == "" && o.permits == 0 && o.priority == 0
}

func (c *call) beginWith(op *C.weir_operation, policy unsafe.Pointer, input *C.weir_value,
	scope *Scope,
	deadline C.int64_t, user C.uint64_t, o *runOptions, failure **C.weir_error) C.weir_status {
	run := C.weirgo_run_options{
		user: user, context: user, deadline_ms: deadline, policy: (*C.weir_policy)(policy), input: input,
		permits: 1, priority: 31,
	}
	setCount(&run.permits, o.permits)
	if o.priority != 0 {
		run.priority = count32(o.priority - 1)
	}
	if scope != nil {
		defer runtime.KeepAlive(scope)
		run.scope = scope.c()
	}
	name := cText(o.name)
	defer free(name)
	var key unsafe.Pointer
	var size C.size_t
	if o.key != nil {
		key, size = keyPointer(o.key)
	}
	return C.weirgo_run(op, c.core.queue, &run, key, C.uint64_t(size), name, &c.handle, failure)
}

// The drain: wakes who waits.
func (c *call) wake() {
	if c.pooled {
		c.done <- struct{}{}
	} else {
		close(c.done)
	}
}

// cancel asks the run to stop; it still settles.
func (c *call) cancel() {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.settled:
	case c.handed:
		c.core.driver.cancel(c.slot.id())
	default:
		C.weirgo_cancel(c.handle)
		c.core.driver.rouse()
	}
}

// Waits for the settlement; if the context ends first, for the one that this brings about.
func (c *call) wait(ctx context.Context) {
	w := c.core.workerOf(ctx)
	if w != nil {
		c.parkUntilSettled(w)
		defer w.unpark()
	}
	ended := ctx.Done()
	if ended == nil {
		<-c.done
		return
	}
	select {
	case <-c.done:
		return
	case <-ended:
	}
	c.cancel()
	if w != nil {
		c.parkUntilSettled(w)
	}
	<-c.done
}

// take looks into the settlement: once, before value and failure are read.
func (c *call) take() {
	handle := c.handle
	object := c.record.object
	c.handle, c.record.object = nil, 0
	if c.record.channel == C.WEIR_CHANNEL_VALUE {
		if handle != nil {
			var o C.weirgo_outcome
			d := outcomeDetails(handle, &o)
			c.details = &d
			C.weir_call_unref(handle)
		}
		if object != 0 {
			c.value, c.raw = c.core.hostValue((*C.weir_value)(pointerOf(object)))
			c.coded, c.hosted = c.raw != nil, c.raw == nil
		}
		return
	}
	if handle != nil {
		c.failure = c.core.outcomeError(handle, c)
		C.weir_call_unref(handle)
	}
	if c.record.channel == C.WEIR_CHANNEL_ERROR && object != 0 {
		C.weir_error_unref((*C.weir_error)(pointerOf(object)))
	}
}

// A pointer that came as a number.
func pointerOf(object C.uint64_t) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&object))
}

// A call's outcome as an error.
func (c *core) outcomeError(handle *C.weir_call, run *call) error {
	var o C.weirgo_outcome
	d := outcomeDetails(handle, &o)
	if o.channel == C.WEIR_CHANNEL_STOPPED {
		return stoppedError(run.ctx, d)
	}
	if d.Status == ErrExhausted {
		return &ExhaustedError{Details: exhausted(d, o.error), Value: run.judgedValue(o.value)}
	}
	return c.withDetails(d, o.error)
}

func outcomeDetails(handle *C.weir_call, o *C.weirgo_outcome) Details {
	var r C.weir_rejection
	C.weirgo_outcome_get(handle, o, &r)
	d := Details{
		Status: Status(o.status), Attempts: int(o.attempts), Elapsed: time.Duration(o.elapsed_ns),
		Stop: StopReason(o.stop_reason), Cancel: CancelReason(o.cancel_reason), RetryAfter: -1,
		Final: o.final != 0,
	}
	if o.retry_after_ms >= 0 {
		d.RetryAfter = time.Duration(o.retry_after_ms) * time.Millisecond
	}
	for i := 0; i < min(d.Attempts, len(o.statuses)); i++ {
		d.Statuses = append(d.Statuses, Status(o.statuses[i]))
	}
	if o.has_rejection != 0 {
		d.Rejection = goRejection(&r)
	}
	return d
}

func exhausted(d Details, failure *C.weir_error) Details {
	d.Message = C.GoString(C.weir_error_message(failure))
	if d.Message == "" {
		d.Message = d.Status.Error()
	}
	if d.Attempts > 1 {
		d.Message += " (after " + strconv.Itoa(d.Attempts) + " attempts)"
	}
	return d
}

// How the run ended, and the error it ended with, as one.
func (c *core) withDetails(d Details, failure *C.weir_error) error {
	err := c.goError(failure)
	if inner, ok := err.(interface{ details() *Details }); ok && inner.details().Status == d.Status {
		i := inner.details()
		d.Message, d.Domain, d.Code, d.Err = i.Message, i.Domain, i.Code, i.Err
		*i = d
		return err
	}
	d.Err = err
	if failure != nil {
		d.Domain, d.Code = uint32(C.weir_error_domain(failure)), int64(C.weir_error_code(failure))
	}
	if d.Message = C.GoString(C.weir_error_message(failure)); d.Message == "" {
		d.Message = d.Status.Error()
	}
	if d.Attempts > 1 {
		d.Message += " (after " + strconv.Itoa(d.Attempts) + " attempts)"
	}
	return typed(d)
}

func stoppedError(ctx context.Context, d Details) error {
	if d.Status == ErrCancelled && ctx != nil && ctx.Err() != nil {
		return contextError(ctx, d)
	}
	d.Message = d.Status.Error()
	if d.Cancel != CancelNone {
		d.Err = d.Cancel
	}
	return typed(d)
}

// The context ended the run.
func contextError(ctx context.Context, d Details) error {
	d.Status, d.Cancel, d.RetryAfter = ErrCancelled, CancelCaller, -1
	if ctx.Err() == context.DeadlineExceeded {
		d.Status, d.Cancel = ErrTimedOut, CancelDeadline
	}
	d.Err = context.Cause(ctx)
	d.Message = "weir: " + d.Err.Error()
	return typed(d)
}
