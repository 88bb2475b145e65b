// SPDX-License-Identifier: MIT

package weir

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"runtime"
	"testing"
	"time"
)

// What the process has of these: threads ("task"), descriptors ("fd").
func ownCount(t *testing.T, what string) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/" + what)
	if err != nil {
		t.Skip(err)
	}
	return len(list)
}

// Each of what is made has a function that knows it. None is closed, and all go.
func TestWhatKnowsItselfIsCollected(t *testing.T) {
	rt := newRuntime(t)
	ctx := context.Background()
	for range rounds(100) {
		var breaker *Breaker
		breaker = made(NewBreaker(rt, BreakerOptions{OnStateChange: func(BreakerChange) {
			breaker.State()
		}}))
		var cache *Cache[int]
		cache = made(NewCache(rt, CacheOptions[int]{OnEvict: func(string, int, EvictCause) {
			cache.Stats()
		}}))
		var down *Operation[int, int]
		down = made(NewOperation(rt, func(ctx context.Context, n int) (int, error) {
			if n == 0 {
				return 0, nil
			}
			return down.Run(ctx, n-1)
		}))
		var pool *Pool[int]
		pool = made(NewPool[int](rt, false, ParallelOptions{Concurrency: 1, OnProgress: func(int, int) {
			pool.Stats()
		}}))
		must(t, pool.Go(func(context.Context) (int, error) { return 1, nil }))
		must(t, pool.Seal())
		made(pool.Run(ctx))
		if got := made(down.Run(ctx, 3)); got != 0 {
			t.Fatal(got)
		}
	}
	eventually(t, "no function and no listener is left", func() bool {
		return rt.ops.live() == 0 && rt.listeners.live() == 0
	})
}

// Options that are refused leave no listener, no function and no value behind.
func TestWhatComesToNothingLeavesNothing(t *testing.T) {
	rt := newRuntime(t)
	ctx, own := context.Background(), new(int)
	for range rounds(100) {
		_, a := NewBreaker(rt, BreakerOptions{FailureThreshold: -2, OnStateChange: func(BreakerChange) {}})
		_, b := NewCache(rt, CacheOptions[int]{MaxEntries: -2, OnEvict: func(string, int, EvictCause) {}})
		_, c := NewPool[int](rt, true, ParallelOptions{Concurrency: -2, OnProgress: func(int, int) {}})
		_, d := NewFallback(rt, FallbackToValue(own), FallbackOptions{Failures: []ErrorRange{{1, 9, 1}}})
		_, e := NewChaos(rt, ChaosOptions{FailureRate: 7, Failure: io.EOF, Value: own})
		_, f := Map(ctx, rt, []*int{own}, ParallelOptions{Concurrency: -2, OnProgress: func(int, int) {}},
			func(context.Context, *int) (int, error) { return 1, nil })
		for _, err := range []error{a, b, c, d, e, f} {
			if !errors.Is(err, ErrInvalid) {
				t.Fatal(err)
			}
		}
	}
	must(t, Do(ctx, rt, func(context.Context) error { return nil })) // a turn, which takes back
	eventually(t, "nothing is left", func() bool {
		return rt.ops.live() == 0 && rt.listeners.live() == 0 && rt.Stats().Slots == 0
	})
}

// Where nothing runs, what a cache lets go is taken back all the same.
func TestValuesOfACacheAloneAreGivenBack(t *testing.T) {
	rt := newRuntime(t)
	cache := made(NewCache(rt, CacheOptions[*int]{MaxEntries: 4}))
	must(t, Do(context.Background(), rt, func(context.Context) error { return nil }))
	time.Sleep(20 * time.Millisecond) // the driver has gone to sleep, or the test shows less
	for range 5000 {
		must(t, cache.Put("key", new(int)))
	}
	eventually(t, "at most two batches are out", func() bool {
		return rt.Stats().Slots < 2*batchSize
	})
	runtime.KeepAlive(cache)
}

// Dropped with a log, listeners and policies, a runtime ends, and its thread and descriptor with it.
func TestDroppedRuntimesLeaveNoThreadAndNoDescriptor(t *testing.T) {
	ctx := context.Background()
	round := func() {
		for range 5 {
			var rt *Runtime
			rt = made(New(&RuntimeOptions{Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
				OnEvent: func(Event) { rt.Now() }}))
			breaker := made(NewBreaker(rt, BreakerOptions{}))
			Do(ctx, breaker, func(context.Context) error { return io.EOF })
		}
	}
	round()
	before := ownGoroutines()
	descriptors := ownCount(t, "fd")
	for range rounds(4) {
		round()
	}
	eventually(t, "goroutines and descriptors are gone", func() bool {
		runtime.GC()
		return ownGoroutines() <= before && ownCount(t, "fd") <= descriptors
	})
}
