// SPDX-License-Identifier: MIT

package weir

// #include <stdlib.h>
// #include "glue.h"
import "C"

import (
	"context"
	"iter"
	"runtime"
	"sync"
	"time"
	"unsafe"
)

// ParallelOptions are those of Map, Parallel and NewPool. The zero value of each field but
// Concurrency is its default.
type ParallelOptions struct {
	// Concurrency is how many at once; at least 1, or Unlimited. Required.
	Concurrency int64
	// ItemTimeout of each item, its policy's waits included. Default Forever; Zero.
	ItemTimeout time.Duration
	// Policy around each item.
	Policy Policy
	// OnItem is told how each item ended, OnProgress how many have; total is -1 while nobody knows.
	// On the runtime's goroutine: they must not block. Items that are stopped because the whole
	// ended are not told of. Only for Map, MapSettled, MapSeq and pools.
	OnItem     func(index int, value any, err error)
	OnProgress func(done, total int)
	Name       string
}

func (o *ParallelOptions) hooked() bool { return o.OnItem != nil || o.OnProgress != nil }

func (o *ParallelOptions) c(stop bool) C.weir_parallel_options {
	var c C.weir_parallel_options
	C.weir_parallel_options_init(&c, C.size_t(unsafe.Sizeof(c)))
	c.stop_on_error = flag(stop)
	setNumber(&c.concurrency, o.Concurrency)
	setDuration(&c.item_timeout_ms, o.ItemTimeout)
	if o.Policy != nil {
		c.policy = o.Policy.policy().c()
	}
	c.name = cText(o.Name)
	return c
}

// Parallel makes an operation that runs several, at most so many at once, each with its input, and
// succeeds with their values in their order. The first failure ends it.
func Parallel[I, O any](rt *Runtime, options ParallelOptions,
	operations ...*Operation[I, O]) (*Operation[I, []O], error) {
	return parallel(rt, options, true, decodeList[O], operations)
}

// ParallelSettled is Parallel that runs them all, however they end.
func ParallelSettled[I, O any](rt *Runtime, options ParallelOptions,
	operations ...*Operation[I, O]) (*Operation[I, []Result[O]], error) {
	return parallel(rt, options, false, decodeResults[O], operations)
}

func parallel[I, O, L any](rt *Runtime, options ParallelOptions, stop bool,
	decode func(*C.weir_value, *core) (L, error), operations []*Operation[I, O]) (*Operation[I,
	L], error) {
	if err := givenAll("parallel", rt, "operations", operations); err != nil {
		return nil, err
	}
	if options.hooked() {
		return nil, invalid("parallel: OnItem and OnProgress are for Map, MapSettled, MapSeq and pools")
	}
	c := options.c(stop)
	defer free(c.name)
	defer runtime.KeepAlive(options.Policy)
	o := &Operation[I, L]{decode: decode}
	inner := make([]*Operation[I, O], len(operations))
	for i, operation := range operations {
		var err error
		if inner[i], err = operation.under("parallel", options.Policy); err != nil {
			return nil, err
		}
	}
	err := combine(&o.operationBase, rt, inner, func(list **C.weir_operation, n C.size_t,
		out **C.weir_operation,
		e **C.weir_error) C.weir_status {
		return C.weir_parallel_new(rt.handle, list, n, &c, out, e)
	})
	if err == nil {
		o.keeps = []any{o.keeps, options.Policy}
	}
	return o, err
}

// ParallelEach makes an operation that runs another once for each item of its input.
func ParallelEach[I, O any](operation *Operation[I, O], options ParallelOptions) (*Operation[[]I,
	[]O], error) {
	return parallelEach(operation, options, true, decodeList[O])
}

// ParallelEachSettled is ParallelEach that runs all items, however they end.
func ParallelEachSettled[I, O any](operation *Operation[I, O],
	options ParallelOptions) (*Operation[[]I, []Result[O]], error) {
	return parallelEach(operation, options, false, decodeResults[O])
}

func parallelEach[I, O, L any](operation *Operation[I, O], options ParallelOptions, stop bool,
	decode func(*C.weir_value, *core) (L, error)) (*Operation[[]I, L], error) {
	if options.hooked() {
		return nil, invalid("parallel: OnItem and OnProgress are for Map, MapSettled, MapSeq and pools")
	}
	o := &Operation[[]I, L]{decode: decode}
	o.encode = func(c *core, items []I) *C.weir_value { return encodeList(c, items, encodeInput[I]) }
	operation, err := operation.under("parallel", options.Policy)
	if err != nil {
		return nil, err
	}
	c := options.c(stop)
	defer free(c.name)
	return o, o.each(operation.rt, &operation.operationBase, options, nil, &c)
}

// ParallelOver makes an operation that runs another once for each of these items.
func ParallelOver[I, O any](operation *Operation[I, O], items []I,
	options ParallelOptions) (*Operation[any, []O], error) {
	return parallelOver(operation, items, options, true, decodeList[O])
}

// ParallelOverSettled is ParallelOver that runs all items, however they end.
func ParallelOverSettled[I, O any](operation *Operation[I, O], items []I,
	options ParallelOptions) (*Operation[any, []Result[O]], error) {
	return parallelOver(operation, items, options, false, decodeResults[O])
}

func parallelOver[I, O, L any](operation *Operation[I, O], items []I, options ParallelOptions,
	stop bool,
	decode func(*C.weir_value, *core) (L, error)) (*Operation[any, L], error) {
	if options.hooked() {
		return nil, invalid("parallel: OnItem and OnProgress are for Map, MapSettled, MapSeq and pools")
	}
	operation, err := operation.under("parallel", options.Policy)
	if err != nil {
		return nil, err
	}
	list := encodeList(operation.rt.core, items, encodeInput[I])
	defer C.weir_value_unref(list)
	o := &Operation[any, L]{decode: decode}
	c := options.c(stop)
	defer free(c.name)
	return o, o.each(operation.rt, &operation.operationBase, options, list, &c)
}

func (o *operationBase) each(rt *Runtime, operation *operationBase, options ParallelOptions,
	items *C.weir_value,
	c *C.weir_parallel_options) error {
	h := operation.held()
	defer runtime.KeepAlive(h)
	defer runtime.KeepAlive(options.Policy)
	return o.make(rt, []any{operation, options.Policy}, func(out **C.weir_operation,
		e **C.weir_error) C.weir_status {
		return C.weir_parallel_new_each(operation.c(), items, c, out, e)
	})
}

// Map calls f for each item, at most so many at once, and gives the values in the order of the
// items. The first failure ends it, and the contexts of the others are cancelled.
func Map[I, O any](ctx context.Context, rt *Runtime, items []I, options ParallelOptions,
	f func(ctx context.Context, item I) (O, error), run ...RunOption) ([]O, error) {
	results, err := mapItems(ctx, rt, items, options, true, f, run)
	if err != nil {
		return nil, err
	}
	values := make([]O, len(results))
	for i, result := range results {
		values[i] = result.Value
	}
	return values, nil
}

// MapSettled is Map that goes on when items fail.
func MapSettled[I, O any](ctx context.Context, rt *Runtime, items []I, options ParallelOptions,
	f func(ctx context.Context, item I) (O, error), run ...RunOption) ([]Result[O], error) {
	return mapItems(ctx, rt, items, options, false, f, run)
}

func mapItems[I, O any](ctx context.Context, rt *Runtime, items []I, options ParallelOptions,
	stop bool,
	f func(ctx context.Context, item I) (O, error), run []RunOption) ([]Result[O], error) {
	return mapAny(ctx, rt, options, stop, f, run, len(items),
		func(c *C.weir_parallel_options) (*C.weir_value, func(), error) {
			return encodeList(rt.core, items, encodeInput[I]), func() {}, nil
		})
}

// MapSeq is MapSettled of items that are taken from a sequence as there is room for them.
func MapSeq[I, O any](ctx context.Context, rt *Runtime, items iter.Seq[I], options ParallelOptions,
	f func(ctx context.Context, item I) (O, error), run ...RunOption) ([]Result[O], error) {
	return mapAny(ctx, rt, options, false, f, run, -1,
		func(c *C.weir_parallel_options) (*C.weir_value, func(), error) {
			source, err := newSource(rt, items)
			if err != nil {
				return nil, nil, err
			}
			c.source = source.c()
			return nil, source.stop, nil
		})
}

func mapAny[I, O any](ctx context.Context, rt *Runtime, options ParallelOptions, stop bool,
	f func(ctx context.Context, item I) (O, error), run []RunOption, total int,
	feed func(*C.weir_parallel_options) (*C.weir_value, func(), error)) ([]Result[O], error) {
	if err := rt.given("map"); err != nil {
		return nil, err
	}
	leaf, err := NewOperation(rt, f)
	if err == nil {
		leaf, err = leaf.under("map", options.Policy)
	}
	if err != nil {
		return nil, err
	}
	c := options.c(stop)
	defer free(c.name)
	list, done, err := feed(&c)
	if err != nil {
		return nil, err
	}
	defer done()
	defer C.weir_value_unref(list)
	collected := collect[O](rt.core, options, total)
	defer collected.close()
	c.queue, c.user = collected.target()
	each := &Operation[any, []Result[O]]{decode: decodeResults[O]}
	if err = each.each(rt, &leaf.operationBase, options, list, &c); err != nil {
		return nil, err
	}
	results, err := each.Run(ctx, nil, run...)
	if err == nil && collected != nil {
		return collected.take(), nil
	}
	return results, err
}

// A collector is told of each item, and keeps the results that the library then does not.
type collector[O any] struct {
	core    *core
	options ParallelOptions
	ear     *ear
	mu      sync.Mutex
	results []Result[O]
	done    int
	total   int
}

// Nil if nobody wants to be told.
func collect[O any](core *core, options ParallelOptions, total int) *collector[O] {
	if !options.hooked() {
		return nil
	}
	k := &collector[O]{core: core, options: options, total: total}
	k.ear = core.listen(k.item)
	return k
}

func (k *collector[O]) target() (*C.weir_completions, C.uint64_t) {
	if k == nil {
		return nil, 0
	}
	return k.core.queue, k.ear.user()
}

func (k *collector[O]) close() {
	if k != nil {
		k.core.unlisten(k.ear)
	}
}

func (k *collector[O]) item(record *C.weirgo_record) {
	result := k.result(record)
	index := int(record.detail)
	k.mu.Lock()
	for len(k.results) <= index {
		k.results = append(k.results, Result[O]{})
	}
	k.results[index] = result
	k.done++
	done, total := k.done, k.total
	k.mu.Unlock()
	if k.options.OnItem != nil {
		k.options.OnItem(index, result.Value, result.Err)
	}
	if k.options.OnProgress != nil {
		k.options.OnProgress(done, total)
	}
}

// Takes the record's reference.
func (k *collector[O]) result(record *C.weirgo_record) (result Result[O]) {
	if record.channel == C.WEIR_CHANNEL_VALUE {
		value := (*C.weir_value)(pointerOf(record.object))
		result.Value, result.Err = decodeValue[O](value, k.core)
		C.weir_value_unref(value)
		return
	}
	if record.object == 0 || record.channel != C.WEIR_CHANNEL_ERROR {
		result.Err = statusError(C.weir_status(record.status))
		return
	}
	failure := (*C.weir_error)(pointerOf(record.object))
	result.Err = k.core.goError(failure)
	C.weir_error_unref(failure)
	return
}

func (k *collector[O]) take() []Result[O] {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.results
}

func (k *collector[O]) know(total int) {
	if k != nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.total = total
	}
}

// A source answers when a parallel asks for its next item; it is asked for one after another.
type source[I any] struct {
	operationBase
	mu   sync.Mutex
	next func() (I, bool)
	end  func()
	over bool
}

func newSource[I any](rt *Runtime, items iter.Seq[I]) (*source[I], error) {
	s := &source[I]{}
	s.next, s.end = iter.Pull(items)
	return s, s.ask(rt, s)
}

func (s *source[I]) attempt(a *attempt) {
	protect(func() (*C.weir_value, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.over {
			return nil, nil
		}
		item, ok := s.next()
		if !ok {
			return nil, nil
		}
		return encodeItem(a.core, item), nil
	}, func(value *C.weir_value, err error) {
		a.seal()
		defer a.leave()
		if err != nil {
			a.fail(err, noVerdict)
			return
		}
		a.succeed(value, noVerdict)
	})
}

// A sequence that is being asked is stopped when it has answered, and nobody waits for that.
func (s *source[I]) stop() {
	if !s.mu.TryLock() {
		go s.wait()
		return
	}
	defer s.mu.Unlock()
	s.finish()
}

func (s *source[I]) wait() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finish()
}

func (s *source[I]) finish() {
	if !s.over {
		s.over = true
		s.end()
	}
}
