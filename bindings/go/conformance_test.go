// SPDX-License-Identifier: MIT

package weir

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

// The table tests/conformance/*.json, which all languages run; its schema.json says how. Goroutines
// may race within an event, so its settlements, starts, inputs and stops are compared as sets.

type object = map[string]any

func TestConformance(t *testing.T) {
	directory := os.Getenv("WEIR_CONFORMANCE")
	if directory == "" {
		directory = "../../tests/conformance"
	}
	files, _ := filepath.Glob(filepath.Join(directory, "*.json"))
	if len(files) < 2 {
		t.Skip("the conformance table is not here")
	}
	for _, file := range files {
		if filepath.Base(file) != "schema.json" {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) { runTable(t, file) })
		}
	}
}

func runTable(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	must(t, err)
	var table struct{ Scenarios []object }
	must(t, json.Unmarshal(text, &table))
	for _, scenario := range table.Scenarios {
		t.Run(scenario["name"].(string), func(t *testing.T) {
			problems := runScenario(scenario)
			if mustFail := os.Getenv("WEIR_MUST_FAIL") != ""; mustFail {
				if len(problems) == 0 {
					t.Error("a wrong expectation went unnoticed")
				}
				return
			}
			for _, problem := range problems {
				t.Error(problem)
			}
		})
	}
}

// A world is one scenario that is played.
type world struct {
	scenario object
	rt       *Runtime
	clock    *Clock
	start    time.Duration
	event    int
	problems []string

	policies   map[string]any // Policy or *Budget
	operations map[string]*Operation[any, any]
	pacers     map[string]pacer
	pools      map[string]*Pool[any]
	memoized   map[string]*Cache[any]
	caches     map[string]*Cache[any]
	flights    map[string]*Flight[any]
	scopes     map[string]*Scope
	calls      map[string]*typedCall[any]
	permits    map[string]Permit
	states     map[string]*RetryState
	snapshots  map[string][]byte
	keep       []any

	mu      sync.Mutex // leaves run on goroutines
	agenda  []*entry
	leaves  map[string]*leaf
	settled []noted
}

// What was seen, and in which event.
type noted struct {
	event int
	value any
}

type leaf struct {
	started               int
	starts, inputs, stops []noted
}

// An entry is an attempt that waits for its time.
type entry struct {
	due    int64
	worker *worker
	ready  chan struct{}
}

// A pacer is a debounce or a throttle.
type pacer interface {
	Cancel(key ...string) error
	Flush(key ...string) error
	Stats() (PacingStats, error)
}

func (w *world) problem(format string, arguments ...any) {
	w.problems = append(w.problems, fmt.Sprintf(format, arguments...))
}

func runScenario(scenario object) []string {
	w := &world{
		scenario: scenario, policies: map[string]any{}, operations: map[string]*Operation[any, any]{},
		pacers: map[string]pacer{}, pools: map[string]*Pool[any]{}, memoized: map[string]*Cache[any]{},
		caches: map[string]*Cache[any]{}, flights: map[string]*Flight[any]{}, scopes: map[string]*Scope{},
		calls: map[string]*typedCall[any]{}, permits: map[string]Permit{},
		states:    map[string]*RetryState{},
		snapshots: map[string][]byte{}, leaves: map[string]*leaf{},
	}
	w.open()
	defer w.rt.Close()
	w.live()
	w.compare()
	w.left()
	w.rt.core.beginClose()
	w.clock.Settle()
	for _, e := range w.agenda {
		w.release(e)
	}
	w.clock.Settle()
	return w.problems
}

func (w *world) open() {
	given := sub(w.scenario, "runtime")
	options := &RuntimeOptions{Seed: uint64(integer(given, "seed", 1))}
	options.MaxInFlight = number(given, "max_in_flight")
	options.CloseGrace = duration(given, "close_grace_ms")
	var err error
	w.rt, w.clock, err = NewVirtualWith(options)
	if err != nil {
		panic(err)
	}
	w.start = w.rt.Now()
	w.needScopes()
	for name := range sub(w.scenario, "policies") {
		w.policy(name)
	}
	for name := range sub(w.scenario, "operations") {
		w.operation(name)
	}
}

func (w *world) now() int64 { return int64((w.rt.Now() - w.start) / time.Millisecond) }

const never = int64(1) << 62

func (w *world) nextTimer() int64 {
	next := int64(never)
	w.clock.do(func() { next = int64(w.clock.next()) })
	if next >= never {
		return never
	}
	return (next - int64(w.start) + int64(time.Millisecond) - 1) / int64(time.Millisecond)
}

func (w *world) endEvent() {
	w.clock.Settle()
	w.event++
}

func (w *world) live() {
	script, _ := w.scenario["script"].([]any)
	end := integer(w.scenario, "end_ms", 0)
	moment := int64(0)
	for {
		script = w.liveMoment(moment, script)
		if moment == end {
			break
		}
		next := min(w.nextTimer(), w.nextDue())
		if len(script) > 0 {
			next = min(next, integer(script[0].(object), "at", 0))
		}
		moment = min(max(next, moment+1), end)
	}
	if len(script) > 0 {
		w.problem("the script goes on behind end_ms")
	}
}

func (w *world) liveMoment(moment int64, script []any) []any {
	if moment > w.now() {
		w.clock.Advance(time.Duration(moment-w.now()) * time.Millisecond)
	}
	w.endEvent()
	for len(script) > 0 && integer(script[0].(object), "at", 0) == moment {
		step := script[0].(object)
		script = script[1:]
		w.step(step)
		w.endEvent()
	}
	for w.completeDue(moment) {
		w.endEvent()
	}
	return script
}

func (w *world) nextDue() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	next := int64(never)
	for _, e := range w.agenda {
		next = min(next, e.due)
	}
	return next
}

func (w *world) completeDue(moment int64) bool {
	w.mu.Lock()
	var first *entry
	for _, e := range w.agenda {
		if e.due <= moment {
			first = e
			break
		}
	}
	w.mu.Unlock()
	if first == nil {
		return false
	}
	w.leave(first)
	w.release(first)
	return true
}

// The clock waits for the goroutine from here on.
func (w *world) release(e *entry) {
	e.worker.unpark()
	close(e.ready)
}

func (w *world) leave(e *entry) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, other := range w.agenda {
		if other == e {
			w.agenda = append(w.agenda[:i:i], w.agenda[i+1:]...)
			return true
		}
	}
	return false
}

// ---- leaves ----

func (w *world) leaf(name string, given object) (*Operation[any, any], error) {
	l := &leaf{}
	w.leaves[name] = l
	fates, _ := given["attempts"].([]any)
	return NewOperation(w.rt, func(ctx context.Context, input any) (any, error) {
		fate, input, e := w.begin(ctx, l, input, fates, text(given, "by", "attempt"))
		var scoped any
		if key, ok := fate["scope_value"].(string); ok {
			scoped = scopeValue(ScopeOf(ctx), key)
		}
		if !w.clock.Wait(ctx, e.ready) && !w.stopped(l, e, text(fate, "on_cancel", "finish")) {
			return nil, errors.New("told to stop")
		}
		return fateValue(fate, input, scoped)
	})
}

func (w *world) begin(ctx context.Context, l *leaf, input any, fates []any, by string) (object,
	any, *entry) {
	about := AttemptOf(ctx)
	input = plain(input)
	w.mu.Lock()
	defer w.mu.Unlock()
	position := about.Number - 1
	switch by {
	case "start":
		position = l.started
	case "index":
		position = about.Index
	}
	l.started++
	l.starts = append(l.starts, noted{w.event, float64(w.now())})
	l.inputs = append(l.inputs, noted{w.event, input})
	fate := fates[min(position, len(fates)-1)].(object)
	e := &entry{due: w.now() + integer(fate, "after_ms", 0), ready: make(chan struct{})}
	if fate["never"] == true {
		e.due = never
	}
	e.worker, _ = ctx.Value(workerKey{}).(*worker)
	w.agenda = append(w.agenda, e)
	return fate, input, e
}

// Told to stop: true if it goes on to its completion as if nothing were.
func (w *world) stopped(l *leaf, e *entry, onCancel string) bool {
	w.mu.Lock()
	waits := false
	for _, other := range w.agenda {
		waits = waits || other == e
	}
	if waits {
		l.stops = append(l.stops, noted{w.event, float64(w.now())})
	}
	w.mu.Unlock()
	if !waits {
		return true
	}
	if onCancel != "ignore" {
		w.leave(e)
		return false
	}
	outside := context.WithValue(context.Background(), workerKey{}, e.worker)
	w.clock.Wait(outside, e.ready)
	return true
}

func scopeValue(scope *Scope, key string) any {
	if scope == nil {
		return nil
	}
	if n, err := ScopeValue[int64](scope, key); err == nil {
		return float64(n)
	}
	if s, err := ScopeValue[string](scope, key); err == nil {
		return s
	}
	return nil
}

func fateValue(fate object, input, scoped any) (any, error) {
	if failure, ok := fate["error"].(object); ok {
		err := error(tableError(failure))
		if fate["final"] == true {
			err = Final(err)
		}
		if after, ok := fate["retry_after_ms"].(float64); ok {
			err = RetryAfter(err, time.Duration(after)*time.Millisecond)
		}
		if class := text(fate, "class", ""); class != "" {
			err = Judged(err, classes[class])
		}
		return nil, err
	}
	value := fate["value"]
	if fate["echo"] == true {
		value = input
	}
	if _, ok := fate["scope_value"]; ok {
		value = scoped
	}
	if class := text(fate, "class", ""); class != "" {
		return value, classes[class]
	}
	return value, nil
}

// ---- comparing ----

func (w *world) left() {
	stats := w.rt.Stats()
	left := sub(w.scenario, "left")
	calls, orphans := integer(left, "calls", 0), integer(left, "orphans", 0)
	if int64(stats.LiveCalls) != calls || int64(stats.Orphans) != orphans {
		w.problem("left are %d calls and %d orphans, not %d and %d", stats.LiveCalls, stats.Orphans,
			calls, orphans)
	}
}

func (w *world) compare() {
	expect, _ := w.scenario["expect"].([]any)
	w.compareList("settlements", expect, w.settled)
	for _, what := range []string{"starts", "inputs", "stops"} {
		for name, wanted := range sub(w.scenario, what) {
			l := w.leaves[name]
			seen := map[string][]noted{"starts": l.starts, "inputs": l.inputs, "stops": l.stops}[what]
			w.compareList(what+" of "+name, wanted.([]any), seen)
		}
	}
}

func (w *world) compareList(what string, wanted []any, seen []noted) {
	taken := make([]bool, len(seen))
	for i, expected := range wanted {
		if i >= len(seen) {
			w.problem("%s: expected %v, saw nothing more (%v)", what, expected, seen)
			return
		}
		if !take(expected, seen, taken, seen[i].event) {
			w.problem("%s: expected %s\n  but saw %s", what, show(expected), show(seen[i].value))
			return
		}
	}
	if len(seen) > len(wanted) {
		w.problem("%s: expected nothing more, saw %s", what, show(seen[len(wanted)].value))
	}
}

func take(expected any, seen []noted, taken []bool, event int) bool {
	for i, candidate := range seen {
		if candidate.event == event && !taken[i] && contains(expected, candidate.value) {
			taken[i] = true
			return true
		}
	}
	return false
}

func show(value any) string {
	text, _ := json.Marshal(value)
	return string(text)
}

func contains(expected, seen any) bool {
	switch e := expected.(type) {
	case object:
		s, ok := seen.(object)
		if !ok {
			return false
		}
		if _, coded := e["code"]; coded && text(e, "domain", "user") != s["domain"] {
			return false
		}
		for name, field := range e {
			if value, there := s[name]; !there || !contains(field, value) {
				return false
			}
		}
		return true
	case []any:
		s, ok := seen.([]any)
		if !ok || len(s) != len(e) {
			return false
		}
		for i := range e {
			if !contains(e[i], s[i]) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(expected, seen)
}
