// SPDX-License-Identifier: MIT

package weir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
)

// What the library tells: state changes, evictions, items, lines, events, metrics.

func TestStateChangesAreTold(t *testing.T) {
	rt := newRuntime(t)
	told := make(chan BreakerChange, 4)
	breaker := made(NewBreaker(rt, BreakerOptions{FailureThreshold: 1,
		OnStateChange: func(c BreakerChange) { told <- c }}))
	permit, err := breaker.Acquire()
	must(t, err)
	must(t, breaker.Report(permit, ClassFailure, 0))
	if change := <-told; change.From != BreakerClosed || change.To != BreakerOpen ||
		change.Reason != BreakerByFailures {
		t.Fatalf("told %+v", change)
	}
	if err := breaker.Call(func() error { return nil }); !errors.Is(err, ErrOpen) {
		t.Fatalf("got %v", err)
	}
}

func TestEvictionsAreTold(t *testing.T) {
	rt := newRuntime(t)
	told := make(chan string, 8)
	cache := made(NewCache(rt, CacheOptions[int]{MaxEntries: 1, OnEvict: func(key string, value int,
		cause EvictCause) {
		told <- fmt.Sprint(key, value, cause)
	}}))
	must(t, cache.Put("a", 1))
	must(t, cache.Put("a", 2))
	must(t, cache.Invalidate("a"))
	for _, wanted := range []string{"a1 3", "a2 4"} {
		if got := <-told; got != wanted && got != "a2 4" && got != "a1 3" {
			t.Fatalf("told %q", got)
		}
	}
}

func TestHooksOfMapAndPool(t *testing.T) {
	rt := newRuntime(t)
	var progress []int
	var items []string
	options := ParallelOptions{Concurrency: 2, OnProgress: func(done,
		total int) {
		progress = append(progress, done*100+total)
	},
		OnItem: func(index int, value any, err error) {
			items = append(items,
				fmt.Sprint(index, value, err))
		}}
	got, err := MapSettled(context.Background(), rt, []int{1, 2, 3}, options,
		func(_ context.Context, n int) (int, error) {
			if n == 2 {
				return 0, io.EOF
			}
			return n * n, nil
		})
	if err != nil || len(got) != 3 || got[2].Value != 9 || got[1].Err != io.EOF ||
		len(progress) != 3 || progress[2] != 303 {
		t.Fatalf("got %v, %v, progress %v", got, err, progress)
	}
	if len(items) != 3 {
		t.Fatalf("items %v", items)
	}
	pool := made(NewPool[int](rt, false, ParallelOptions{Concurrency: 1,
		OnProgress: func(done, total int) {}}))
	must(t, pool.Go(func(context.Context) (int, error) { return 7, nil }))
	call, err := pool.Start(context.Background())
	must(t, err)
	must(t, pool.Go(func(context.Context) (int, error) { return 8, nil }))
	must(t, pool.Seal())
	results, err := call.Wait(context.Background())
	if err != nil || len(results) != 2 || results[0].Value != 7 || results[1].Value != 8 {
		t.Fatalf("got %v, %v", results, err)
	}
}

func TestMapSeqTakesWhatItHasRoomFor(t *testing.T) {
	rt := newRuntime(t)
	taken, stopped := 0, false
	numbers := func(yield func(int) bool) {
		defer func() { stopped = true }()
		for taken = 1; ; taken++ {
			if taken > 20 || !yield(taken) {
				return
			}
		}
	}
	got, err := MapSeq(context.Background(), rt, numbers, ParallelOptions{Concurrency: 3},
		func(_ context.Context, n int) (int, error) { return n * 2, nil })
	if err != nil || len(got) != 20 || got[19].Value != 40 || !stopped {
		t.Fatalf("got %v, %v", got, err)
	}
	endless := func(yield func(int) bool) {
		for n := 0; yield(n); n++ {
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err = MapSeq(ctx, rt, endless, ParallelOptions{Concurrency: 3},
		func(_ context.Context, n int) (int, error) { return n, nil }); !errors.Is(err, ErrTimedOut) {
		t.Fatalf("got %v", err)
	}
}

func TestLoggerGetsLinesAndScopesTheirPath(t *testing.T) {
	var mu sync.Mutex
	var text strings.Builder
	logger := slog.New(slog.NewTextHandler(writer(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return text.Write(p)
	}), nil))
	rt := made(New(&RuntimeOptions{Logger: logger}))
	rt.Log(slog.LevelInfo, "me", "hello")
	InScope(context.Background(), rt, ScopeOptions{Name: "import"},
		func(_ context.Context, s *Scope) error {
			s.Log(slog.LevelWarn, "careful")
			return nil
		})
	must(t, rt.Close())
	mu.Lock()
	defer mu.Unlock()
	if got := text.String(); !strings.Contains(got, "msg=hello subject=me") ||
		!strings.Contains(got, "msg=careful subject=import") {
		t.Fatalf("got %s", got)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func TestRegistryAndLabelsAndMetrics(t *testing.T) {
	rt := made(New(&RuntimeOptions{RecorderEntries: 16, Metrics: true, Name: "shop"}))
	defer rt.Close()
	breaker := made(NewBreaker(rt, BreakerOptions{Name: "api", FailureThreshold: 1}))
	must(t, breaker.SetLabel("team", "pay"))
	must(t, breaker.Register())
	if err := breaker.Register(); !errors.Is(err, ErrExists) {
		t.Fatalf("got %v", err)
	}
	found := made(rt.Find("api")).(*Breaker)
	Do(context.Background(), found, func(context.Context) error { return io.EOF })
	if breaker.State() != BreakerOpen {
		t.Fatal("two breakers")
	}
	text := made(rt.Metrics())
	if !strings.Contains(text, `name="api"`) || !strings.Contains(text, `team="pay"`) ||
		!strings.HasSuffix(text, "# EOF\n") {
		t.Fatalf("metrics: %s", text)
	}
	eventually(t, "the opening is recorded", func() bool {
		return strings.Contains(made(rt.RecorderDump()), "'api'")
	})
	must(t, breaker.Unregister())
	if _, err := rt.Find("api"); !errors.Is(err, ErrNotFound) {
		t.Fatalf("got %v", err)
	}
}

func TestEventsAreTold(t *testing.T) {
	told := make(chan Event, 16)
	rt := made(New(&RuntimeOptions{OnEvent: func(e Event) { told <- e }}))
	defer rt.Close()
	retry := made(NewRetry(rt, RetryOptions{MaxAttempts: 2, BaseDelay: 3 * time.Millisecond,
		Jitter: JitterNone, Name: "r"}))
	Do(context.Background(), retry, func(context.Context) error { return io.EOF })
	if e := <-told; e.Kind != EventRetry || e.Name != "r" || e.Policy != KindRetry ||
		e.Delay != 3*time.Millisecond {
		t.Fatalf("told %+v", e)
	}
	if e := <-told; e.Kind != EventGaveUp || e.Count != 2 || StopReason(e.Reason) != StopAttempts {
		t.Fatalf("told %+v", e)
	}
	events, next, err := rt.Events(0)
	if err != nil || len(events) != 2 || next != 2 {
		t.Fatalf("read %v, %d, %v", events, next, err)
	}
	silent := newRuntime(t)
	if _, _, err := silent.Events(0); !errors.Is(err, ErrNotSupported) {
		t.Fatalf("got %v", err)
	}
}
