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

// Tells of evictions by an operation whose runs bring key, value and cause.
func (c *Cache[V]) tell(rt *Runtime, f func(string, V, EvictCause)) (err error) {
	c.told, err = NewOperation(rt, func(ctx context.Context, value V) (struct{}, error) {
		about := AttemptOf(ctx)
		f(string(about.Key), value, EvictCause(about.context))
		return struct{}{}, nil
	})
	return err
}

// A Loader gets values of a cache, and loads those that are absent: however many Get wait for one
// key, it is loaded once, and all get the value or the error. Each has its own deadline; the load
// goes on for the others, and its context is cancelled when the last of them has left. So policies
// for loads go into the loader: [Cache.LoaderUnder].
type Loader[V any] struct {
	operation *Operation[*work[V], V]
	work      owner // the input: a value of C
}

// Loader makes a loader of a function.
func (c *Cache[V]) Loader(load func(ctx context.Context, key string) (V, error)) (*Loader[V],
	error) {
	return c.LoaderUnder(c.rt, load)
}

// LoaderUnder makes a loader each of whose loads runs under a policy.
func (c *Cache[V]) LoaderUnder(policy Policy, load func(ctx context.Context, key string) (V,
	error)) (*Loader[V], error) {
	if load == nil {
		return nil, invalid("cache: load must not be nil")
	}
	p, err := givenPolicy("cache", "policy", policy)
	if err != nil {
		return nil, err
	}
	loads := c.loads
	if p.held() != noHandle {
		h, held := c.loads.held(), p.held()
		defer runtime.KeepAlive(h)
		defer runtime.KeepAlive(held)
		loads = &Operation[*work[V], V]{}
		err := loads.make(c.rt, []any{policy, c.loads}, func(out **C.weir_operation,
			e **C.weir_error) C.weir_status {
			return C.weir_policy_wrap(p.c(), c.loads.c(), out, e)
		})
		if err != nil {
			return nil, err
		}
	}
	gets, err := CacheGet(c, loads)
	if err != nil {
		return nil, err
	}
	l := &Loader[V]{operation: gets}
	l.work.set(c.rt, unsafe.Pointer(encodeHost(c.rt.core, &work[V]{load, p.retryable})), unrefValue)
	return l, nil
}

func unrefValue(p unsafe.Pointer) { C.weir_value_unref((*C.weir_value)(p)) }

// CacheGet makes the get of a cache an operation: the run's key (WithKey) is the key, its input
// that of the loader; a nil input becomes the key.
func CacheGet[I, V any](c *Cache[V], loader *Operation[I, V]) (*Operation[I, V], error) {
	if c == nil {
		return nil, missing("cache", "c")
	}
	if err := given("cache", "loader", loader); err != nil {
		return nil, err
	}
	o := &Operation[I, V]{encode: loader.encode}
	h, loads := c.held(), loader.held()
	if h == nil {
		return nil, statusError(C.WEIR_ECLOSED)
	}
	defer runtime.KeepAlive(h)
	defer runtime.KeepAlive(loads)
	err := o.make(c.rt, []any{c, loader}, func(out **C.weir_operation,
		e **C.weir_error) C.weir_status {
		return C.weir_cache_operation(c.c(h), loader.c(), out, e)
	})
	return o, err
}

// Get gets the value of a key, loading it if it is absent.
func (l *Loader[V]) Get(ctx context.Context, key string, options ...RunOption) (V, error) {
	call, err := l.start(ctx, key, options)
	if err != nil {
		var none V
		return none, err
	}
	call.wait(ctx)
	return call.result()
}

// Start is Get that returns at once.
func (l *Loader[V]) Start(ctx context.Context, key string, options ...RunOption) (*Call[V], error) {
	call, err := l.start(ctx, key, options)
	if err != nil {
		return nil, err
	}
	call.watch(ctx)
	return &Call[V]{typedCall: call}, nil
}

func (l *Loader[V]) start(ctx context.Context, key string, options []RunOption) (*typedCall[V],
	error) {
	o, h := l.operation, l.work.held()
	defer runtime.KeepAlive(h)
	input := C.weir_value_ref((*C.weir_value)(h.pointer))
	return startOperation(&o.operationBase, o.decode, ctx, nil, input,
		append([]RunOption{WithKey(key)}, options...))
}

// A ManyLoader gets many keys of a cache at once, and loads those that are absent in one go.
type ManyLoader[V any] struct {
	operation *Operation[any, []Result[V]]
}

// ManyLoader makes a loader of a function that loads many keys: it returns one result for each, in
// their order. An Err of ErrNotFound says that there is none.
func (c *Cache[V]) ManyLoader(load func(ctx context.Context, keys []string) ([]Result[V],
	error)) (*ManyLoader[V], error) {
	loads := &Operation[[]string, []Result[V]]{}
	if err := loads.serve(c.rt, &manyFunction[V]{load}); err != nil {
		return nil, err
	}
	o := &Operation[any, []Result[V]]{decode: decodeResults[V]}
	h := c.held()
	if h == nil {
		return nil, statusError(C.WEIR_ECLOSED)
	}
	defer runtime.KeepAlive(h)
	err := o.make(c.rt, []any{c, loads}, func(out **C.weir_operation, e **C.weir_error) C.weir_status {
		return C.weir_cache_operation_many(c.c(h), loads.c(), out, e)
	})
	return &ManyLoader[V]{o}, err
}

// Get gets the values of many keys, in their order; a key may occur twice. Keys that failed do not
// make it fail.
func (l *ManyLoader[V]) Get(ctx context.Context, keys []string, options ...RunOption) ([]Result[V],
	error) {
	o := l.operation
	list := encodeList(o.rt.core, keys, encodeValue[string])
	call, err := startOperation(&o.operationBase, o.decode, ctx, nil, list, options)
	if err != nil {
		return nil, err
	}
	call.wait(ctx)
	return call.result()
}

// A function from a list of keys to a list of values and errors.
type manyFunction[V any] struct {
	load func(context.Context, []string) ([]Result[V], error)
}

func (f *manyFunction[V]) attempt(a *attempt) {
	protect(func() ([]Result[V], error) {
		a.adoptContext()
		keys, err := decodeList[string](a.input, a.core)
		C.weir_value_unref(a.input)
		if err != nil {
			return nil, Final(err)
		}
		return f.load(a, keys)
	}, func(results []Result[V], err error) { f.complete(a, results, err) })
}

func (f *manyFunction[V]) complete(a *attempt, results []Result[V], err error) {
	a.seal()
	defer a.leave()
	if err != nil {
		a.fail(err, noVerdict)
		return
	}
	values := make([]*C.weir_value, len(results))
	errors := make([]*C.weir_error, len(results))
	for i, result := range results {
		switch {
		case result.Err == ErrNotFound: // neither: that is what it means
		case result.Err != nil:
			errors[i] = a.core.cError(result.Err)
		default:
			values[i] = encodeValue(a.core, result.Value)
		}
	}
	made := makeList(a.core, values, errors)
	a.succeed(made, noVerdict)
}

// MemoizeOptions are those of Memoize. The zero value of each field is its default.
type MemoizeOptions struct {
	Eviction Eviction
	// MaxEntries; default 1000.
	MaxEntries int64
	// TTL; default Forever.
	TTL time.Duration
	// LoadTimeout; default Forever.
	LoadTimeout time.Duration
	Name        string
}

// A Memoized operation runs once for each input, and gives later runs with the same input its
// value. Errors are never kept.
type Memoized[I, O any] struct {
	Operation[memoInput[I], O]
	key   func(I) string
	cache *Cache[O]
}

// The key and the input; a string or a byte slice is its own key.
type memoInput[I any] struct{ input I }

// Memoize makes a memoized form of an operation. Key tells which inputs are equal; it may be nil
// for strings and byte slices.
func Memoize[I, O any](operation *Operation[I, O], key func(I) string,
	options MemoizeOptions) (*Memoized[I, O], error) {
	if err := given("memoize", "operation", operation); err != nil {
		return nil, err
	}
	rt := operation.rt
	m := &Memoized[I, O]{key: key}
	var none I
	switch any(none).(type) {
	case string, []byte:
	default:
		if key == nil {
			return nil, invalid("memoize needs a key function for inputs that are neither strings nor bytes")
		}
	}
	inner, err := m.inner(operation)
	if err != nil {
		return nil, err
	}
	var c C.weir_memoize_options
	C.weir_memoize_options_init(&c, C.size_t(unsafe.Sizeof(c)))
	c.eviction = C.uint32_t(options.Eviction)
	setNumber(&c.max_entries, options.MaxEntries)
	setDuration(&c.ttl_ms, options.TTL)
	setDuration(&c.load_timeout_ms, options.LoadTimeout)
	if key != nil {
		C.weirgo_memoize_keyed(&c)
	}
	c.name = cText(options.Name)
	defer free(c.name)
	var made *C.weir_memoize
	var failure *C.weir_error
	status := C.weir_memoize_new(rt.handle, inner.c(), &c, &made, &failure)
	if status != C.WEIR_OK {
		return nil, creationError(status, failure)
	}
	m.decode = operation.decode
	m.keeps = []any{operation, inner}
	m.Operation.own(rt, C.weir_operation_ref(C.weir_memoize_operation(made)))
	m.cache = &Cache[O]{}
	if err := m.cache.load(rt); err != nil {
		C.weir_memoize_unref(made)
		return nil, err
	}
	m.cache.own(rt, C.weir_cache_ref(C.weir_memoize_cache(made)))
	C.weir_memoize_unref(made)
	return m, nil
}

// With a key function the input of a run is a list of the key and the input.
func (m *Memoized[I, O]) inner(operation *Operation[I, O]) (*operationBase, error) {
	if m.key == nil {
		return &operation.operationBase, nil
	}
	inner, err := NewOperation(operation.rt, func(ctx context.Context, list []any) (O, error) {
		input, err := asType[I](list[1])
		if err != nil {
			var none O
			return none, Final(err)
		}
		if operation.f != nil && operation.judge == nil {
			return operation.f(ctx, input)
		}
		return operation.Run(ctx, input)
	})
	if err != nil {
		return nil, err
	}
	return &inner.operationBase, nil
}

func (m *Memoized[I, O]) encode(input I) *C.weir_value {
	core := m.rt.core
	if m.key == nil {
		return encodeValue(core, input)
	}
	return makeList(core, []*C.weir_value{encodeValue(core, m.key(input)), encodeHost(core, input)},
		nil)
}

// Run gives the value for an input, computing it if it is not known.
func (m *Memoized[I, O]) Run(ctx context.Context, input I, options ...RunOption) (O, error) {
	call, err := startOperation(&m.operationBase, m.decode, ctx, nil, m.encode(input), options)
	if err != nil {
		var none O
		return none, err
	}
	call.wait(ctx)
	return call.result()
}

// Start is Run that returns at once.
func (m *Memoized[I, O]) Start(ctx context.Context, input I, options ...RunOption) (*Call[O],
	error) {
	call, err := startOperation(&m.operationBase, m.decode, ctx, nil, m.encode(input), options)
	if err != nil {
		return nil, err
	}
	call.watch(ctx)
	return &Call[O]{typedCall: call}, nil
}

// Cache is what keeps the values; its keys are the inputs, or what the key function says.
func (m *Memoized[I, O]) Cache() *Cache[O] { return m.cache }

// FlightOptions are those of NewFlight.
type FlightOptions struct {
	// Timeout of the shared run, which has no caller's deadline. Default Forever; Zero.
	Timeout time.Duration
	Name    string
}

// A Flight lets one run do the work for all that overlap with the same key; nothing is kept
// afterwards.
type Flight[O any] struct {
	owner
	works *Operation[*work[O], O] // what Do runs
}

// NewFlight makes a group of keys.
func NewFlight[O any](rt *Runtime, options FlightOptions) (*Flight[O], error) {
	if err := rt.given("flight"); err != nil {
		return nil, err
	}
	var c C.weir_flight_options
	C.weir_flight_options_init(&c, C.size_t(unsafe.Sizeof(c)))
	setDuration(&c.timeout_ms, options.Timeout)
	c.name = cText(options.Name)
	defer free(c.name)
	var made *C.weir_flight
	var failure *C.weir_error
	status := C.weir_flight_new(rt.handle, &c, &made, &failure)
	if status != C.WEIR_OK {
		return nil, creationError(status, failure)
	}
	f := &Flight[O]{}
	f.set(rt, unsafe.Pointer(made), func(p unsafe.Pointer) {
		C.weir_flight_unref((*C.weir_flight)(p))
	})
	works, err := newWork[O](rt)
	if err == nil {
		f.works, err = FlightOperation(f, works)
	}
	return f, err
}

// Do runs a function, or waits for the one of this key that goes on. The function's context is
// cancelled when the last who waits has left.
func (f *Flight[O]) Do(ctx context.Context, key string, do func(ctx context.Context) (O, error),
	options ...RunOption) (O, error) {
	if f.held() == nil {
		var none O
		return none, statusError(C.WEIR_ECLOSED)
	}
	w := &work[O]{f: func(ctx context.Context, _ string) (O, error) { return do(ctx) }}
	return f.works.Run(ctx, w, append([]RunOption{WithKey(key)}, options...)...)
}

// FlightOperation makes an operation of that: the run's key (WithKey) is the key; without one all
// share.
func FlightOperation[I, O any](f *Flight[O], operation *Operation[I, O]) (*Operation[I, O], error) {
	if f == nil {
		return nil, missing("flight", "f")
	}
	if err := given("flight", "operation", operation); err != nil {
		return nil, err
	}
	o := &Operation[I, O]{decode: operation.decode, encode: operation.encode}
	h, inner := f.held(), operation.held()
	if h == nil {
		return nil, statusError(C.WEIR_ECLOSED)
	}
	defer runtime.KeepAlive(h)
	defer runtime.KeepAlive(inner)
	err := o.make(f.rt, []any{f, operation}, func(out **C.weir_operation,
		e **C.weir_error) C.weir_status {
		return C.weir_flight_operation((*C.weir_flight)(h.pointer), operation.c(), out, e)
	})
	return o, err
}

// Forget lets the next run with this key begin anew.
func (f *Flight[O]) Forget(key string) error {
	return f.with(func(h *handle) error {
		data, size := keyText(key)
		return statusError(C.weir_flight_forget((*C.weir_flight)(h.pointer), data, size))
	})
}

// FlightStats counts; Running and Waiting are how it stands.
type FlightStats struct{ Calls, Runs, Shared, Running, Waiting uint64 }

// Stats counts.
func (f *Flight[O]) Stats() (stats FlightStats, err error) {
	err = f.with(func(h *handle) error {
		var s C.weir_flight_stats
		s.size = C.uint32_t(unsafe.Sizeof(s))
		status := C.weir_flight_get_stats((*C.weir_flight)(h.pointer), &s)
		stats = FlightStats{uint64(s.calls), uint64(s.runs), uint64(s.shared), uint64(s.running),
			uint64(s.waiting)}
		return statusError(status)
	})
	return
}
