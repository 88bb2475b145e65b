// SPDX-License-Identifier: MIT

package weir

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// How often storms go on; WEIR_LONG=1 makes them longer.
func rounds(short int) int {
	if os.Getenv("WEIR_LONG") != "" {
		return short * 20
	}
	return short
}

// Until what is asked is true, or the test fails. For what ends by itself soon after.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for begun := time.Now(); !is(); runtime.Gosched() {
		if time.Since(begun) > 20*time.Second {
			t.Fatal("still not so: " + what)
		}
		runtime.GC()
	}
}

func TestCancelStorm(t *testing.T) {
	rt := newRuntime(t)
	retry := made(NewRetry(rt, RetryOptions{MaxAttempts: 3, BaseDelay: time.Millisecond,
		Jitter: JitterFull}))
	timeout := made(NewTimeout(rt, TimeoutOptions{Timeout: 3 * time.Millisecond}))
	policy := made(NewPipeline("", retry, timeout))
	var settled atomic.Int64
	var workers sync.WaitGroup
	for w := range 8 {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for i := range rounds(300) {
				ctx, cancel := context.WithCancel(context.Background())
				if (i+w)%3 == 0 {
					go cancel()
				}
				_, err := Run(ctx, policy, func(ctx context.Context) (int, error) {
					switch (i + w) % 5 {
					case 0:
						<-ctx.Done()
						return 0, ctx.Err()
					case 1:
						return 0, io.EOF
					case 2:
						cancel()
					}
					return i, nil
				})
				var known interface{ details() *Details }
				if err != nil && !errors.As(err, &known) {
					t.Errorf("got %v", err)
				}
				settled.Add(1)
				cancel()
			}
		}()
	}
	workers.Wait()
	if settled.Load() != int64(8*rounds(300)) {
		t.Fatalf("%d settled", settled.Load())
	}
	eventually(t, "nothing is left", func() bool {
		stats := rt.Stats()
		return stats.Slots == 0 && stats.LiveCalls == 0 && stats.Orphans == 0
	})
}

func TestStartedCallsAreCancelledFromAnywhere(t *testing.T) {
	rt := newRuntime(t)
	for range rounds(200) {
		ctx, cancel := context.WithCancel(context.Background())
		call := made(Start(ctx, rt, func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, io.EOF
		}))
		go call.Cancel()
		go cancel()
		go call.Cancel()
		if _, err := call.Wait(context.Background()); !errors.Is(err, ErrCancelled) {
			t.Fatalf("got %v", err)
		}
	}
	eventually(t, "no slots", func() bool { return rt.Stats().Slots == 0 })
}

func TestCloseStorm(t *testing.T) {
	for round := range rounds(20) {
		rt := made(New(nil))
		retry := made(NewRetry(rt, RetryOptions{BaseDelay: time.Millisecond}))
		var workers sync.WaitGroup
		for w := range 6 {
			workers.Add(1)
			go func() {
				defer workers.Done()
				for i := 0; ; i++ {
					_, err := Run(context.Background(), retry, func(ctx context.Context) (int, error) {
						if (i+w)%4 == 0 {
							<-ctx.Done()
							return 0, ctx.Err()
						}
						return 0, io.EOF
					})
					if errors.Is(err, ErrClosed) {
						return
					}
				}
			}()
		}
		if round%2 == 0 {
			time.Sleep(time.Duration(round%5) * time.Millisecond)
		}
		var closers sync.WaitGroup
		for range 3 {
			closers.Add(1)
			go func() { defer closers.Done(); rt.Close() }()
		}
		closers.Wait()
		workers.Wait()
		eventually(t, "all have settled", func() bool {
			stats := rt.Stats()
			return stats.LiveCalls == 0 && stats.RunsAccepted == stats.RunsSettled
		})
	}
}

func TestHandlesAreClosedUnderTheirUsers(t *testing.T) {
	rt := newRuntime(t)
	for range rounds(100) {
		breaker := made(NewBreaker(rt, BreakerOptions{}))
		var users sync.WaitGroup
		for range 4 {
			users.Add(1)
			go func() {
				defer users.Done()
				for range 20 {
					permit, err := breaker.Acquire()
					if err == nil {
						err = breaker.Report(permit, ClassSuccess, 0)
					}
					if err != nil && !errors.Is(err, ErrClosed) {
						t.Errorf("got %v", err)
					}
				}
			}()
		}
		breaker.Close()
		users.Wait()
	}
	runtime.GC()
}

// Goroutines of this package that are there now.
func ownGoroutines() int {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	own := 0
	for _, stack := range strings.Split(string(stacks), "\n\n") {
		if strings.Contains(stack, "weir.(*core)") || strings.Contains(stack, "weir.(*Clock)") ||
			strings.Contains(stack, "weir.emptyLog") || strings.Contains(stack, ".attempt(") {
			own++
		}
	}
	return own
}

func TestNothingIsLeftOfRuntimes(t *testing.T) {
	before := ownGoroutines()
	for range rounds(10) {
		rt := made(New(nil))
		useEverything(t, rt)
		must(t, rt.Close())
		if left := rt.core.calls.live(); left != 0 {
			t.Fatalf("%d calls are left", left)
		}
		virtual, clock := made2(NewVirtual(3))
		clock.Run(func(ctx context.Context) { Sleep(ctx, virtual, time.Hour) })
		must(t, virtual.Close())
	}
	eventually(t, "goroutines are gone", func() bool { return ownGoroutines() <= before })
}

func made2[A, B any](a A, b B, err error) (A, B) {
	if err != nil {
		panic(err)
	}
	return a, b
}

// A runtime that is dropped is closed by the collector.
func TestDroppedRuntimeEnds(t *testing.T) {
	before := ownGoroutines()
	for range 5 {
		rt := made(New(nil))
		must(t, Do(context.Background(), rt, func(context.Context) error { return nil }))
	}
	eventually(t, "goroutines are gone", func() bool { return ownGoroutines() <= before })
}

func useEverything(t *testing.T, rt *Runtime) {
	ctx := context.Background()
	cache := made(NewCache(rt, CacheOptions[string]{}))
	loader := made(cache.Loader(func(_ context.Context, key string) (string, error) {
		return key + "!", nil
	}))
	if got := made(loader.Get(ctx, "a")); got != "a!" {
		t.Fatalf("got %q", got)
	}
	double := made(NewOperation(rt, func(_ context.Context, n int) (int, error) { return 2 * n, nil }))
	text := made(NewOperation(rt, func(_ context.Context, n int) (string, error) {
		return strings.Repeat("x", n), nil
	}))
	if got := made(made(Then(double, text)).Run(ctx, 2)); got != "xxxx" {
		t.Fatalf("got %q", got)
	}
	if got := made(made(All(rt, double, double)).Run(ctx, 4)); len(got) != 2 || got[1] != 8 {
		t.Fatalf("got %v", got)
	}
	if got := made(made(Memoize(double, func(n int) string { return string(rune(n)) },
		MemoizeOptions{})).Run(ctx, 4)); got != 8 {
		t.Fatalf("got %v", got)
	}
	flight := made(NewFlight[int](rt, FlightOptions{}))
	if got := made(flight.Do(ctx, "k", func(context.Context) (int, error) {
		return 5,
			nil
	})); got != 5 {
		t.Fatalf("got %v", got)
	}
	must(t, InScope(ctx, rt, ScopeOptions{}, func(ctx context.Context, _ *Scope) error {
		_, err := OpenResource(ctx, rt, func(context.Context) (int, error) { return 1, nil },
			func(context.Context, int) error { return nil })
		return err
	}))
	Do(ctx, rt, func(context.Context) error { return io.EOF })
}

// Values and errors that the library held are given back: slots do not grow.
func TestSlotsDoNotGrow(t *testing.T) {
	rt := newRuntime(t)
	retry := made(NewRetry(rt, RetryOptions{BaseDelay: Zero}))
	cache := made(NewCache(rt, CacheOptions[[]int]{MaxEntries: 4}))
	double := made(NewOperation(rt, func(_ context.Context, n int) (int, error) { return 2 * n, nil }))
	for i := range rounds(2000) {
		Do(context.Background(), retry, func(context.Context) error { return io.EOF })
		cache.Put(string(rune('a'+i%26)), []int{i})
		cache.Lookup("a")
		made(double.Run(context.Background(), i))
	}
	cache.Clear()
	eventually(t, "no slots", func() bool { return rt.Stats().Slots == 0 })
	runtime.GC()
	eventually(t, "few functions", func() bool { return rt.ops.live() <= 1 })
}

func TestResourcesAreClosedThoughNobodyHoldsWhatClosesThem(t *testing.T) {
	rt := newRuntime(t)
	var shut []int
	must(t, InScope(context.Background(), rt, ScopeOptions{}, func(ctx context.Context,
		_ *Scope) error {
		for i := range 3 {
			made(OpenResource(ctx, rt, func(context.Context) (int, error) { return i, nil },
				func(_ context.Context, opened int) error { shut = append(shut, opened); return nil }))
		}
		for range 3 {
			runtime.GC()
		}
		return nil
	}))
	if len(shut) != 3 || shut[0] != 2 || shut[2] != 0 {
		t.Fatalf("closed %v", shut)
	}
}

// Run uses its calls again: each still gets its own value, context and error, also beside functions
// that go on after their run.
func TestRunsUsedAgainKeepApart(t *testing.T) {
	rt := newRuntime(t)
	retry := made(NewRetry(rt, RetryOptions{MaxAttempts: 2, BaseDelay: Zero}))
	timeout := made(NewTimeout(rt, TimeoutOptions{Timeout: time.Millisecond}))
	spare := made(NewFallback(rt, FallbackTo(func(ctx context.Context, _ error) (int, error) {
		own, _ := ctx.Value(ownKey{}).(int)
		return own, nil
	}), FallbackOptions{}))
	late := made(NewPipeline("", spare, timeout))
	var workers sync.WaitGroup
	for w := range 8 {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for i := range rounds(300) {
				own := w<<20 | i + 1
				ctx := context.WithValue(context.Background(), ownKey{}, own)
				tries := 0
				value, err := Run(ctx, retry, func(ctx context.Context) (int, error) {
					if tries++; i%7 == 0 && tries == 1 {
						return 0, io.EOF
					}
					return ctx.Value(ownKey{}).(int), nil
				})
				if value != own || err != nil {
					t.Errorf("%d, %v instead of %d", value, err, own)
				}
				text, err := Run(ctx, rt, func(context.Context) (string, error) {
					if i%5 == 0 {
						return "", io.EOF
					}
					return "text", nil
				})
				if (i%5 == 0) != errors.Is(err, io.EOF) || (text == "text") != (err == nil) {
					t.Errorf("%q, %v", text, err)
				}
				if i%20 != 0 {
					continue
				}
				value, err = Run(ctx, late, func(ctx context.Context) (int, error) {
					<-ctx.Done()
					runtime.Gosched()
					return -1, nil
				})
				if value != own || err != nil {
					t.Errorf("%d, %v instead of the spare %d", value, err, own)
				}
			}
		}()
	}
	workers.Wait()
}

type ownKey struct{}
