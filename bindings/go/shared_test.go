// SPDX-License-Identifier: MIT

package weir

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"
)

// Begins a get with a loader that nobody else holds.
func getWith(t *testing.T, cache *Cache[int], policy Policy, ctx context.Context,
	value int) *Call[int] {
	loader := made(cache.LoaderUnder(policy, func(_ context.Context, key string) (int, error) {
		if key != "k" {
			t.Error("the load was told of key ", key)
		}
		return value, nil
	}))
	return made(loader.Start(ctx, "k"))
}

func collect3() {
	for range 3 {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
}

// The load belongs to the cache: the one who began it leaves before it has begun, and all that he
// held is gone.
func TestLoadGoesOnWhenWhoBeganItHasLeft(t *testing.T) {
	rt := newRuntime(t)
	cache := made(NewCache(rt, CacheOptions[int]{}))
	gate := made(NewBulkhead(rt, 1, Unlimited, "gate"))
	if err := gate.Pause(); err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithCancel(context.Background())
	first := getWith(t, cache, gate, ctx, 1)
	eventually(t, "the load waits", func() bool {
		return made(gate.Stats()).Queued == 1
	})
	second := getWith(t, cache, gate, context.Background(), 2)
	if err := Do(context.Background(), rt, func(context.Context) error { return nil }); err != nil {
		t.Fatal(err) // after it, both wait
	}
	leave()
	if _, err := first.Wait(context.Background()); !errors.Is(err, ErrCancelled) {
		t.Fatal(err)
	}
	first = nil
	collect3()
	if err := gate.Resume(); err != nil {
		t.Fatal(err)
	}
	if value, err := second.Wait(context.Background()); value != 1 || err != nil {
		t.Fatal(value, err)
	}
}

// ShouldRetry of a loader's policy is asked, and its class says.
func TestLoaderAsksShouldRetry(t *testing.T) {
	rt, clock := newVirtual(t)
	asked := 0
	retry := made(NewRetry(rt, RetryOptions{BaseDelay: time.Second, ShouldRetry: func(error) bool {
		asked++
		return asked < 2
	}}))
	cache := made(NewCache(rt, CacheOptions[int]{}))
	loads := 0
	loader := made(cache.LoaderUnder(retry, func(context.Context, string) (int, error) {
		loads++
		return 0, errors.New("no")
	}))
	clock.Run(func(ctx context.Context) {
		if _, err := loader.Get(ctx, "k"); !errors.Is(err, ErrFailed) {
			t.Error(err)
		}
	})
	if asked != 2 || loads != 2 {
		t.Fatal(asked, loads)
	}
}

func TestFlightGoesOnWhenTheFirstHasLeft(t *testing.T) {
	rt := newRuntime(t)
	flight := made(NewFlight[int](rt, FlightOptions{}))
	ctx, leave := context.WithCancel(context.Background())
	began, release := make(chan struct{}), make(chan struct{})
	do := func(ctx context.Context, value int) <-chan Result[int] {
		ended := make(chan Result[int], 1)
		go func() {
			got, err := flight.Do(ctx, "k", func(ctx context.Context) (int, error) {
				close(began)
				select {
				case <-release:
					return value, nil
				case <-ctx.Done():
					return 0, ctx.Err()
				}
			})
			ended <- Result[int]{got, err}
		}()
		return ended
	}
	first := do(ctx, 1)
	<-began
	second := do(context.Background(), 2)
	eventually(t, "the second waits", func() bool { return made(flight.Stats()).Waiting == 2 })
	leave()
	if got := <-first; !errors.Is(got.Err, ErrCancelled) {
		t.Fatal(got.Err)
	}
	collect3()
	close(release)
	if got := <-second; got.Err != nil || got.Value != 1 {
		t.Fatal(got)
	}
}

func TestFlightOfAClosedHandle(t *testing.T) {
	rt := newRuntime(t)
	flight := made(NewFlight[int](rt, FlightOptions{}))
	flight.Close()
	_, err := flight.Do(context.Background(), "k", func(context.Context) (int, error) { return 1, nil })
	if !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}
