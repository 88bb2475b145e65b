// SPDX-License-Identifier: MIT

package weir

// #cgo nocallback weir_cache_lookup
// #cgo noescape weir_cache_lookup
// #include <stdlib.h>
// #include "glue.h"
import "C"

import (
	"iter"
	"runtime"
	"time"
	"unsafe"
)

// Eviction is who has to leave a full cache.
type Eviction uint32

const (
	EvictionAdaptive Eviction = C.WEIR_EVICTION_ADAPTIVE
	EvictionS3FIFO   Eviction = C.WEIR_EVICTION_S3_FIFO
	EvictionLRU      Eviction = C.WEIR_EVICTION_LRU
)

// An EvictCause says why an entry left a cache.
type EvictCause uint32

const (
	EvictExpired  EvictCause = C.WEIR_EVICT_EXPIRED
	EvictSize     EvictCause = C.WEIR_EVICT_SIZE     // to keep within the bounds
	EvictReplaced EvictCause = C.WEIR_EVICT_REPLACED // another value was written
	EvictExplicit EvictCause = C.WEIR_EVICT_EXPLICIT // invalidated
	EvictCleared  EvictCause = C.WEIR_EVICT_CLEARED
)

// CacheOptions are those of NewCache. The zero value of each field is its default.
type CacheOptions[V any] struct {
	Eviction Eviction
	// MaxEntries; default 1000; Zero (stores nothing), Unlimited.
	MaxEntries int64
	// MaxBytes bounds the bytes of keys and values, where values are strings or byte slices; any
	// other value counts as 1. Default Unlimited.
	MaxBytes int64
	// TTL after writing; default 5 min; Forever.
	TTL time.Duration
	// Idle after the last use; default Off.
	Idle time.Duration
	// LoadTimeout of one load; default Forever.
	LoadTimeout time.Duration
	// Refresh: a Get that finds an older entry has it loaded again in the background. Default Off.
	Refresh time.Duration
	// StaleIfError: so long after its end a value still serves a Get whose loading failed. Default
	// Off.
	StaleIfError time.Duration
	// NegativeTTL: so long a Get remembers that loading failed. Default Off.
	NegativeTTL time.Duration
	// Shards; default by the processors and the bound.
	Shards uint32
	// OnEvict is told of each entry that left, on a goroutine of its own; not of those that go with
	// the cache.
	OnEvict func(key string, value V, cause EvictCause)
	Name    string
}

// A Cache holds values by key, up to a bound, each for its lifetime. Values that are strings or
// byte slices are bytes, which other languages of the process understand; byte slices are copied in
// and out. All else is kept as it is, and shared: do not change what you have put in.
type Cache[V any] struct {
	owner
	told  *Operation[V, struct{}]
	loads *Operation[*work[V], V] // what loaders run
}

func (o *CacheOptions[V]) c() C.weir_cache_options {
	var c C.weir_cache_options
	C.weir_cache_options_init(&c, C.size_t(unsafe.Sizeof(c)))
	c.eviction = C.uint32_t(o.Eviction)
	setNumber(&c.max_entries, o.MaxEntries)
	if o.MaxBytes != 0 {
		C.weirgo_weigh_bytes(&c)
		setNumber(&c.max_weight, o.MaxBytes)
	}
	setDuration(&c.ttl_ms, o.TTL)
	setDuration(&c.idle_ms, o.Idle)
	setDuration(&c.load_timeout_ms, o.LoadTimeout)
	setDuration(&c.refresh_ms, o.Refresh)
	setDuration(&c.stale_if_error_ms, o.StaleIfError)
	setDuration(&c.negative_ttl_ms, o.NegativeTTL)
	c.shards = C.uint32_t(o.Shards)
	c.name = cText(o.Name)
	return c
}

// NewCache makes a cache.
func NewCache[V any](rt *Runtime, options CacheOptions[V]) (*Cache[V], error) {
	if err := rt.given("cache"); err != nil {
		return nil, err
	}
	c := options.c()
	defer free(c.name)
	cache := &Cache[V]{}
	if err := cache.load(rt); err != nil {
		return nil, err
	}
	if options.OnEvict != nil {
		if err := cache.tell(rt, options.OnEvict); err != nil {
			return nil, err
		}
		C.weirgo_tell_evictions(&c, cache.told.c())
	}
	var made *C.weir_cache
	var failure *C.weir_error
	status := C.weir_cache_new(rt.handle, &c, &made, &failure)
	if status != C.WEIR_OK {
		return nil, creationError(status, failure)
	}
	cache.own(rt, made)
	return cache, nil
}

func (c *Cache[V]) load(rt *Runtime) (err error) {
	c.loads, err = newWork[V](rt)
	return err
}

func (c *Cache[V]) own(rt *Runtime, made *C.weir_cache) {
	c.set(rt, unsafe.Pointer(made), func(p unsafe.Pointer) { C.weir_cache_unref((*C.weir_cache)(p)) })
}

func (c *Cache[V]) c(h *handle) *C.weir_cache { return (*C.weir_cache)(h.pointer) }

// Lookup is the value of a key, if it is there. It never waits.
func (c *Cache[V]) Lookup(key string) (value V, ok bool) {
	h := c.held()
	if h == nil {
		return
	}
	data, size := keyText(key)
	var found *C.weir_value
	status := C.weir_cache_lookup(c.c(h), data, size, &found)
	runtime.KeepAlive(h)
	if status != C.WEIR_OK {
		return
	}
	value, err := decodeValue[V](found, c.rt.core)
	C.weir_value_unref(found)
	return value, err == nil
}

func (c *Cache[V]) write(value V, put func(h *handle, made *C.weir_value) C.weir_status) error {
	return c.with(func(h *handle) error {
		made := encodeValue(c.rt.core, value)
		defer C.weir_value_unref(made)
		return statusError(put(h, made))
	})
}

// Put writes an entry. ErrFull if it is heavier than the bound.
func (c *Cache[V]) Put(key string, value V) error {
	return c.write(value, func(h *handle, made *C.weir_value) C.weir_status {
		data, size := keyText(key)
		return C.weir_cache_put(c.c(h), data, size, made)
	})
}

// PutFor writes an entry with a lifetime of its own: 0 or more, or Forever.
func (c *Cache[V]) PutFor(key string, value V, ttl time.Duration) error {
	return c.write(value, func(h *handle, made *C.weir_value) C.weir_status {
		data, size := keyText(key)
		return C.weir_cache_put_for(c.c(h), data, size, made, milliseconds(ttl))
	})
}

// PutIfAbsent writes an entry unless there is one, whose value it gives then, with ErrExists.
func (c *Cache[V]) PutIfAbsent(key string, value V) (existing V, err error) {
	var found *C.weir_value
	err = c.write(value, func(h *handle, made *C.weir_value) C.weir_status {
		data, size := keyText(key)
		return C.weir_cache_put_if_absent(c.c(h), data, size, made, &found)
	})
	if found != nil {
		existing, _ = decodeValue[V](found, c.rt.core)
		C.weir_value_unref(found)
	}
	return
}

// Touch uses an entry without reading it, and gives it so long from now on. ErrNotFound.
func (c *Cache[V]) Touch(key string, ttl time.Duration) error {
	return c.with(func(h *handle) error {
		data, size := keyText(key)
		return statusError(C.weir_cache_touch(c.c(h), data, size, milliseconds(ttl)))
	})
}

// Invalidate removes an entry; a load that goes on is not stored. ErrNotFound if there was none.
func (c *Cache[V]) Invalidate(key string) error {
	return c.with(func(h *handle) error {
		data, size := keyText(key)
		return statusError(C.weir_cache_invalidate(c.c(h), data, size))
	})
}

// Clear removes all entries.
func (c *Cache[V]) Clear() error {
	return c.with(func(h *handle) error { return statusError(C.weir_cache_clear(c.c(h))) })
}

// SetLabel adds a label to the cache's samples in the metrics.
func (c *Cache[V]) SetLabel(key, value string) error {
	return c.with(func(h *handle) error {
		return setLabel(key, value, func(k, v *C.char, e **C.weir_error) C.weir_status {
			return C.weir_cache_set_label(c.c(h), k, v, e)
		})
	})
}

// All are the live entries: one that is there all the time comes exactly once, one that comes, goes
// or is written meanwhile at most once.
func (c *Cache[V]) All() iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		h := c.held()
		if h == nil {
			return
		}
		defer runtime.KeepAlive(h)
		var cursor C.uint64_t
		for more := true; more; {
			var entries [64]C.weir_cache_entry
			var count C.size_t
			status := C.weir_cache_scan(c.c(h), &cursor, &entries[0], C.sizeof_weir_cache_entry, 64, &count)
			if status != C.WEIR_OK {
				return
			}
			more = c.give(entries[:count], yield) && cursor != 0
		}
	}
}

// Gives all references back, even if nobody wants more.
func (c *Cache[V]) give(entries []C.weir_cache_entry, yield func(string, V) bool) bool {
	more := true
	defer func() {
		for _, entry := range entries {
			C.weir_value_unref(entry.key)
			C.weir_value_unref(entry.value)
		}
	}()
	for _, entry := range entries {
		if value, err := decodeValue[V](entry.value, c.rt.core); err == nil && more {
			more = yield(string(goBytes(entry.key)), value)
		}
	}
	return more
}

// CacheStats is what a cache has counted; Entries, Weight and Loading are how it stands.
type CacheStats struct {
	Hits, Misses, StaleHits, Puts, Loads, LoadFailures uint64
	LoadTime                                           time.Duration
	Refused, Expired, Evicted, Replaced                uint64
	Invalidated, Cleared, Entries, Weight, LoadingKeys uint64
}

// Stats counts.
func (c *Cache[V]) Stats() (stats CacheStats, err error) {
	err = c.with(func(h *handle) error {
		var s C.weir_cache_stats
		s.size = C.uint32_t(unsafe.Sizeof(s))
		status := C.weir_cache_get_stats(c.c(h), &s)
		stats = CacheStats{
			Hits: uint64(s.hits), Misses: uint64(s.misses), StaleHits: uint64(s.stale_hits),
			Puts: uint64(s.puts), Loads: uint64(s.loads), LoadFailures: uint64(s.load_failures),
			LoadTime: time.Duration(s.load_time_ns), Refused: uint64(s.refused),
			Expired: uint64(s.expired), Evicted: uint64(s.evicted), Replaced: uint64(s.replaced),
			Invalidated: uint64(s.invalidated), Cleared: uint64(s.cleared),
			Entries: uint64(s.entries), Weight: uint64(s.weight), LoadingKeys: uint64(s.loading),
		}
		return statusError(status)
	})
	return
}
