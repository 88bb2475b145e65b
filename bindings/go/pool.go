// SPDX-License-Identifier: MIT

package weir

// #include <stdlib.h>
// #include "glue.h"
import "C"

import (
	"context"
	"runtime"
	"sync"
	"unsafe"
)

// A Pool runs what is added to it, before and while it runs, at most so many at once.
type Pool[O any] struct {
	owner
	core      *core
	policy    Policy // around each item; nil: none
	mu        sync.Mutex
	added     []any // operations, for as long as the pool may run them
	collected *collector[O]
	operation Operation[any, []Result[O]]
}

// NewPool makes a pool. Failing items do not end it, unless stopOnError.
func NewPool[O any](rt *Runtime, stopOnError bool, options ParallelOptions) (*Pool[O], error) {
	if err := rt.given("pool"); err != nil {
		return nil, err
	}
	var c C.weir_pool_options
	C.weir_pool_options_init(&c, C.size_t(unsafe.Sizeof(c)))
	c.stop_on_error = flag(stopOnError)
	setNumber(&c.concurrency, options.Concurrency)
	setDuration(&c.item_timeout_ms, options.ItemTimeout)
	if options.Policy != nil {
		around, err := givenPolicy("pool", "Policy", options.Policy)
		if err != nil {
			return nil, err
		}
		defer runtime.KeepAlive(options.Policy)
		c.policy = around.c()
	}
	c.name = cText(options.Name)
	defer free(c.name)
	p := &Pool[O]{core: rt.core, policy: options.Policy, collected: collect[O](rt.core, options, -1)}
	c.queue, c.user = p.collected.target()
	var made *C.weir_pool
	var failure *C.weir_error
	status := C.weir_pool_new(rt.handle, &c, &made, &failure)
	if status != C.WEIR_OK {
		p.collected.close()
		return nil, creationError(status, failure)
	}
	p.set(rt, unsafe.Pointer(made), func(pool unsafe.Pointer) {
		C.weir_pool_unref((*C.weir_pool)(pool))
	})
	p.operation.decode = decodeResults[O]
	p.operation.keeps = []any{p, options.Policy}
	p.operation.own(rt, C.weir_operation_ref(C.weir_pool_operation(made)))
	if p.collected != nil {
		p.collected.ear.with(rt.core, p.held())
	}
	return p, nil
}

// Go adds a function.
func (p *Pool[O]) Go(f func(ctx context.Context) (O, error)) error {
	operation, err := Func(p.rt, f)
	if err != nil {
		return err
	}
	return AddTo(p, operation, nil)
}

// AddTo adds an operation with an input to a pool.
func AddTo[I, O any](p *Pool[O], operation *Operation[I, O], input I) error {
	if p == nil {
		return missing("pool", "p")
	}
	operation, err := operation.under("pool", p.policy)
	if err != nil {
		return err
	}
	made := encodeInput(p.core, input)
	defer C.weir_value_unref(made)
	return p.add(&operation.operationBase, made)
}

func (p *Pool[O]) add(operation *operationBase, input *C.weir_value) error {
	return p.with(func(h *handle) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		inner := operation.held()
		defer runtime.KeepAlive(inner)
		var failure *C.weir_error
		status := C.weir_pool_add((*C.weir_pool)(h.pointer), operation.c(), input, &failure)
		if status == C.WEIR_OK {
			p.added = append(p.added, operation)
		}
		return creationError(status, failure)
	})
}

// Seal says that no more comes: the run ends when all that was added has.
func (p *Pool[O]) Seal() error {
	return p.with(func(h *handle) error {
		p.mu.Lock()
		p.collected.know(len(p.added))
		p.mu.Unlock()
		return statusError(C.weir_pool_seal((*C.weir_pool)(h.pointer)))
	})
}

// Start runs the pool. It can be run once.
func (p *Pool[O]) Start(ctx context.Context, options ...RunOption) (*PoolCall[O], error) {
	call, err := p.operation.Start(ctx, nil, options...)
	if err != nil {
		return nil, err
	}
	return &PoolCall[O]{call, p}, nil
}

// Run runs the pool and waits until it is sealed and all that was added has ended: the results, in
// the order of adding.
func (p *Pool[O]) Run(ctx context.Context, options ...RunOption) ([]Result[O], error) {
	results, err := p.operation.Run(ctx, nil, options...)
	return p.results(results, err)
}

func (p *Pool[O]) results(results []Result[O], err error) ([]Result[O], error) {
	if err == nil && p.collected != nil {
		return p.collected.take(), nil
	}
	return results, err
}

// A PoolCall is a pool that runs.
type PoolCall[O any] struct {
	*Call[[]Result[O]]
	pool *Pool[O]
}

// Wait waits until the pool is sealed and all that was added has ended.
func (c *PoolCall[O]) Wait(ctx context.Context) ([]Result[O], error) {
	results, err := c.Call.Wait(ctx)
	return c.pool.results(results, err)
}

// PoolStats counts.
type PoolStats struct {
	Sealed                                     bool
	Added, Waiting, Running, Succeeded, Failed uint64
}

// Stats counts.
func (p *Pool[O]) Stats() (stats PoolStats, err error) {
	err = p.with(func(h *handle) error {
		var s C.weir_pool_stats
		s.size = C.uint32_t(unsafe.Sizeof(s))
		status := C.weir_pool_get_stats((*C.weir_pool)(h.pointer), &s)
		stats = PoolStats{
			s.sealed != 0, uint64(s.added), uint64(s.waiting), uint64(s.running), uint64(s.succeeded),
			uint64(s.failed),
		}
		return statusError(status)
	})
	return
}
