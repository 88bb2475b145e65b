// SPDX-License-Identifier: MIT

// Package weir is flow control and resilience: retry with budget, circuit breaker, rate and
// concurrency limiter, timeout, hedge, fallback, cache, single flight, debounce, throttle, and flows
// of many runs. It is the C library weir in Go's manners and nothing else: policies, timers and
// state are the library's, so a breaker that another language of the process opened is open here.
//
//	rt, err := weir.New(nil)
//	retry, err := weir.NewRetry(rt, weir.RetryOptions{MaxAttempts: 5})
//	page, err := weir.Run(ctx, retry, func(ctx context.Context) (string, error) {
//		return fetch(ctx, url)
//	})
//
// # Runs
//
// [Run] runs a function under a [Policy] and waits; [Do] has no value, [Start] does not wait. An
// [Operation] is a function, or several, that is run often, and that others are made of: [Race],
// [Map], [Then], [Poll], the loader of a [Cache]. Values and errors are Go's own and come back as
// the same values.
//
// # Contexts
//
// They work both ways. When a run's context ends, the run is cancelled, and its deadline is the
// run's: nothing begins that cannot fit. The context that a function gets ends when the library
// tells it to stop ([Stopped] says why), and when it has returned; its deadline is the nearest of
// all timeouts around it. A run that was stopped returns at once; a function that
// does not heed its context goes on as an orphan, and its result is dropped.
//
// # Errors
//
// All are typed, embed [Details], and match a [Status]: errors.Is(err, weir.ErrOpen). A
// [*FailedError] unwraps to what the function returned, an [*AggregateError] to all. [Final],
// [RetryAfter] and [Judged] mark what a function returns; a [Class] in the place of the error
// judges the value beside it. A panic is a failure, a [*PanicError]; if it is how the run ends, the
// waiting goroutine panics with it. A runtime, operation or policy that is nil where one is needed,
// such as what a constructor gave beside an error, is [ErrInvalid], whose message names the argument.
//
// # Options
//
// In option structs zero is the library's default, which each field's comment says. [Zero],
// [Forever], [Unlimited], [Off] and [ZeroRate] say what a zero cannot. Times are rounded up to
// whole milliseconds.
//
// # Goroutines
//
// All methods take any goroutine, unless they say otherwise. Functions run on goroutines of their
// own. The engine has no thread: a goroutine runs it. OnStateChange, OnItem, OnProgress and OnEvent
// run on that one: they must neither block nor wait for runs. Handles need not be closed: what is dropped is
// given back by the garbage collector. Close a [Runtime] to wait for its end.
//
// # Tests
//
// [NewVirtual] makes a runtime whose [Clock] goes where a test says, and which waits for the
// goroutines that it started: an hour passes in microseconds, and the same way each time.
//
// # What C has besides
//
// These have no form of their own here:
//   - The functions that are given the time (weir_x_at) spare a reading of the clock, which is
//     little beside a crossing into C; batches ([Breaker.Batch], [Limiter.Batch]) spare the crossing.
//   - Deciders (classify, timeout_for, a cache's weigh and expire, a pull) are asked by C and answer
//     at once; a call from C into Go on a foreign thread would cost microseconds. [Judge], [Judged],
//     ShouldRetry and [Poll]'s until judge in Go before C is told; a context's deadline or
//     [WithDeadline] is a timeout for one run; [Cache.PutFor] and [Cache.Touch] give a lifetime; a
//     cache's weight is in bytes (MaxBytes); [MapSeq] pulls.
//   - The listeners on_retry, on_event and on_closed are OnEvent ([EventRetry]), and Close returning.
//   - Touching a pacer is for the engine's own thread, which no goroutine is: Start does it.
//   - Operations that block a thread of the library's pool: a goroutine may block.
//   - Allocators, attached loops, and handing a runtime to another language: Go's own runtimes are
//     run by Go's scheduler, and serve Go.
//
// A [ManyLoader], or an operation given to [CacheGet] or [FlightOperation], is to be kept while calls
// wait for what it began; [Loader] and [Flight.Do] take care of that themselves.
//
// # Linking
//
// pkg-config finds the library. With the build tag weir_static it goes into the program; see
// build_static.sh.
package weir
