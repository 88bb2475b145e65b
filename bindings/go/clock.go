// SPDX-License-Identifier: MIT

package weir

// #include "glue.h"
import "C"

import (
	"context"
	"math"
	"runtime"
	"sync"
	"time"
)

// Virtual time. The library's manual driver belongs to the thread that processes it, so a goroutine
// with a thread of its own does that, and nothing else. Between two steps of the clock it waits
// until the host is idle: until every function that was begun has returned, or waits in a call of
// this package. That is counted (hostWork), not guessed, so a test plays the same way each time.

// A Clock moves the time of a virtual runtime.
//
// While it moves, the clock waits for functions that work, and not for those that wait in Run, Do,
// Call.Wait, Sleep or Clock.Wait with a context of theirs. A function that blocks otherwise holds
// the clock up until it returns.
type Clock struct {
	core  *core
	tasks chan func()
	over  chan struct{}
}

// NewVirtual makes a runtime for tests, with a clock that goes where the test says; it begins at
// one second. The same seed makes it play the same way. Close the runtime at the end.
func NewVirtual(seed uint64) (*Runtime, *Clock, error) {
	return NewVirtualWith(&RuntimeOptions{Seed: max(seed, 1)})
}

// NewVirtualWith is NewVirtual with options.
func NewVirtualWith(options *RuntimeOptions) (*Runtime, *Clock, error) {
	c := &core{work: newHostWork()}
	clock := &Clock{core: c, tasks: make(chan func()), over: make(chan struct{})}
	opened := make(chan error)
	go clock.serve(options, opened)
	if err := <-opened; err != nil {
		return nil, nil, err
	}
	rt, err := c.wrap(options)
	rt.clock = clock
	return rt, clock, err
}

// The clock's own thread: it ends with the goroutine, so that nothing else ever runs on it.
func (cl *Clock) serve(options *RuntimeOptions, opened chan<- error) {
	runtime.LockOSThread()
	err := cl.core.open(options)
	if err == nil {
		C.weir_runtime_process(cl.core.handle, C.int64_t(time.Second))
	}
	opened <- err
	if err != nil {
		return
	}
	for {
		select {
		case task := <-cl.tasks:
			task()
		case <-cl.over:
			return
		}
	}
}

func (cl *Clock) do(task func()) {
	done := make(chan struct{})
	select {
	case cl.tasks <- func() { defer close(done); task() }:
		<-done
	case <-cl.over:
	}
}

// Advance moves the clock, stopping at each timer on the way, and waits at each for what the host
// does then.
func (cl *Clock) Advance(by time.Duration) {
	cl.do(func() { cl.advance(C.int64_t(by)) })
}

// Settle does what is due now, without moving the clock.
func (cl *Clock) Settle() { cl.do(cl.settle) }

// AdvanceToNext moves the clock to the next timer; false if none is armed.
func (cl *Clock) AdvanceToNext() bool {
	moved := false
	cl.do(func() {
		cl.settle()
		if moved = cl.next() != math.MaxInt64; moved {
			C.weir_runtime_process(cl.core.handle, cl.next())
			cl.settle()
		}
	})
	return moved
}

// Now is the virtual time.
func (cl *Clock) Now() time.Duration { return time.Duration(C.weir_runtime_now(cl.core.handle)) }

// Run calls f on a goroutine and moves the clock from timer to timer while all that it started
// waits, until it has returned. Hours pass in microseconds. f and what it calls must use the
// context that it gets, and Go for more goroutines. It panics if all wait for what never comes.
func (cl *Clock) Run(f func(ctx context.Context)) {
	returned := make(chan struct{})
	cl.start(context.Background(), func(ctx context.Context) {
		defer close(returned)
		f(ctx)
	})
	for {
		stuck := false
		cl.do(func() {
			cl.settle()
			select {
			case <-returned:
				return
			default:
			}
			if stuck = cl.next() == math.MaxInt64; !stuck {
				C.weir_runtime_process(cl.core.handle, cl.next())
			}
		})
		select {
		case <-returned:
			return
		default:
		}
		if stuck {
			panic("weir: everything that Clock.Run started waits, and no timer is armed")
		}
	}
}

// Go begins a goroutine that the clock waits for.
func (cl *Clock) Go(ctx context.Context, f func(ctx context.Context)) { cl.start(ctx, f) }

func (cl *Clock) start(ctx context.Context, f func(context.Context)) {
	w := cl.core.work.begin()
	go func() {
		defer w.end()
		f(context.WithValue(ctx, workerKey{}, w))
	}()
}

// Wait waits until ctx ends, or what is ready comes; the clock does not wait for it meanwhile.
// False if ctx ended.
func (cl *Clock) Wait(ctx context.Context, ready <-chan struct{}) bool {
	if w, _ := ctx.Value(workerKey{}).(*worker); w != nil {
		w.park()
		defer w.unpark()
	}
	select {
	case <-ready:
		return true
	case <-ctx.Done():
		return false
	}
}

func (cl *Clock) next() C.int64_t { return C.weir_runtime_next_deadline(cl.core.handle) }

func (cl *Clock) advance(by C.int64_t) {
	handle := cl.core.handle
	target := C.weir_runtime_now(handle) + by
	cl.settle()
	for next := cl.next(); next <= target; next = cl.next() {
		C.weir_runtime_process(handle, next)
		cl.settle()
	}
	C.weir_runtime_process(handle, target)
	cl.settle()
}

// Until neither the library nor the host has anything to do at this moment.
func (cl *Clock) settle() {
	for {
		cl.core.work.idle()
		steps := C.weir_testing_run_until_idle(cl.core.handle)
		got := cl.receive()
		if steps == 0 && got == 0 {
			return
		}
	}
}

func (cl *Clock) receive() int {
	sum := 0
	for {
		got := cl.core.receive()
		if got == 0 {
			return sum
		}
		sum += got
	}
}

// Settles everything; functions that go on do so without a clock.
func (cl *Clock) close() error {
	cl.do(func() {
		C.weir_runtime_close(cl.core.handle)
		for i := 0; i < 8; i++ {
			C.weir_testing_run_until_idle(cl.core.handle)
			cl.receive()
		}
		cl.core.work.release()
		close(cl.over)
	})
	cl.core.closeLog()
	return nil
}

// hostWork counts what the host has to do before time may move.
type hostWork struct {
	mu       sync.Mutex
	quiet    *sync.Cond
	busy     int
	released bool // nobody waits any more
}

func newHostWork() *hostWork {
	h := &hostWork{}
	h.quiet = sync.NewCond(&h.mu)
	return h
}

func (h *hostWork) idle() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for h.busy > 0 && !h.released {
		h.quiet.Wait()
	}
}

func (h *hostWork) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.released = true
	h.quiet.Broadcast()
}

// A worker is a goroutine that the clock waits for, unless it is parked. Whoever wakes it unparks
// it first, so that the clock cannot move in between.
type worker struct {
	work   *hostWork
	parked bool
}

type workerKey struct{}

func (h *hostWork) begin() *worker {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.busy++
	return &worker{work: h}
}

func (w *worker) park() {
	w.work.mu.Lock()
	defer w.work.mu.Unlock()
	if !w.parked {
		w.parked = true
		w.work.less()
	}
}

func (w *worker) unpark() {
	w.work.mu.Lock()
	defer w.work.mu.Unlock()
	if w.parked {
		w.parked = false
		w.work.busy++
	}
}

func (w *worker) end() {
	w.unpark()
	w.work.mu.Lock()
	defer w.work.mu.Unlock()
	w.work.less()
}

func (h *hostWork) less() {
	if h.busy--; h.busy == 0 {
		h.quiet.Broadcast()
	}
}

// An Audit is a run that has not settled, or an orphan: a function that goes on though it was told
// to stop.
type Audit struct {
	Orphan   bool
	Attempts int
	Age      time.Duration
	Name     string
	// WaitsFor is what for, such as "limiter 'api': a permit".
	WaitsFor string
}

// Audit lists what is in flight now.
func (cl *Clock) Audit() (list []Audit) {
	cl.do(func() {
		var count C.size_t
		C.weir_runtime_audit(cl.core.handle, nil, C.sizeof_weir_audit_entry, 0, &count)
		if count == 0 {
			return
		}
		entries := make([]C.weir_audit_entry, count)
		C.weir_runtime_audit(cl.core.handle, &entries[0], C.sizeof_weir_audit_entry, count, &count)
		for _, e := range entries[:min(int(count), len(entries))] {
			list = append(list, Audit{
				Orphan: e.kind == C.WEIR_AUDIT_ORPHAN, Attempts: int(e.attempts), Age: time.Duration(e.age_ns),
				Name: C.GoString(&e.name[0]), WaitsFor: C.GoString(&e.waits_for[0]),
			})
		}
	})
	return list
}
