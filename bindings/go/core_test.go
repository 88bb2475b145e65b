// SPDX-License-Identifier: MIT

package weir

import (
	"context"
	"errors"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func newRuntime(t testing.TB) *Runtime {
	t.Helper()
	rt, err := New(nil)
	must(t, err)
	t.Cleanup(func() { rt.Close() })
	return rt
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestRunGivesTheValue(t *testing.T) {
	rt := newRuntime(t)
	got, err := Run(context.Background(), rt, func(context.Context) (string, error) {
		return "value", nil
	})
	if err != nil || got != "value" {
		t.Fatalf("got %q, %v", got, err)
	}
}

func TestRetryGivesTheValueOfALaterAttempt(t *testing.T) {
	rt := newRuntime(t)
	retry, err := NewRetry(rt, RetryOptions{MaxAttempts: 5, BaseDelay: time.Millisecond})
	must(t, err)
	var tries atomic.Int32
	got, err := Run(context.Background(), retry, func(context.Context) (int32, error) {
		if n := tries.Add(1); n < 3 {
			return -n, errors.New("not yet")
		}
		return tries.Load(), nil
	})
	if err != nil || got != 3 {
		t.Fatalf("got %d, %v", got, err)
	}
}

func TestErrorComesBackAsTheSameValue(t *testing.T) {
	rt := newRuntime(t)
	retry, err := NewRetry(rt, RetryOptions{MaxAttempts: 2, BaseDelay: Zero})
	must(t, err)
	own := errors.New("my own")
	_, err = Run(context.Background(), retry, func(context.Context) (int, error) { return 0, own })
	var failed *FailedError
	if !errors.As(err, &failed) || failed.Err != own || failed.Attempts != 2 ||
		failed.Stop != StopAttempts {
		t.Fatalf("got %#v", err)
	}
	if !errors.Is(err, ErrFailed) || !errors.Is(err, own) {
		t.Fatalf("got %v", err)
	}
}

func TestContextCancelsTheRunAndItsAttempt(t *testing.T) {
	rt := newRuntime(t)
	ctx, cancel := context.WithCancel(context.Background())
	told := make(chan error, 1)
	_, err := Run(ctx, rt, func(ctx context.Context) (int, error) {
		cancel()
		<-ctx.Done()
		told <- context.Cause(ctx)
		return 0, ctx.Err()
	})
	if !errors.Is(err, context.Canceled) || !errors.Is(err, ErrCancelled) {
		t.Fatalf("got %v", err)
	}
	if cause := <-told; cause != context.Canceled && cause != CancelCaller {
		t.Fatalf("cause %v", cause)
	}
}

func BenchmarkRunPlain(b *testing.B)    { benchRun(b, 1) }
func BenchmarkRunInFlight(b *testing.B) { benchRun(b, 1000) }

func benchRun(b *testing.B, flight int) {
	rt := newRuntime(b)
	retry, err := NewRetry(rt, RetryOptions{})
	must(b, err)
	ctx := context.Background()
	f := func(context.Context) (int, error) { return 1, nil }
	b.SetParallelism(max(flight/2, 1))
	b.ReportAllocs()
	b.ResetTimer()
	defer reportCPU(b)()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := Run(ctx, retry, f); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkBreaker(b *testing.B) {
	rt := newRuntime(b)
	breaker, err := NewBreaker(rt, BreakerOptions{})
	must(b, err)
	defer reportCPU(b)()
	b.ReportAllocs()
	for range b.N {
		permit, _ := breaker.Acquire()
		breaker.Report(permit, ClassSuccess, 0)
	}
}

func BenchmarkBreakerBatch(b *testing.B) {
	rt := newRuntime(b)
	breaker, err := NewBreaker(rt, BreakerOptions{})
	must(b, err)
	batch := breaker.Batch(64)
	for range b.N {
		permit, _ := batch.Acquire()
		batch.Report(permit, ClassSuccess, 0)
	}
}

// The processors' time for each operation: what others do on the machine is not in it.
func reportCPU(b *testing.B) func() {
	var before, after syscall.Rusage
	syscall.Getrusage(0, &before)
	return func() {
		syscall.Getrusage(0, &after)
		spent := after.Utime.Nano() - before.Utime.Nano() + after.Stime.Nano() - before.Stime.Nano()
		b.ReportMetric(float64(spent)/float64(b.N), "cpu-ns/op")
	}
}
