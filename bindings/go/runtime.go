// SPDX-License-Identifier: MIT

package weir

// #include "glue.h"
import "C"

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
	"weak"
)

// RuntimeOptions are those of New. The zero value of each field is its default.
type RuntimeOptions struct {
	// Seed of jitter and hashing; 0: from the system.
	Seed uint64
	// MaxInFlight bounds the calls that have not settled and the attempts that go on after theirs
	// has; beyond it calls fail with ErrFull. Default Unlimited.
	MaxInFlight int64
	// CloseGrace is how long Close waits for functions that go on though their context is
	// cancelled. Default 5 s; Zero, Forever.
	CloseGrace time.Duration
	// Logger gets the library's own lines, and those of Log and Scope.Log; nil: none are made.
	Logger *slog.Logger
	// Name in logs and metrics; default "weir".
	Name string
	// RecorderEntries is how many decisions RecorderDump and Events tell; default 0: off, with OnEvent
	// 1024. About 300 bytes each.
	RecorderEntries uint32
	// OnEvent is told what the policies do, in order, on the runtime's goroutine: it must not block.
	OnEvent func(Event)
	// Metrics adds histograms of latency and waiting to the metrics' text.
	Metrics bool
}

// A Runtime is the engine: clock, timers, and one goroutine that runs it. Make one per process and
// share it. All methods take any goroutine.
type Runtime struct {
	*core
	clock  *Clock
	none   policyBase // the policy that adds nothing
	pinned sync.Map   // what registered policies need of Go
	told   *ear       // of its events; nil without
}

// The part of a runtime that its goroutines hold; a Runtime that nobody holds is closed.
type core struct {
	handle    *C.weir_runtime
	queue     *C.weir_completions
	operation *C.weir_operation // of closures: user is the run's context
	calls     slab[call]
	ops       slab[weak.Pointer[function]]
	values    valueSlab
	listeners slab[weak.Pointer[listener]] // of EVENT, ITEM and RECORDED records
	attempts  attemptTable
	records   records
	outer     weak.Pointer[Runtime]
	work      *hostWork     // of virtual time; else nil
	driver    *driver       // of real time; else nil
	scoped    atomic.Bool   // there was a scope: contexts are searched for one
	drained   chan struct{} // closed when the driver is over
	log       *C.weirgo_log
	logged    *sync.WaitGroup // its own, so that who empties the log does not hold this
}

// New makes a runtime. Nil options are the defaults. Close it to wait for
// its end; one that is merely dropped is closed by the garbage collector.
func New(options *RuntimeOptions) (*Runtime, error) {
	c := &core{drained: make(chan struct{})}
	driver, err := newDriver(c)
	if err != nil {
		return nil, err
	}
	c.driver = driver
	if err := c.open(options); err != nil {
		driver.discard()
		return nil, err
	}
	rt, err := c.wrap(options)
	go driver.drive()
	runtime.AddCleanup(rt, (*core).beginClose, c)
	return rt, err
}

// ErrInvalid of a runtime that was not made by New or NewVirtual.
func (rt *Runtime) given(subject string) error {
	if rt == nil || rt.core == nil {
		return missing(subject, "rt")
	}
	return nil
}

// A weak pointer to the Runtime around it: what must not keep that alive goes through here.
func (c *core) owner() *Runtime { return c.outer.Value() }

// Refuses new calls and settles what is in flight.
func (c *core) beginClose() {
	C.weir_runtime_close(c.handle)
	c.driver.rouse()
}

func (c *core) wrap(options *RuntimeOptions) (*Runtime, error) {
	rt := &Runtime{core: c}
	rt.none.rt = rt
	rt.none.box.Store(noHandle)
	c.outer = weak.Make(rt)
	if options != nil && options.OnEvent != nil {
		return rt, rt.openEvents(options.OnEvent)
	}
	return rt, nil
}

func (c *core) open(options *RuntimeOptions) error {
	if options == nil {
		options = &RuntimeOptions{}
	}
	if err := c.openRuntime(options); err != nil {
		return err
	}
	if err := c.openQueue(); err != nil {
		C.weir_runtime_unref(c.handle)
		return err
	}
	runtime.AddCleanup(c, unrefCore, coreHandles{c.handle, c.queue, c.operation})
	return nil
}

type coreHandles struct {
	handle    *C.weir_runtime
	queue     *C.weir_completions
	operation *C.weir_operation
}

// Nothing of Go is left that could complete an attempt. A virtual runtime has no thread: its last
// reference was given back on its own (see Clock).
func unrefCore(h coreHandles) {
	C.weir_operation_unref(h.operation)
	C.weir_completions_unref(h.queue)
	C.weir_runtime_unref(h.handle)
}

func (c *core) openRuntime(options *RuntimeOptions) error {
	var o C.weir_runtime_options
	C.weir_runtime_options_init(&o, C.size_t(unsafe.Sizeof(o)))
	if c.driver == nil {
		o.driver = C.WEIR_DRIVER_MANUAL
	} else {
		C.weirgo_waker_install(c.driver.waker, &o)
	}
	o.seed = C.uint64_t(options.Seed)
	setNumber(&o.max_in_flight, options.MaxInFlight)
	setDuration(&o.close_grace_ms, options.CloseGrace)
	o.name = cText(options.Name)
	defer free(o.name)
	o.recorder_entries = C.uint32_t(options.RecorderEntries)
	if options.OnEvent != nil && o.recorder_entries == 0 {
		o.recorder_entries = 1024
	}
	o.metrics = flag(options.Metrics)
	if options.Logger != nil {
		c.openLog(options.Logger, &o)
	}
	var failure *C.weir_error
	status := C.weir_runtime_new(&o, &c.handle, &failure)
	return creationError(status, failure)
}

func (c *core) openQueue() error {
	var failure *C.weir_error
	status := C.weir_completions_new(c.handle, nil, &c.queue, &failure)
	if status != C.WEIR_OK {
		return creationError(status, failure)
	}
	status = C.weir_operation_new_queued(c.queue, C.WEIR_USER_OF_RUN, &c.operation, &failure)
	if status != C.WEIR_OK {
		C.weir_completions_unref(c.queue)
	}
	return creationError(status, failure)
}

// Close refuses new calls, cancels what is in flight, which settles with ErrClosed, and waits until
// all functions have returned, at most CloseGrace; so not from inside of one. Closing twice is
// harmless.
func (rt *Runtime) Close() error { return rt.Shutdown(context.Background()) }

// Shutdown is Close that waits no longer than ctx: then it returns its error, and the closing goes
// on.
func (rt *Runtime) Shutdown(ctx context.Context) error {
	defer runtime.KeepAlive(rt)
	if rt.clock != nil {
		return rt.clock.close()
	}
	rt.beginClose()
	select {
	case <-rt.drained:
		rt.closeLog()
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Closed tells whether closing has begun.
func (rt *Runtime) Closed() bool {
	defer runtime.KeepAlive(rt)
	return C.weir_runtime_state(rt.handle) != C.WEIR_OK
}

// Now is the runtime's own monotonic time.
func (rt *Runtime) Now() time.Duration {
	defer runtime.KeepAlive(rt)
	return time.Duration(C.weir_runtime_now(rt.handle))
}

// Trim gives pooled memory back to the system.
func (rt *Runtime) Trim() error {
	defer runtime.KeepAlive(rt)
	return statusError(C.weir_runtime_trim(rt.handle))
}

// RuntimeStats is a recent view of what a runtime does.
type RuntimeStats struct {
	RunsAccepted, RunsSettled, AttemptsStarted, LiveCalls uint64
	// Orphans are functions that go on though they were told to stop.
	Orphans, Timers, Turns uint64
	// Slots are the Go objects that the library holds by number: calls, values, operations.
	Slots int
}

// Stats counts.
func (rt *Runtime) Stats() RuntimeStats {
	defer runtime.KeepAlive(rt)
	var s C.weir_runtime_stats
	s.size = C.uint32_t(unsafe.Sizeof(s))
	C.weir_runtime_get_stats(rt.handle, &s)
	return RuntimeStats{
		RunsAccepted: uint64(s.runs_accepted), RunsSettled: uint64(s.runs_settled),
		AttemptsStarted: uint64(s.attempts_started), LiveCalls: uint64(s.live_calls),
		Orphans: uint64(s.orphans), Timers: uint64(s.timers), Turns: uint64(s.turns),
		Slots: rt.calls.live() + rt.values.live(),
	}
}

// Text that C writes into a buffer whose size it tells.
func readText(write func(buffer *C.char, size C.size_t, needed *C.size_t) C.weir_status) (string,
	error) {
	var needed C.size_t
	status := write(nil, 0, &needed)
	for status == C.WEIR_OK || status == C.WEIR_EFULL {
		size := needed + 256
		buffer := make([]byte, size)
		status = write((*C.char)(unsafe.Pointer(&buffer[0])), size, &needed)
		if status == C.WEIR_OK {
			return string(buffer[:needed-1]), nil
		}
	}
	return "", statusError(status)
}

// Metrics is what all handles have counted, as OpenMetrics text. Serve it as
// "application/openmetrics-text; version=1.0.0; charset=utf-8".
func (rt *Runtime) Metrics() (string, error) {
	defer runtime.KeepAlive(rt)
	return readText(func(b *C.char, s C.size_t, n *C.size_t) C.weir_status {
		return C.weir_runtime_metrics(rt.handle, b, s, n)
	})
}

// MetricsText is the same in Prometheus's older text format, 0.0.4.
func (rt *Runtime) MetricsText() (string, error) {
	defer runtime.KeepAlive(rt)
	return readText(func(b *C.char, s C.size_t, n *C.size_t) C.weir_status {
		return C.weir_runtime_metrics_text(rt.handle, b, s, n)
	})
}

// RecorderDump is the last decisions of all policies, for people. ErrNotSupported without
// RecorderEntries.
func (rt *Runtime) RecorderDump() (string, error) {
	defer runtime.KeepAlive(rt)
	return readText(func(b *C.char, s C.size_t, n *C.size_t) C.weir_status {
		return C.weir_recorder_dump(rt.handle, b, s, n)
	})
}

// SetLabel adds a label to all samples of the metrics. ErrExists if it was set before.
func (rt *Runtime) SetLabel(key, value string) error {
	defer runtime.KeepAlive(rt)
	return setLabel(key, value, func(k, v *C.char, e **C.weir_error) C.weir_status {
		return C.weir_runtime_set_label(rt.handle, k, v, e)
	})
}

func setLabel(key, value string, set func(k, v *C.char, e **C.weir_error) C.weir_status) error {
	k, v := C.CString(key), C.CString(value)
	defer free(k)
	defer free(v)
	var failure *C.weir_error
	status := set(k, v, &failure)
	return creationError(status, failure)
}

// Find gives the policy that was registered under this name, by whatever language: a *Breaker,
// *Limiter, *Retry, *Timeout, *Pipeline or *Chaos, or another Policy. ErrNotFound if there is none.
func (rt *Runtime) Find(name string) (Policy, error) {
	defer runtime.KeepAlive(rt)
	text := C.CString(name)
	defer free(text)
	var found *C.weir_policy
	var failure *C.weir_error
	status := C.weir_policy_find(rt.handle, text, &found, &failure)
	if status != C.WEIR_OK {
		return nil, creationError(status, failure)
	}
	return rt.asPolicy(found), nil
}
