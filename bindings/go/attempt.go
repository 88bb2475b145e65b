// SPDX-License-Identifier: MIT

package weir

// #cgo noescape weirgo_attempt_get
// #cgo nocallback weirgo_attempt_get
// #cgo noescape weirgo_complete_number
// #cgo nocallback weirgo_complete_number
// #cgo nocallback weirgo_complete_value
// #cgo noescape weirgo_fail
// #cgo nocallback weirgo_fail
// #include "glue.h"
import "C"

import (
	"context"
	"fmt"
	"math"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// An attempt is one start of a function, and the context that the function gets. That is cancelled
// when the library tells the attempt to stop (a timeout, a lost race, the caller's own cancel) with
// the CancelReason as its cause, and when the function has returned. Its deadline is the nearest of
// all around it; its values are the caller's.
type attempt struct {
	core   *core
	parent context.Context
	token  uint64
	number uint32
	serial uint32 // of a closure's run, from 1
	worker *worker
	input  *C.weir_value // of an operation; a reference

	mu     sync.Mutex
	done   chan struct{}
	err    error
	after  map[*func()]struct{}
	about  *Attempt
	due    *time.Time   // once it was asked for
	reason CancelReason // with which it was told to stop
	ended  bool
}

var _ context.Context = (*attempt)(nil)

// Deadline is that of all policies and callers around.
func (a *attempt) Deadline() (time.Time, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.due == nil {
		if a.ended {
			return time.Time{}, false
		}
		a.due = &time.Time{}
		if about := a.look(); about.remaining != Forever {
			*a.due = time.Now().Add(about.remaining)
		}
	}
	return *a.due, !a.due.IsZero()
}

func (a *attempt) Done() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.done == nil {
		a.done = make(chan struct{})
		if a.err != nil {
			close(a.done)
		}
	}
	return a.done
}

func (a *attempt) Err() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}

type attemptKey struct{}

func (a *attempt) Value(key any) any {
	switch key {
	case attemptKey{}:
		return a
	case workerKey{}:
		return a.worker
	case scopeKey{}:
		if a.core.scoped.Load() {
			return a.scope()
		}
		return (*Scope)(nil)
	}
	if a.parent == nil {
		return nil
	}
	return a.parent.Value(key)
}

// The scope of the attempt's run: nested runs join it.
func (a *attempt) scope() *Scope {
	a.mu.Lock()
	defer a.mu.Unlock()
	about := a.look()
	rt := a.core.owner()
	if about.inside == nil && about.scope != nil && !a.ended && rt != nil {
		about.inside = &Scope{}
		about.inside.set(rt, unsafe.Pointer(C.weir_scope_ref(about.scope)), unrefScope)
	}
	return about.inside
}

// AfterFunc is what context.AfterFunc and derived contexts use, so that they need no goroutine.
func (a *attempt) AfterFunc(f func()) func() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		go f()
		return func() bool { return false }
	}
	if a.after == nil {
		a.after = map[*func()]struct{}{}
	}
	a.after[&f] = struct{}{}
	return func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		_, waits := a.after[&f]
		delete(a.after, &f)
		return waits
	}
}

// Told to stop: the context is cancelled.
func (a *attempt) stop(reason CancelReason) {
	if a.worker != nil {
		a.worker.unpark()
	}
	err := context.Canceled
	if reason == CancelTimeout || reason == CancelDeadline {
		err = context.DeadlineExceeded
	}
	a.cancel(err, reason)
}

func (a *attempt) cancel(err error, reason CancelReason) {
	a.mu.Lock()
	if a.err != nil {
		a.mu.Unlock()
		return
	}
	a.err, a.reason = err, reason
	if a.done != nil {
		close(a.done)
	}
	after := a.after
	a.after = nil
	a.mu.Unlock()
	for f := range after {
		go (*f)()
	}
}

// Stopped says why the attempt whose context this is was told to stop; CancelNone if it was not.
func Stopped(ctx context.Context) CancelReason {
	a, _ := ctx.Value(attemptKey{}).(*attempt)
	if a == nil {
		return CancelNone
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.reason
}

// The function has returned: its context is over, and nobody asks C about the attempt any more, so
// that it may be completed.
func (a *attempt) seal() {
	a.core.attempts.clear(a.token, a)
	a.mu.Lock()
	a.ended = true
	watched := a.err == nil && (a.done != nil || a.after != nil)
	if a.err == nil && !watched {
		a.err = context.Canceled
	}
	a.mu.Unlock()
	if watched {
		a.cancel(context.Canceled, CancelNone)
	}
}

// The completion was handed in.
func (a *attempt) leave() {
	if a.worker != nil {
		a.worker.end()
	}
}

// An Attempt says which one of its run a function is in.
type Attempt struct {
	// Number counts the starts of this function within the run, from 1.
	Number int
	// Index is which of the functions or items of a race, a parallel … this is; else 0.
	Index int
	// Key is the run's key; nil if it has none.
	Key []byte
	// Failed is what failed before, for a fallback's function; else nil.
	Failed    error
	remaining time.Duration
	context   uint64
	scope     *C.weir_scope
	inside    *Scope
}

// AttemptOf tells about the attempt whose context this is, or derives from; the zero Attempt
// outside of any.
func AttemptOf(ctx context.Context) Attempt {
	a, _ := ctx.Value(attemptKey{}).(*attempt)
	if a == nil {
		return Attempt{}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return *a.look()
}

// Asks once, while the attempt is out. Under the mutex.
func (a *attempt) look() *Attempt {
	if a.about != nil {
		return a.about
	}
	a.about = &Attempt{Number: int(a.number), remaining: Forever}
	if a.ended {
		return a.about
	}
	var seen C.weirgo_attempt
	if C.weirgo_attempt_get(a.core.handle, C.weir_token(a.token), &seen) == C.WEIR_OK {
		a.core.fill(a.about, &seen)
	}
	return a.about
}

func (c *core) fill(about *Attempt, seen *C.weirgo_attempt) {
	about.Number = int(seen.number)
	about.Index = int(seen.index)
	about.context = uint64(seen.context)
	about.scope = seen.scope
	if seen.remaining_ns != math.MaxInt64 {
		about.remaining = time.Duration(seen.remaining_ns)
	}
	if seen.key != nil {
		about.Key = C.GoBytes(seen.key, C.int(seen.key_size))
	}
	if seen.has_failed != 0 {
		about.Failed = c.goError(seen.failed_error)
		if about.Failed == nil {
			about.Failed = statusError(seen.failed_status)
		}
	}
}

// Runs a function and says how it ended, panics and runtime.Goexit included. `over` is called in
// every case, on this goroutine.
func protect[T any](f func() (T, error), over func(T, error)) {
	var value T
	err := ErrGoexit
	returned := false
	defer func() {
		if !returned {
			if thrown := recover(); thrown != nil {
				err = &PanicError{Value: thrown, Stack: debug.Stack()}
			}
		}
		over(value, err)
	}()
	value, err = f()
	returned = true
}

// A failure is an error as C is told of it.
type failure struct {
	verdict
	own     error // without the marks of this package
	domain  uint32
	code    int64
	message string // ends with a NUL
}

// What can be known of an error. One whose methods panic, such as a nil pointer, is the user's
// mistake, and no reason to end the program here.
func describe(err error, v verdict) (f failure) {
	f = failure{verdict: v, own: err, domain: DomainUser}
	defer func() {
		if recover() != nil {
			f.message = fmt.Sprintf("an error of type %T\x00", err)
		}
	}()
	f.own, f.verdict = v.unwrap(err)
	f.domain, f.code = errorNumbers(f.own)
	f.message = f.own.Error() + "\x00"
	return f
}

// Succeeds with a value, which is taken.
func (a *attempt) succeed(value *C.weir_value, v verdict) {
	C.weirgo_complete_value(a.core.handle, C.weir_token(a.token), value, C.uint32_t(v.class), 0,
		C.WEIR_OFF)
	a.core.driver.rouse()
}

// Hands a failure in.
func (a *attempt) fail(err error, v verdict) {
	f := describe(err, v)
	id := a.core.newValue(f.own)
	text := (*C.char)(unsafe.Pointer(unsafe.StringData(f.message)))
	C.weirgo_fail(a.core.handle, a.core.queue, C.weir_token(a.token), C.uint64_t(id),
		C.uint32_t(f.domain), C.int64_t(f.code), text, C.uint32_t(f.class), flag(f.final), f.after())
	a.core.driver.rouse()
}

// The operation was closed, and something still runs it.
func (a *attempt) refuse() {
	C.weir_value_unref(a.input)
	a.seal()
	defer a.leave()
	a.fail(Final(statusError(C.WEIR_ECLOSED)), noVerdict)
}

// The attempts that are out, by the index of their tokens. Set by the drain, cleared by whoever
// completes.
type attemptTable struct {
	chunks []*[chunkSize]atomic.Pointer[attempt] // the drain's, which alone grows it
	shared atomic.Pointer[[]*[chunkSize]atomic.Pointer[attempt]]
}

func (t *attemptTable) set(token uint64, a *attempt) {
	index := uint32(token)
	for int(index>>chunkBits) >= len(t.chunks) {
		grown := append(append([]*[chunkSize]atomic.Pointer[attempt]{}, t.chunks...),
			new([chunkSize]atomic.Pointer[attempt]))
		t.chunks = grown
		t.shared.Store(&grown)
	}
	t.chunks[index>>chunkBits][index%chunkSize].Store(a)
}

func (t *attemptTable) get(token uint64) *attempt {
	index := uint32(token)
	if int(index>>chunkBits) >= len(t.chunks) {
		return nil
	}
	a := t.chunks[index>>chunkBits][index%chunkSize].Load()
	if a == nil || a.token != token {
		return nil
	}
	return a
}

func (t *attemptTable) clear(token uint64, a *attempt) {
	index := uint32(token)
	chunks := *t.shared.Load()
	chunks[index>>chunkBits][index%chunkSize].CompareAndSwap(a, nil)
}
