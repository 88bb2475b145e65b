// SPDX-License-Identifier: MIT

// Command bench prints what crossing from Go costs, a line for each row: name, value, unit, target,
// and whether it is met. The rows of C and of bare crossings are measured in the same run. An
// argument is how long each row takes, such as 200ms; each is the best of five. Decide rows are
// this
// thread's processor time, those of runs the clock's.
package main

// #cgo pkg-config: weir
// #cgo noescape nothing
// #cgo nocallback nothing
// #include <stdint.h>
// #include <weir/weir.h>
//
// static void nothing(uintptr_t handle) { (void)handle; }
//
// static void acquire_and_report(uintptr_t handle, int64_t count) {
//   weir_breaker *breaker = (weir_breaker *)handle;
//   for (int64_t i = 0; i < count; ++i) {
//     weir_permit permit = 0;
//     weir_breaker_acquire(breaker, &permit, NULL);
//     weir_breaker_report(breaker, permit, WEIR_CLASS_SUCCESS, 0);
//   }
// }
//
// static uintptr_t new_breaker(void) {
//   weir_runtime *runtime = NULL;
//   weir_breaker *breaker = NULL;
//   weir_runtime_new(NULL, &runtime, NULL);
//   weir_breaker_new(runtime, NULL, &breaker, NULL);
//   return (uintptr_t)breaker;
// }
import "C"

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	weir "github.com/weir-project/weir/bindings/go"
)

// This thread's processor time.
func processor() time.Duration {
	var usage syscall.Rusage
	syscall.Getrusage(1, &usage) // RUSAGE_THREAD
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func clock() time.Duration { return time.Since(started) }

var started = time.Now()

// The best of five, in ns each.
func measure(now func() time.Duration, each time.Duration, run func(count int)) float64 {
	count := 1000
	best := 0.0
	for round := 0; round < 5; {
		begun := now()
		run(count)
		took := now() - begun
		if took < each/10 {
			count *= 4
			continue
		}
		if ns := float64(took.Nanoseconds()) / float64(count); best == 0 || ns < best {
			best = ns
		}
		if round == 0 {
			count = max(1, int(float64(count)*float64(each)/float64(took)))
		}
		round++
	}
	return best
}

func row(name string, value float64, unit, target string, met bool) {
	word := "missed"
	if met {
		word = "met"
	}
	if target == "" {
		word = ""
	}
	fmt.Printf("%s|%.1f|%s|%s|%s\n", name, value, unit, target, word)
}

// Runs by `flight` goroutines, a share each.
func inFlight(flight, count int, run func()) {
	var workers sync.WaitGroup
	for w := range flight {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for i := w; i < count; i += flight {
				run()
			}
		}()
	}
	workers.Wait()
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	each := 200 * time.Millisecond
	if len(os.Args) > 1 {
		each = must(time.ParseDuration(os.Args[1]))
	}
	rt := must(weir.New(nil))
	defer rt.Close()
	runtime.LockOSThread()
	decide(rt, each)
	runtime.UnlockOSThread()
	runs(rt, each)
}

func decide(rt *weir.Runtime, each time.Duration) {
	inC := C.new_breaker()
	c := measure(processor, each, func(count int) { C.acquire_and_report(inC, C.int64_t(count)) })
	row("breaker acquire + report in C", c, "ns", "", true)
	bare := 2 * measure(processor, each, func(count int) {
		for range count {
			C.nothing(0)
		}
	})
	row("two bare cgo calls", bare, "ns", "", true)
	breaker := must(weir.NewBreaker(rt, weir.BreakerOptions{}))
	single := measure(processor, each, func(count int) {
		for range count {
			permit, _ := breaker.Acquire()
			breaker.Report(permit, weir.ClassSuccess, 0)
		}
	})
	row("breaker acquire + report", single, "ns", "<= 1.3 x two bare cgo calls", single <= 1.3*bare)
	batch := breaker.Batch(64)
	batched := measure(processor, each, func(count int) {
		for range count {
			permit, _ := batch.Acquire()
			batch.Report(permit, weir.ClassSuccess, 0)
		}
	})
	row("breaker acquire + report, batched by 64", batched, "ns a permit", "<= 15", batched <= 15)
	limiter := must(weir.NewLimiter(rt, weir.LimiterOptions{Permits: 1 << 30, Interval: time.Second}))
	rates := limiter.Batch(64)
	rate := measure(processor, each, func(count int) {
		for range count {
			rates.Acquire()
		}
	})
	row("limiter acquire, batched by 64", rate, "ns a permit", "<= 15", rate <= 15)
}

func runs(rt *weir.Runtime, each time.Duration) {
	retry := must(weir.NewRetry(rt, weir.RetryOptions{}))
	ctx := context.Background()
	f := func(context.Context) (int, error) { return 1, nil }
	run := func() { weir.Run(ctx, retry, f) }
	one := measure(clock, each, func(count int) { inFlight(1, count, run) })
	row("run through a retry, one at a time", one/1000, "us", "", true)
	many := measure(clock, each, func(count int) { inFlight(1000, count, run) })
	row("runs through a retry, 1000 in flight", 1e9/many, "a second", ">= 500000", 1e9/many >= 500000)
}
