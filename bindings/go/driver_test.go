// SPDX-License-Identifier: MIT

package weir

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Runs that are handed in to the driver are refused as those are that C is told of at once.
func TestHandedInRunIsRefused(t *testing.T) {
	rt := made(New(&RuntimeOptions{MaxInFlight: 1}))
	defer rt.Close()
	began, release := make(chan struct{}), make(chan struct{})
	ended := make(chan error)
	go func() {
		ended <- Do(context.Background(), rt, func(context.Context) error {
			close(began)
			<-release
			return nil
		})
	}()
	<-began
	var full *FullError
	err := Do(context.Background(), rt, func(context.Context) error { return nil })
	if !errors.As(err, &full) || full.Message == "" {
		t.Fatal(err)
	}
	close(release)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

// Runs, cancels and closing at once: each call returns, with a result or ErrClosed.
func TestCloseWhileRunsAreHandedIn(t *testing.T) {
	for range rounds(20) {
		rt := made(New(&RuntimeOptions{CloseGrace: Zero}))
		retry := made(NewRetry(rt, RetryOptions{}))
		var workers sync.WaitGroup
		var others atomic.Int64
		for w := range 16 {
			workers.Add(1)
			go func() {
				defer workers.Done()
				for {
					ctx, cancel := context.WithCancel(context.Background())
					if w%4 == 0 {
						go cancel()
					}
					_, err := Run(ctx, retry, func(context.Context) (int, error) { return 1, nil })
					cancel()
					switch {
					case errors.Is(err, ErrClosed):
						return
					case err != nil && !errors.Is(err, ErrCancelled):
						others.Add(1)
					}
				}
			}()
		}
		time.Sleep(time.Millisecond)
		if err := rt.Close(); err != nil {
			t.Fatal(err)
		}
		workers.Wait()
		if others.Load() != 0 {
			t.Fatal("a run ended otherwise")
		}
		if live := rt.calls.live(); live != 0 {
			t.Fatal("calls are left: ", live)
		}
	}
}

// What no goroutine's call brings wakes the driver, too: a breaker that another goroutine trips
// tells of it though nothing runs.
func TestSleepingDriverIsWokenByTheDecideDoor(t *testing.T) {
	rt := newRuntime(t)
	told := make(chan BreakerChange, 8)
	breaker := made(NewBreaker(rt, BreakerOptions{FailureThreshold: 1,
		OnStateChange: func(change BreakerChange) { told <- change }}))
	for range 50 {
		time.Sleep(200 * time.Microsecond) // it falls asleep
		permit, err := breaker.Acquire()
		if err != nil {
			t.Fatal(err)
		}
		breaker.Report(permit, ClassFailure, 0)
		select {
		case change := <-told:
			if change.To != BreakerOpen {
				t.Fatal(change)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("it was not woken")
		}
		breaker.Reset()
		<-told
	}
}

// Timers are kept while the driver sleeps, the nearest first, and none fires early.
func TestSleepingDriverKeepsTime(t *testing.T) {
	rt := newRuntime(t)
	var workers sync.WaitGroup
	for i := range 40 {
		workers.Add(1)
		go func() {
			defer workers.Done()
			delay := time.Duration(40-i) * time.Millisecond
			begun := time.Now()
			if err := Sleep(context.Background(), rt, delay); err != nil {
				t.Error(err)
			}
			if took := time.Since(begun); took < delay {
				t.Error("early: ", took, " of ", delay)
			}
		}()
	}
	workers.Wait()
	before := rt.Stats().Turns
	time.Sleep(20 * time.Millisecond)
	if turns := rt.Stats().Turns - before; turns > 5 {
		t.Error("it does not sleep: ", turns, " turns")
	}
}

// The clock of decide doors goes on though nobody takes a turn.
func TestClockGoesOnWhileTheDriverSleeps(t *testing.T) {
	rt := newRuntime(t)
	limiter := made(NewLimiter(rt, LimiterOptions{Permits: 1, Interval: 5 * time.Millisecond}))
	if _, err := limiter.TryAcquire(1); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the bucket fills", func() bool {
		_, err := limiter.TryAcquire(1)
		return err == nil
	})
}

// A runtime that ended leaves no goroutine and no descriptor.
func TestClosedRuntimeLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 50 {
		rt := made(New(nil))
		if err := Do(context.Background(), rt, func(context.Context) error { return nil }); err != nil {
			t.Fatal(err)
		}
		rt.Close()
	}
	eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
}
