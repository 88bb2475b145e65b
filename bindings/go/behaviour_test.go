// SPDX-License-Identifier: MIT

package weir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func newVirtual(t testing.TB) (*Runtime, *Clock) {
	t.Helper()
	rt, clock, err := NewVirtual(1)
	must(t, err)
	t.Cleanup(func() { rt.Close() })
	return rt, clock
}

// made unwraps what a constructor gave.
func made[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func TestPanicIsAFailureAndGoesOnAtTheCaller(t *testing.T) {
	rt := newRuntime(t)
	retry := made(NewRetry(rt, RetryOptions{MaxAttempts: 2, BaseDelay: Zero}))
	var tries atomic.Int32
	defer func() {
		thrown, ok := recover().(*PanicError)
		if !ok || thrown.Value != "broken" || !strings.Contains(string(thrown.Stack), "behaviour_test") {
			t.Errorf("recovered %v", thrown)
		}
		if tries.Load() != 2 {
			t.Errorf("tried %d times", tries.Load())
		}
	}()
	Run(context.Background(), retry, func(context.Context) (int, error) {
		tries.Add(1)
		panic("broken")
	})
	t.Error("did not panic")
}

func TestPanicWithAnErrorIsThatErrorInsideOfResult(t *testing.T) {
	rt := newRuntime(t)
	call, err := Start(context.Background(), rt, func(context.Context) (int, error) {
		panic(io.ErrUnexpectedEOF)
	})
	must(t, err)
	<-call.Done()
	if _, err := call.Result(); !errors.Is(err, io.ErrUnexpectedEOF) || !errors.Is(err, ErrFailed) {
		t.Fatalf("got %v", err)
	}
}

func TestGoexitEndsTheCallerToo(t *testing.T) {
	rt := newRuntime(t)
	over := make(chan bool, 1)
	go func() {
		defer func() { over <- recover() == nil }()
		Run(context.Background(), rt, func(context.Context) (int, error) {
			runtime.Goexit()
			return 0, nil
		})
		over <- false
	}()
	if !<-over {
		t.Fatal("the caller went on")
	}
}

func TestTimeoutReturnsAtOnceThoughTheFunctionGoesOn(t *testing.T) {
	rt := newRuntime(t)
	timeout := made(NewTimeout(rt, TimeoutOptions{Timeout: 5 * time.Millisecond, Name: "short"}))
	release, told := make(chan struct{}), make(chan CancelReason, 1)
	_, err := Run(context.Background(), timeout, func(ctx context.Context) (int, error) {
		<-ctx.Done()
		told <- Stopped(ctx)
		<-release
		return 1, nil
	})
	var timedOut *TimeoutError
	if !errors.As(err, &timedOut) || !errors.Is(err, context.DeadlineExceeded) || !timedOut.Timeout() {
		t.Fatalf("got %v", err)
	}
	if reason := <-told; reason != CancelTimeout {
		t.Fatalf("told %v", reason)
	}
	if orphans := rt.Stats().Orphans; orphans != 1 {
		t.Fatalf("%d orphans", orphans)
	}
	close(release)
}

func TestDeadlineOfTheContextIsTheRuns(t *testing.T) {
	rt := newRuntime(t)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err := Run(ctx, rt, func(ctx context.Context) (int, error) {
		due, ok := ctx.Deadline()
		if !ok || time.Until(due) > 20*time.Millisecond {
			t.Errorf("deadline %v %v", due, ok)
		}
		<-ctx.Done()
		return 0, nil
	})
	if !errors.Is(err, ErrTimedOut) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
}

func TestCauseOfTheContextIsInTheError(t *testing.T) {
	rt := newRuntime(t)
	mine := errors.New("shutting down")
	ctx, cancel := context.WithCancelCause(context.Background())
	_, err := Run(ctx, rt, func(ctx context.Context) (int, error) {
		cancel(mine)
		<-ctx.Done()
		return 0, nil
	})
	if !errors.Is(err, mine) || !errors.Is(err, ErrCancelled) {
		t.Fatalf("got %v", err)
	}
	if _, err = Run(ctx, rt, func(context.Context) (int, error) { return 1, nil }); !errors.Is(err,
		mine) {
		t.Fatalf("a context that has ended: %v", err)
	}
}

func TestDerivedContextsAndValues(t *testing.T) {
	rt := newRuntime(t)
	type key struct{}
	ctx := context.WithValue(context.Background(), key{}, "mine")
	timeout := made(NewTimeout(rt, TimeoutOptions{Timeout: 5 * time.Millisecond}))
	told := make(chan error, 2)
	Do(ctx, timeout, func(ctx context.Context) error {
		if ctx.Value(key{}) != "mine" {
			t.Error("the value is not there")
		}
		inner, cancel := context.WithTimeout(ctx, time.Hour)
		defer cancel()
		context.AfterFunc(ctx, func() { told <- ctx.Err() })
		<-inner.Done()
		told <- inner.Err()
		return nil
	})
	for range 2 {
		if err := <-told; err != context.DeadlineExceeded {
			t.Fatalf("told %v", err)
		}
	}
}

func TestContextIsOverWhenTheFunctionHasReturned(t *testing.T) {
	rt := newRuntime(t)
	var kept context.Context
	must(t, Do(context.Background(), rt, func(ctx context.Context) error {
		kept = ctx
		_ = ctx.Done()
		return nil
	}))
	select {
	case <-kept.Done():
	case <-time.After(5 * time.Second):
		t.Fatal("the context is still alive")
	}
	if _, ok := kept.Deadline(); ok || AttemptOf(kept).Number != 1 {
		t.Fatal("an attempt that is over says otherwise")
	}
}

func TestValueJudgedAFailure(t *testing.T) {
	rt := newRuntime(t)
	retry := made(NewRetry(rt, RetryOptions{MaxAttempts: 3, BaseDelay: Zero}))
	for name, options := range map[string][]RunOption{
		"by FailIf": {FailIf(func(state string) bool { return strings.HasPrefix(state, "PENDING") })},
		"by class":  nil,
	} {
		tries := 0
		_, err := Run(context.Background(), retry, func(context.Context) (string, error) {
			tries++
			if options == nil {
				return fmt.Sprint("PENDING ", tries), ClassFailure
			}
			return fmt.Sprint("PENDING ", tries), nil
		}, options...)
		var exhausted *ExhaustedError
		if !errors.As(err, &exhausted) || exhausted.Value != "PENDING 3" ||
			!errors.Is(err, ErrExhausted) {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

func TestFinalAndShouldRetry(t *testing.T) {
	rt := newRuntime(t)
	own := errors.New("no use")
	picky := made(NewRetry(rt, RetryOptions{BaseDelay: Zero,
		ShouldRetry: func(err error) bool { return err != own }}))
	plain := made(NewRetry(rt, RetryOptions{BaseDelay: Zero}))
	around := made(NewPipeline("", made(NewTimeout(rt, TimeoutOptions{Timeout: time.Hour})), picky))
	for _, policy := range []Policy{picky, around, plain} {
		_, err := Run(context.Background(), policy, func(context.Context) (int, error) {
			if policy == plain {
				return 0, Final(own)
			}
			return 0, own
		})
		var failed *FailedError
		if !errors.As(err, &failed) || failed.Err != own || failed.Attempts != 1 ||
			failed.Stop != StopFinal {
			t.Fatalf("%T: %#v", policy, err)
		}
	}
	wrapped := made(Wrap(picky, made(Func(rt, func(context.Context) (int, error) { return 0, own }))))
	if _, err := wrapped.Run(context.Background(), nil); AsDetails(err).Attempts != 1 {
		t.Fatalf("wrapped: %v", err)
	}
}

func TestRetryAfterReplacesTheDelay(t *testing.T) {
	rt, clock := newVirtual(t)
	retry := made(NewRetry(rt, RetryOptions{BaseDelay: time.Hour, MaxDelay: 2 * time.Hour}))
	begun := clock.Now()
	clock.Run(func(ctx context.Context) {
		tries := 0
		Do(ctx, retry, func(context.Context) error {
			if tries++; tries == 1 {
				return RetryAfter(errors.New("429"), 7*time.Second)
			}
			return nil
		})
	})
	if took := clock.Now() - begun; took != 7*time.Second {
		t.Fatalf("took %v", took)
	}
}

func TestErrorsOfEachKindHaveTheirType(t *testing.T) {
	rt := newRuntime(t)
	ctx := context.Background()
	own := net.ErrClosed
	breaker := made(NewBreaker(rt, BreakerOptions{FailureThreshold: 1, Name: "api"}))
	fail := func(context.Context) (int, error) { return 0, own }
	Run(ctx, breaker, fail)
	_, err := Run(ctx, breaker, fail)
	var open *OpenError
	if !errors.As(err, &open) || open.Rejection.Name != "api" || open.RetryAfter <= 0 ||
		!errors.Is(err, ErrOpen) {
		t.Fatalf("got %#v", err)
	}
	if after, ok := RetryAfterOf(err); !ok || after > time.Minute ||
		!strings.Contains(open.Rejection.String(), "'api' is open") {
		t.Fatalf("after %v, %v", after, open.Rejection)
	}
	limiter := made(NewLimiter(rt, LimiterOptions{Permits: 1, Interval: time.Hour, MaxQueue: Zero}))
	Run(ctx, limiter, fail)
	var limited *LimitedError
	if _, err = Run(ctx, limiter, fail); !errors.As(err, &limited) || !errors.Is(err, ErrLimited) &&
		!errors.Is(err, ErrFull) {
		var full *FullError
		if !errors.As(err, &full) {
			t.Fatalf("got %#v", err)
		}
	}
	race := made(Any(rt, made(Func(rt, fail)), made(Func(rt, fail))))
	var all *AggregateError
	if _, err = race.Run(ctx, nil); !errors.As(err, &all) || len(all.Errors) != 2 ||
		all.Errors[0] != own || !errors.Is(err, own) {
		t.Fatalf("got %#v", err)
	}
	if _, err = NewRetry(rt, RetryOptions{MaxAttempts: -7}); !errors.Is(err, ErrInvalid) ||
		!strings.Contains(err.Error(), "max_attempts") {
		t.Fatalf("got %v", err)
	}
}

func TestUncomparableErrors(t *testing.T) {
	rt := newRuntime(t)
	steps := made(Waterfall[any, int](rt, "", made(Func(rt, func(context.Context) (int, error) {
		return 0, manyErrors{io.EOF}
	}))))
	if _, err := steps.Run(context.Background(), nil); !errors.Is(err, io.EOF) {
		t.Fatalf("got %v", err)
	}
}

type manyErrors []error

func (m manyErrors) Error() string   { return "many" }
func (m manyErrors) Unwrap() []error { return m }

func TestFallbackSeesWhatFailed(t *testing.T) {
	rt := newRuntime(t)
	own, other := errors.New("down"), errors.New("also down")
	ctx := context.Background()
	fallback := made(NewFallback(rt, FallbackTo(func(_ context.Context, failed error) (string, error) {
		if failed != own {
			return "", other
		}
		return "stale", nil
	}), FallbackOptions{}))
	got, err := Run(ctx, fallback, func(context.Context) (string, error) { return "", own })
	if err != nil || got != "stale" {
		t.Fatalf("got %q, %v", got, err)
	}
	_, err = Run(ctx, fallback, func(context.Context) (string, error) { return "", io.EOF })
	if !errors.Is(err, other) || !errors.Is(err, io.EOF) {
		t.Fatalf("got %v", err)
	}
	none := made(NewFallback(rt, FallbackToValue[*int](nil), FallbackOptions{}))
	five := 5
	pointer, err := Run(ctx, none, func(context.Context) (*int, error) { return &five, ClassFailure })
	if err != nil || pointer != nil {
		t.Fatalf("got %v, %v", pointer, err)
	}
}

func TestClosedHandlesAndRuntimes(t *testing.T) {
	rt := made(New(nil))
	breaker := made(NewBreaker(rt, BreakerOptions{}))
	must(t, breaker.Close())
	if _, err := breaker.Acquire(); !errors.Is(err, ErrClosed) || breaker.Close() == nil {
		t.Fatalf("got %v", err)
	}
	if _, err := NewPipeline("", breaker); !errors.Is(err, ErrClosed) {
		t.Fatalf("got %v", err)
	}
	begun := make(chan struct{})
	over := make(chan error, 1)
	go func() {
		over <- Do(context.Background(), rt, func(ctx context.Context) error {
			close(begun)
			<-ctx.Done()
			return nil
		})
	}()
	<-begun
	must(t, rt.Close())
	var closed *ClosedError
	if err := <-over; !errors.As(err, &closed) || closed.Cancel != CancelShutdown {
		t.Fatalf("got %v", err)
	}
	if err := Do(context.Background(), rt,
		func(context.Context) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Fatalf("got %v", err)
	}
	must(t, rt.Close())
}

func TestBatches(t *testing.T) {
	rt := newRuntime(t)
	breaker := made(NewBreaker(rt, BreakerOptions{FailureThreshold: 3}))
	batch := breaker.Batch(2)
	for range 4 {
		permit, err := batch.Acquire()
		must(t, err)
		batch.Report(permit, ClassFailure, 0)
	}
	batch.Close()
	if stats := made(breaker.Stats()); stats.State != BreakerOpen || stats.Failed < 3 {
		t.Fatalf("stats %+v", stats)
	}
	if _, err := batch.Acquire(); !errors.Is(err, ErrOpen) {
		t.Fatalf("got %v", err)
	}
	limiter := made(NewLimiter(rt, LimiterOptions{Permits: 10, Interval: time.Hour}))
	rates := limiter.Batch(4)
	for range 10 {
		must(t, rates.Acquire())
	}
	var limited *LimitedError
	if err := rates.Acquire(); !errors.As(err, &limited) || limited.RetryAfter <= 0 {
		t.Fatalf("got %v", err)
	}
	must(t, rates.Close())
}

// A process that ends with work pending neither hangs nor crashes: this program, once more.
func TestExitWithWorkPending(t *testing.T) {
	if os.Getenv("WEIR_EXIT_PENDING") == "" {
		again := exec.Command(os.Args[0], "-test.run=^TestExitWithWorkPending$")
		again.Env = append(os.Environ(), "WEIR_EXIT_PENDING=1")
		again.Run()
		if code := again.ProcessState.ExitCode(); code != 7 {
			t.Fatalf("ended with %d", code)
		}
		return
	}
	rt := made(New(nil))
	retry := made(NewRetry(rt, RetryOptions{BaseDelay: time.Hour, MaxDelay: time.Hour}))
	made(Start(context.Background(), retry, func(context.Context) (int, error) { return 0, io.EOF }))
	made(Start(context.Background(), rt, func(ctx context.Context) (int, error) { select {} }))
	go Do(context.Background(), rt, func(ctx context.Context) error { <-ctx.Done(); return nil })
	time.Sleep(time.Millisecond)
	os.Exit(7)
}

func TestPanicInAJudgeIsTheFunctions(t *testing.T) {
	rt := newRuntime(t)
	call := made(Start(context.Background(), rt, func(context.Context) (int, error) { return 1, nil },
		FailIf(func(int) bool { panic("judge") })))
	<-call.Done()
	var thrown *PanicError
	if _, err := call.Result(); !errors.As(err, &thrown) || thrown.Value != "judge" {
		t.Fatalf("got %v", err)
	}
}

func TestNilPointerForAnError(t *testing.T) {
	rt := newRuntime(t)
	err := Do(context.Background(), rt, func(context.Context) error { return (*os.PathError)(nil) })
	if !errors.Is(err, ErrFailed) {
		t.Fatalf("got %v", err)
	}
}

func TestVirtualRuntimeClosesTwice(t *testing.T) {
	rt, clock := newVirtual(t)
	must(t, rt.Close())
	must(t, rt.Close())
	clock.Advance(time.Hour)
	if err := Do(context.Background(), rt,
		func(context.Context) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Fatalf("got %v", err)
	}
}

func TestAskingLongAfterTheEnd(t *testing.T) {
	rt := newRuntime(t)
	for range rounds(200) {
		asked := make(chan struct{})
		must(t, Do(context.Background(), rt, func(ctx context.Context) error {
			go func() { defer close(asked); ctx.Deadline(); AttemptOf(ctx); ctx.Value("none") }()
			return nil
		}, WithKey("key")))
		<-asked
	}
}

func TestAuditListsWhatIsInFlight(t *testing.T) {
	rt, clock := newVirtual(t)
	nap := made(NewSleep(rt, time.Hour))
	call := made(nap.Start(context.Background(), nil, WithName("nap")))
	clock.Advance(time.Minute)
	if list := clock.Audit(); len(list) != 1 || list[0].Name != "nap" || list[0].Age != time.Minute ||
		list[0].Orphan {
		t.Fatalf("audit %+v", list)
	}
	call.Cancel()
	clock.Settle()
	if list := clock.Audit(); list != nil {
		t.Fatalf("audit %+v", list)
	}
}

func TestMapSeqReturnsThoughItsSequenceBlocks(t *testing.T) {
	rt := newRuntime(t)
	release := make(chan struct{})
	stuck := func(yield func(int) bool) { <-release }
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	_, err := MapSeq(ctx, rt, stuck, ParallelOptions{Concurrency: 1},
		func(_ context.Context, n int) (int, error) { return n, nil })
	if !errors.Is(err, ErrTimedOut) {
		t.Fatalf("got %v", err)
	}
	close(release)
}
