// SPDX-License-Identifier: MIT

package weir_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sort"
	"strings"
	"sync/atomic"
	"time"

	weir "github.com/weir-project/weir/bindings/go"
)

// The use cases U1 to U13, as someone would write them. Where time matters it is virtual: Clock.Run
// moves it while everything waits. In a program it is weir.New(nil) instead of weir.NewVirtual, and
// no clock.

func check[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func virtual() (*weir.Runtime, *weir.Clock) {
	rt, clock, err := weir.NewVirtual(1)
	if err != nil {
		log.Fatal(err)
	}
	return rt, clock
}

// U1: poll a payment until it is no longer PENDING, 5 attempts, exponential.
func ExampleRetry() {
	rt, clock := virtual()
	defer rt.Close()
	retry := check(weir.NewRetry(rt, weir.RetryOptions{
		MaxAttempts: 5, BaseDelay: 200 * time.Millisecond, Jitter: weir.JitterNone,
	}))
	states := []string{"PENDING", "PENDING", "PENDING", "PAID"}
	clock.Run(func(ctx context.Context) {
		asked := 0
		state, err := weir.Run(ctx, retry, func(ctx context.Context) (string, error) {
			asked++
			return states[asked-1], nil
		}, weir.FailIf(func(state string) bool { return state == "PENDING" }))
		fmt.Println(state, err, "after", asked, "attempts and", clock.Now()-time.Second)
	})
	// Output: PAID <nil> after 4 attempts and 1.4s
}

// U2: upload 100 files, 5 at a time, with progress.
func ExampleMap() {
	rt := check(weir.New(nil))
	defer rt.Close()
	files := make([]string, 100)
	for i := range files {
		files[i] = fmt.Sprintf("file%d", i)
	}
	var now, most atomic.Int32
	upload := func(ctx context.Context, file string) (string, error) {
		for n := now.Add(1); n > most.Load(); {
			most.Store(n)
		}
		defer now.Add(-1)
		return "https://cdn/" + file, nil
	}
	urls, err := weir.Map(context.Background(), rt, files, weir.ParallelOptions{
		Concurrency: 5,
		OnProgress: func(done, total int) {
			if done%50 == 0 {
				fmt.Printf("%d of %d\n", done, total)
			}
		},
	}, upload)
	fmt.Println(len(urls), urls[99], err, most.Load() <= 5)
	// Output:
	// 50 of 100
	// 100 of 100
	// 100 https://cdn/file99 <nil> true
}

// U3: type-ahead search: 300 ms debounce; superseded calls settle as such and are ignored.
func ExampleDebounce() {
	rt, clock := virtual()
	defer rt.Close()
	search := check(weir.NewOperation(rt, func(ctx context.Context, query string) (string, error) {
		return "results for " + query, nil
	}))
	typed := check(weir.NewDebounce(search, weir.DebounceOptions{Wait: 300 * time.Millisecond}))
	clock.Run(func(ctx context.Context) {
		var calls []*weir.Call[string]
		for _, query := range []string{"g", "go", "gop"} {
			calls = append(calls, check(typed.Start(ctx, query)))
			weir.Sleep(ctx, rt, 100*time.Millisecond)
		}
		for _, call := range calls {
			found, err := call.Wait(ctx)
			if errors.Is(err, weir.ErrSuperseded) {
				continue
			}
			fmt.Println(found, err)
		}
	})
	// Output: results for gop <nil>
}

// U4: fetch from two regions; the first success wins, 5 s deadline, all failures listed when both
// fail.
func ExampleRace() {
	rt, clock := virtual()
	defer rt.Close()
	region := func(name string, takes time.Duration, err error) *weir.Operation[any, string] {
		return check(weir.Func(rt, func(ctx context.Context) (string, error) {
			if slept := weir.Sleep(ctx, rt, takes); slept != nil {
				return "", slept
			}
			return "from " + name, err
		}))
	}
	clock.Run(func(ctx context.Context) {
		both := check(weir.Any(rt, region("eu", 80*time.Millisecond, nil),
			region("us", 20*time.Millisecond, nil)))
		fmt.Println(both.Run(ctx, nil, weir.WithDeadline(5*time.Second)))

		none := check(weir.Any(rt, region("eu", 1, errors.New("eu is down")),
			region("us", 2, errors.New("us is down"))))
		_, err := none.Run(ctx, nil, weir.WithDeadline(5*time.Second))
		var all *weir.AggregateError
		if errors.As(err, &all) {
			fmt.Println(len(all.Errors), all.Errors[0], "and", all.Errors[1])
		}

		slow := check(weir.Any(rt, region("eu", time.Minute, nil), region("us", time.Hour, nil)))
		_, err = slow.Run(ctx, nil, weir.WithDeadline(5*time.Second))
		fmt.Println(errors.Is(err, weir.ErrTimedOut))
	})
	// Output:
	// from us <nil>
	// 2 eu is down and us is down
	// true
}

// U5: call an API at most 5 at once and 100 in any minute; the rest wait their turn.
func ExampleLimiter() {
	rt, clock := virtual()
	defer rt.Close()
	limiter := check(weir.NewLimiter(rt, weir.LimiterOptions{
		Algorithm: weir.SlidingWindow, Permits: 100, Interval: time.Minute, MaxConcurrent: 5,
	}))
	begun := clock.Now()
	var now, most, firstMinute atomic.Int32
	clock.Run(func(ctx context.Context) {
		var calls []*weir.Call[int]
		for i := range 150 {
			calls = append(calls, check(weir.Start(ctx, limiter, func(ctx context.Context) (int, error) {
				most.Store(max(most.Load(), now.Add(1)))
				defer now.Add(-1)
				if clock.Now()-begun < time.Minute {
					firstMinute.Add(1)
				}
				return i, weir.Sleep(ctx, rt, 10*time.Millisecond)
			})))
		}
		for _, call := range calls {
			check(call.Wait(ctx))
		}
	})
	fmt.Println(firstMinute.Load(), most.Load() <= 5, clock.Now()-begun > time.Minute)
	// Output: 100 true true
}

// U6: user profiles: three equal calls load once; cached a minute; stale when the backend is down.
func ExampleCache() {
	rt, clock := virtual()
	defer rt.Close()
	type profile struct{ Name string }
	loads, down := 0, false
	cache := check(weir.NewCache(rt, weir.CacheOptions[*profile]{TTL: time.Minute,
		StaleIfError: time.Hour}))
	profiles := check(cache.Loader(func(ctx context.Context, id string) (*profile, error) {
		loads++
		weir.Sleep(ctx, rt, 20*time.Millisecond)
		if down {
			return nil, errors.New("the backend is down")
		}
		return &profile{"Ada"}, nil
	}))
	clock.Run(func(ctx context.Context) {
		var calls []*weir.Call[*profile]
		for range 3 {
			calls = append(calls, check(profiles.Start(ctx, "7")))
		}
		for _, call := range calls {
			check(call.Wait(ctx))
		}
		check(profiles.Get(ctx, "7"))
		fmt.Println("loads:", loads)
		down = true
		weir.Sleep(ctx, rt, 2*time.Minute)
		stale, err := profiles.Get(ctx, "7")
		fmt.Println(stale.Name, err, "loads:", loads)
	})
	// Output:
	// loads: 1
	// Ada <nil> loads: 2
}

// U7: a breaker around a failing service: 5 failures open it, a minute later 2 successes close it.
func ExampleBreaker() {
	rt, clock := virtual()
	defer rt.Close()
	breaker := check(weir.NewBreaker(rt, weir.BreakerOptions{
		FailureThreshold: 5, ResetTimeout: time.Minute, HalfOpenSuccessThreshold: 2, Name: "payments",
	}))
	down := true
	service := func(ctx context.Context) (string, error) {
		if down {
			return "", errors.New("502")
		}
		return "ok", nil
	}
	clock.Run(func(ctx context.Context) {
		for range 5 {
			weir.Run(ctx, breaker, service)
		}
		_, err := weir.Run(ctx, breaker, service)
		var open *weir.OpenError
		fmt.Println(errors.As(err, &open), open.RetryAfter)
		weir.Sleep(ctx, rt, time.Minute)
		down = false
		fmt.Println(breaker.State())
		weir.Run(ctx, breaker, service)
		weir.Run(ctx, breaker, service)
		fmt.Println(breaker.State())
	})
	// Output:
	// true 1m0s
	// half-open
	// closed
}

// U8: user → orders → total → discount, each step fed by the last.
func ExampleThen() {
	rt := check(weir.New(nil))
	defer rt.Close()
	type order struct{ Price float64 }
	orders := check(weir.NewOperation(rt, func(ctx context.Context, user string) ([]order, error) {
		return []order{{60}, {60}}, nil
	}))
	total := check(weir.NewOperation(rt, func(ctx context.Context, orders []order) (sum float64,
		err error) {
		for _, order := range orders {
			sum += order.Price
		}
		return
	}))
	discount := check(weir.NewOperation(rt, func(ctx context.Context, total float64) (string, error) {
		if total < 100 {
			return "", errors.New("no discount")
		}
		return "10 %", nil
	}))
	price := check(weir.Then(check(weir.Then(orders, total)), discount))
	fmt.Println(price.Run(context.Background(), "ada"))
	// Output: 10 % <nil>
}

// U9: poll a job every 2 s, at most 30 times, until completed.
func ExamplePoll() {
	rt, clock := virtual()
	defer rt.Close()
	asked := 0
	job := check(weir.Func(rt, func(ctx context.Context) (string, error) {
		if asked++; asked < 4 {
			return "running", nil
		}
		return "completed", nil
	}))
	watch := check(weir.Poll(job, weir.PollOptions{Interval: 2 * time.Second, MaxAttempts: 30},
		func(state string) bool { return state == "completed" }))
	clock.Run(func(ctx context.Context) {
		state, err := watch.Run(ctx, nil)
		fmt.Println(state, err, "after", clock.Now()-time.Second)
	})
	// Output: completed <nil> after 6s
}

// U10: breaker around retry around timeout around fetch, one call.
func ExamplePipeline() {
	rt, clock := virtual()
	defer rt.Close()
	policy := check(weir.NewPipeline("fetch",
		check(weir.NewBreaker(rt, weir.BreakerOptions{Name: "api"})),
		check(weir.NewRetry(rt, weir.RetryOptions{MaxAttempts: 3, BaseDelay: 100 * time.Millisecond,
			Jitter: weir.JitterNone})),
		check(weir.NewTimeout(rt, weir.TimeoutOptions{Timeout: 500 * time.Millisecond}))))
	clock.Run(func(ctx context.Context) {
		tries := 0
		body, err := weir.Run(ctx, policy, func(ctx context.Context) (string, error) {
			if tries++; tries == 1 {
				weir.Sleep(ctx, rt, time.Hour) // its timeout ends this
				return "", ctx.Err()
			}
			return "body", nil
		})
		fmt.Println(body, err, "after", clock.Now()-time.Second)
	})
	// Output: body <nil> after 600ms
}

// U11: process items 3 at a time, 5 s each, keep going on errors, count what succeeded and failed.
func ExampleMapSettled() {
	rt, clock := virtual()
	defer rt.Close()
	clock.Run(func(ctx context.Context) {
		results := check(weir.MapSettled(ctx, rt, []int{1, 2, 3, 4, 5, 6}, weir.ParallelOptions{
			Concurrency: 3, ItemTimeout: 5 * time.Second,
		}, func(ctx context.Context, item int) (int, error) {
			switch item {
			case 2:
				return 0, errors.New("broken")
			case 4:
				return 0, weir.Sleep(ctx, rt, time.Hour)
			}
			return item * item, nil
		}))
		succeeded, late := 0, 0
		for _, result := range results {
			if result.Err == nil {
				succeeded++
			} else if errors.Is(result.Err, weir.ErrTimedOut) {
				late++
			}
		}
		fmt.Println(succeeded, "succeeded,", len(results)-succeeded, "failed,", late, "of these too late")
	})
	// Output: 4 succeeded, 2 failed, 1 of these too late
}

// U12: a scope that sets a default TTL, a deadline, opens and closes its resources, logs under its
// name.
func ExampleInScope() {
	rt, clock := virtual()
	defer rt.Close()
	resource := func(ctx context.Context, name string) string {
		return check(weir.OpenResource(ctx, rt,
			func(context.Context) (string, error) { fmt.Println("open", name); return name, nil },
			func(_ context.Context, name string) error { fmt.Println("close", name); return nil }))
	}
	clock.Run(func(ctx context.Context) {
		err := weir.InScope(ctx, rt, weir.ScopeOptions{Name: "import", Deadline: time.Minute},
			func(ctx context.Context, scope *weir.Scope) error {
				scope.Set("ttl", 300)
				resource(ctx, "database")
				resource(ctx, "file")
				return weir.Do(ctx, rt, func(ctx context.Context) error {
					ttl, err := weir.ScopeValue[int](weir.ScopeOf(ctx), "ttl")
					fmt.Println("ttl", ttl, err)
					return weir.Sleep(ctx, rt, time.Hour) // the deadline ends this
				})
			})
		fmt.Println(errors.Is(err, weir.ErrTimedOut), clock.Now()-time.Second)
	})
	// Output:
	// open database
	// open file
	// ttl 300 <nil>
	// close file
	// close database
	// true 1m0s
}

// U13: add work to a pool while it runs; results when drained.
func ExamplePool() {
	rt := check(weir.New(nil))
	defer rt.Close()
	pool := check(weir.NewPool[string](rt, false, weir.ParallelOptions{Concurrency: 4}))
	page := func(name string, links ...string) func(context.Context) (string, error) {
		return func(context.Context) (string, error) {
			for _, link := range links {
				pool.Go(func(context.Context) (string, error) { return link, nil })
			}
			if links != nil {
				pool.Seal()
			}
			return name, nil
		}
	}
	pool.Go(page("index", "about", "contact"))
	results := check(pool.Run(context.Background()))
	var seen []string
	for _, result := range results {
		seen = append(seen, result.Value)
	}
	sort.Strings(seen)
	fmt.Println(strings.Join(seen, " "))
	// Output: about contact index
}

// The other door of a breaker: the call is made by whoever asks.
func ExampleBreaker_Call() {
	rt := check(weir.New(nil))
	defer rt.Close()
	breaker := check(weir.NewBreaker(rt, weir.BreakerOptions{}))
	err := breaker.Call(func() error { return nil })
	fmt.Println(err, breaker.State())
	// Output: <nil> closed
}
