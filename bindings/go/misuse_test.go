// SPDX-License-Identifier: MIT

package weir

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

var errNever = errors.New("never again")

// A retry that is asked, and what it was asked about.
func askedRetry(rt *Runtime) (*Retry, *atomic.Int64) {
	asked := &atomic.Int64{}
	return made(NewRetry(rt, RetryOptions{BaseDelay: time.Millisecond, ShouldRetry: func(error) bool {
		asked.Add(1)
		return false
	}})), asked
}

// ShouldRetry is asked wherever a policy can be given.
func TestShouldRetryIsAskedEverywhere(t *testing.T) {
	rt := newRuntime(t)
	ctx := context.Background()
	fail := func(context.Context, int) (int, error) { return 0, errNever }
	leaf := made(NewOperation(rt, fail))
	forms := map[string]func(Policy) error{
		"Run": func(p Policy) error {
			return Do(ctx, p, func(context.Context) error { return errNever })
		},
		"RunUnder": func(p Policy) error {
			_, err := leaf.RunUnder(ctx, p, 1)
			return err
		},
		"Wrap": func(p Policy) error {
			_, err := made(Wrap(p, leaf)).Run(ctx, 1)
			return err
		},
		"Pipeline": func(p Policy) error {
			_, err := leaf.RunUnder(ctx, made(NewPipeline("", rt, p)), 1)
			return err
		},
		"Parallel": func(p Policy) error {
			_, err := made(Parallel(rt, ParallelOptions{Concurrency: 1, Policy: p}, leaf)).Run(ctx, 1)
			return err
		},
		"ParallelEach": func(p Policy) error {
			each := made(ParallelEach(leaf, ParallelOptions{Concurrency: 1, Policy: p}))
			_, err := each.Run(ctx, []int{1})
			return err
		},
		"ParallelOver": func(p Policy) error {
			over := made(ParallelOver(leaf, []int{1}, ParallelOptions{Concurrency: 1, Policy: p}))
			_, err := over.Run(ctx, nil)
			return err
		},
		"Map": func(p Policy) error {
			_, err := Map(ctx, rt, []int{1}, ParallelOptions{Concurrency: 1, Policy: p}, fail)
			return err
		},
		"Pool": func(p Policy) error {
			pool := made(NewPool[int](rt, true, ParallelOptions{Concurrency: 1, Policy: p}))
			if err := pool.Go(func(ctx context.Context) (int, error) { return fail(ctx, 1) }); err != nil {
				return err
			}
			pool.Seal()
			_, err := pool.Run(ctx)
			return err
		},
		"Debounce": func(p Policy) error {
			debounce := made(NewDebounce(leaf, DebounceOptions{Wait: time.Millisecond, Policy: p}))
			_, err := debounce.Run(ctx, 1)
			return err
		},
		"Throttle": func(p Policy) error {
			_, err := made(NewThrottle(leaf, ThrottleOptions{Policy: p})).Run(ctx, 1)
			return err
		},
		"Loader": func(p Policy) error {
			cache := made(NewCache(rt, CacheOptions[int]{}))
			loader := made(cache.LoaderUnder(p, func(ctx context.Context, _ string) (int, error) {
				return fail(ctx, 1)
			}))
			_, err := loader.Get(ctx, "k")
			return err
		},
	}
	for name, form := range forms {
		retry, asked := askedRetry(rt)
		if err := form(retry); !errors.Is(err, errNever) {
			t.Error(name, ": ", err)
		}
		if asked.Load() != 1 {
			t.Error(name, ": asked ", asked.Load(), " times")
		}
	}
}

// A closed handle is ErrClosed wherever it is used, and a second Close, too.
func TestClosedHandles(t *testing.T) {
	rt := newRuntime(t)
	ctx := context.Background()
	retry := made(NewRetry(rt, RetryOptions{}))
	retry.Close()
	leaf := made(NewOperation(rt, func(context.Context, int) (int, error) { return 1, nil }))
	closed := made(NewOperation(rt, func(context.Context, int) (int, error) { return 1, nil }))
	closed.Close()
	cache := made(NewCache(rt, CacheOptions[int]{}))
	cache.Close()
	for name, err := range map[string]error{
		"close":    retry.Close(),
		"run":      Do(ctx, retry, func(context.Context) error { return nil }),
		"pipeline": second(NewPipeline("", rt, retry)),
		"wrap":     second(Wrap(retry, leaf)),
		"wrapped":  second(Wrap(made(NewRetry(rt, RetryOptions{})), closed)),
		"under":    second(leaf.RunUnder(ctx, retry, 1)),
		"operate":  second(closed.Run(ctx, 1)),
		"put":      cache.Put("k", 1),
		"loader":   second(cache.Loader(func(context.Context, string) (int, error) { return 1, nil })),
		"stats":    second(retry.Stats()),
		"label":    retry.SetLabel("a", "b"),
		"register": retry.Register(),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Error(name, ": ", err)
		}
	}
	if retry.Kind() != KindNone || retry.Name() != "" {
		t.Error("a closed policy has a kind or a name")
	}
}

func second[T any](_ T, err error) error { return err }

// Nothing of a runtime that is closed hangs or crashes.
func TestClosedRuntime(t *testing.T) {
	rt := made(New(nil))
	ctx := context.Background()
	breaker := made(NewBreaker(rt, BreakerOptions{}))
	cache := made(NewCache(rt, CacheOptions[int]{}))
	loader := made(cache.Loader(func(context.Context, string) (int, error) { return 1, nil }))
	flight := made(NewFlight[int](rt, FlightOptions{}))
	if rt.Close() != nil || rt.Close() != nil || !rt.Closed() {
		t.Fatal("close")
	}
	one := func(context.Context) (int, error) { return 1, nil }
	for name, err := range map[string]error{
		"run":    second(Run(ctx, breaker, one)),
		"start":  second(Start(ctx, breaker, one)),
		"get":    second(loader.Get(ctx, "k")),
		"flight": second(flight.Do(ctx, "k", one)),
		"sleep":  Sleep(ctx, rt, time.Second),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Error(name, ": ", err)
		}
	}
	if permit, err := breaker.Acquire(); err == nil {
		breaker.Report(permit, ClassSuccess, 0)
	}
	rt.Stats()
	rt.Trim()
	rt.Now()
}

// Functions that are nil are panics of those who run them, and what makes handles says what it misses.
func TestNilFunctions(t *testing.T) {
	rt := newRuntime(t)
	func() {
		defer func() {
			if _, ok := recover().(*PanicError); !ok {
				t.Error("no panic")
			}
		}()
		Run[int](context.Background(), rt, nil)
	}()
	cache := made(NewCache(rt, CacheOptions[int]{}))
	for name, err := range map[string]error{
		"loader":   second(cache.Loader(nil)),
		"fallback": second(NewFallback(rt, nil, FallbackOptions{})),
		"pipeline": second(NewPipeline("empty")),
		"nothing":  second(NewPipeline("of a runtime", rt)),
	} {
		if !errors.Is(err, ErrInvalid) {
			t.Error(name, ": ", err)
		}
	}
}

// What is nil, and must not be, is an error that names it.
func TestNilHandles(t *testing.T) {
	rt := newRuntime(t)
	ctx := context.Background()
	one := func(context.Context) (int, error) { return 1, nil }
	same := func(_ context.Context, i int) (int, error) { return i, nil }
	shut := func(context.Context, int) error { return nil }
	leaf := made(NewOperation(rt, same))
	cache := made(NewCache(rt, CacheOptions[int]{}))
	flight := made(NewFlight[int](rt, FlightOptions{}))
	pool := made(NewPool[int](rt, false, ParallelOptions{Concurrency: 1}))
	load := func(context.Context, string) (int, error) { return 1, nil }
	var none *Runtime
	var nothing *Operation[int, int]
	var retry *Retry
	around := ParallelOptions{Concurrency: 1, Policy: retry}
	for _, tried := range []struct {
		says string
		err  error
	}{
		{"breaker: rt", second(NewBreaker(none, BreakerOptions{OnStateChange: func(BreakerChange) {}}))},
		{"cache: rt", second(NewCache(none, CacheOptions[int]{}))},
		{"chaos: rt", second(NewChaos(none, ChaosOptions{}))},
		{"hedge: rt", second(NewHedge(none, HedgeOptions{Delay: 1}))},
		{"fallback: rt", second(NewFallback(none, FallbackToValue(1), FallbackOptions{}))},
		{"limiter: rt", second(NewLimiter(none, LimiterOptions{}))},
		{"bulkhead: rt", second(NewBulkhead(none, 1, 1, ""))},
		{"flight: rt", second(NewFlight[int](none, FlightOptions{}))},
		{"pool: rt", second(NewPool[int](none, false, ParallelOptions{}))},
		{"retry: rt", second(NewRetry(none, RetryOptions{}))},
		{"budget: rt", second(NewBudget(none, BudgetOptions{}))},
		{"scope: rt", second(NewScope(ctx, none, ScopeOptions{}))},
		{"scope: rt", InScope(ctx, none, ScopeOptions{}, nil)},
		{"timeout: rt", second(NewTimeout(none, TimeoutOptions{}))},
		{"timeout: rt", second(NewTimeout(&Runtime{}, TimeoutOptions{}))},
		{"sleep: rt", Sleep(ctx, none, 1)},
		{"sleep: rt", second(NewSleepValue(none, 1, 1))},
		{"sleep: rt", second(NewSleepError[int](none, 1, errNever))},
		{"operation: rt", second(NewOperation(none, same))},
		{"operation: rt", second(Func(none, one))},
		{"operation: rt", second(Resource(none, "", one, shut))},
		{"operation: rt", second(OpenResource(ctx, none, one, shut))},
		{"race: rt", second(Race(none, RaceOptions{}, leaf))},
		{"any: rt", second(Any(none, leaf))},
		{"all: rt", second(All(none, leaf))},
		{"all: rt", second(AllSettled(none, leaf))},
		{"waterfall: rt", second(Waterfall[int, int](none, "", leaf))},
		{"parallel: rt", second(Parallel(none, ParallelOptions{}, leaf))},
		{"map: rt", second(Map(ctx, none, []int{1}, ParallelOptions{}, same))},
		{"map: rt", second(MapSettled(ctx, none, []int{1}, ParallelOptions{}, same))},
		{"map: rt", second(MapSeq(ctx, none, slices.Values([]int{1}), ParallelOptions{}, same))},

		{"race: racers[1]", second(Race(rt, RaceOptions{}, leaf, nil))},
		{"any: operations[0]", second(Any(rt, nothing))},
		{"all: operations[0]", second(All(rt, nothing))},
		{"all: operations[1]", second(AllSettled(rt, leaf, nil))},
		{"waterfall: steps[1]", second(Waterfall[int, int](rt, "", leaf, nothing))},
		{"waterfall: steps[0]", second(Waterfall[int, int](rt, "", nil, leaf))},
		{"waterfall: first", second(Then(nothing, leaf))},
		{"waterfall: steps[1]", second(Then(leaf, nothing))},
		{"parallel: operations[0]", second(ParallelSettled(rt, ParallelOptions{}, nothing))},
		{"parallel: operation", second(ParallelEach(nothing, ParallelOptions{}))},
		{"parallel: operation", second(ParallelOver(nothing, []int{1}, ParallelOptions{}))},
		{"poll: operation", second(Poll(nothing, PollOptions{Interval: 1}, func(int) bool { return true }))},
		{"poll: operation", second(Poll(nothing, PollOptions{Interval: 1}, nil))},
		{"scope: body", second(Scoped(nothing, ScopeOptions{}))},
		{"cache: loader", second(CacheGet(cache, nothing))},
		{"cache: c", second(CacheGet[int, int](nil, leaf))},
		{"memoize: operation", second(Memoize(nothing, nil, MemoizeOptions{}))},
		{"flight: operation", second(FlightOperation(flight, nothing))},
		{"flight: f", second(FlightOperation[int, int](nil, leaf))},
		{"resource: open", second(ResourceOf(nothing, leaf, ""))},
		{"resource: shuts", second(ResourceOf(leaf, nothing, ""))},
		{"debounce: operation", second(NewDebounce(nothing, DebounceOptions{}))},
		{"throttle: operation", second(NewThrottle(nothing, ThrottleOptions{}))},
		{"pool: operation", AddTo(pool, nothing, 1)},
		{"pool: p", AddTo(nil, leaf, 1)},
		{"wrap: operation", second(Wrap(rt, nothing))},
		{"fallback: target", second(NewFallback(rt, FallbackToOperation(nothing), FallbackOptions{}))},

		{"run: policy", second(Run(ctx, nil, one))},
		{"run: policy", second(Run(ctx, retry, one))},
		{"run: policy", second(Run(ctx, none, one))},
		{"run: policy", second(Run(ctx, &Runtime{}, one))},
		{"run: policy", second(Run(ctx, &Retry{}, one))},
		{"run: policy", Do(ctx, (*Breaker)(nil), func(context.Context) error { return nil })},
		{"run: policy", second(Start(ctx, (*Limiter)(nil), one))},
		{"run: policy", second(leaf.RunUnder(ctx, nil, 1))},
		{"run: policy", second(leaf.RunUnder(ctx, (*Timeout)(nil), 1))},
		{"wrap: policy", second(Wrap(nil, leaf))},
		{"wrap: policy", second(Wrap((*Hedge)(nil), leaf))},
		{"pipeline: policies[0]", second(NewPipeline("", nil, rt))},
		{"pipeline: policies[1]", second(NewPipeline("", rt, (*Fallback)(nil)))},
		{"pipeline: policies[0]", second(NewPipeline("", (*Pipeline)(nil), (*Chaos)(nil)))},
		{"cache: policy", second(cache.LoaderUnder(nil, load))},
		{"parallel: Policy", second(Parallel(rt, around, leaf))},
		{"parallel: Policy", second(ParallelEach(leaf, around))},
		{"map: Policy", second(Map(ctx, rt, []int{1}, around, same))},
		{"pool: Policy", second(NewPool[int](rt, false, around))},
		{"debounce: Policy", second(NewDebounce(leaf, DebounceOptions{Policy: retry}))},
		{"throttle: Policy", second(NewThrottle(leaf, ThrottleOptions{Policy: (*Chaos)(nil)}))},
	} {
		var invalid *Error
		if !errors.As(tried.err, &invalid) || !errors.Is(tried.err, ErrInvalid) ||
			tried.err.Error() != "weir: "+tried.says+" must not be nil" {
			t.Errorf("%s: %v", tried.says, tried.err)
		}
	}
	if value, err := leaf.RunUnder(ctx, rt, 1); value != 1 || err != nil {
		t.Error(value, err)
	}
}

// Numbers that no option can be are refused with its name, never taken for another.
func TestAbsurdOptions(t *testing.T) {
	rt := newRuntime(t)
	many := make([]ErrorRange, 1<<16+1)
	for name, err := range map[string]error{
		"attempts":    second(NewRetry(rt, RetryOptions{MaxAttempts: -7})),
		"delay":       second(NewRetry(rt, RetryOptions{BaseDelay: -time.Hour})),
		"nan":         second(NewRetry(rt, RetryOptions{Multiplier: math.NaN()})),
		"infinite":    second(NewRetry(rt, RetryOptions{JitterFactor: math.Inf(1)})),
		"ranges":      second(NewRetry(rt, RetryOptions{Failures: many})),
		"threshold":   second(NewBreaker(rt, BreakerOptions{FailureThreshold: -1})),
		"huge":        second(NewBreaker(rt, BreakerOptions{WindowSize: math.MaxInt})),
		"mode":        second(NewBreaker(rt, BreakerOptions{Mode: 99})),
		"burst":       second(NewLimiter(rt, LimiterOptions{Permits: 1, Interval: 1, Burst: -5})),
		"concurrency": second(NewLimiter(rt, LimiterOptions{MaxConcurrent: -5})),
		"hedges":      second(NewHedge(rt, HedgeOptions{MaxHedges: -1, Delay: 1})),
		"timeout":     second(NewTimeout(rt, TimeoutOptions{Timeout: -3})),
		"entries":     second(NewCache(rt, CacheOptions[int]{MaxEntries: -5})),
		"flight":      second(New(&RuntimeOptions{MaxInFlight: -5})),
		"parallel":    second(Map(context.Background(), rt, []int{1}, ParallelOptions{Concurrency: -5}, asIs)),
	} {
		if !errors.Is(err, ErrInvalid) {
			t.Error(name, ": ", err)
		}
	}
}

func asIs(_ context.Context, i int) (int, error) { return i, nil }
