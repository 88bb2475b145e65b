// SPDX-License-Identifier: MIT

package weir

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"time"
)

// The steps of a script, and what each must answer itself.

func (w *world) step(s object) {
	name := text(s, "do", "")
	do, ok := steps[name]
	if !ok {
		w.problem("unknown step %s", name)
		return
	}
	do(w, s)
}

var steps map[string]func(w *world, s object)

func init() {
	steps = map[string]func(w *world, s object){
		"run": (*world).run, "cancel": func(w *world, s object) { w.calls[text(s, "run", "")].cancel() },
		"close":     func(w *world, s object) { w.rt.core.beginClose() },
		"in_flight": (*world).inFlight, "acquire": (*world).acquire, "report": (*world).report,
		"state": (*world).state, "isolate": byHand, "end_isolation": byHand, "reset": byHand,
		"force": byHand,
		"pause": byHand, "resume": byHand, "snapshot": (*world).snapshot, "restore": (*world).snapshot,
		"try_acquire": (*world).tryAcquire, "release": (*world).releasePermit,
		"available": (*world).available,
		"drain":     (*world).available, "refund": (*world).rate, "reserve": (*world).rate,
		"cancel_reservation": (*world).rate, "deposit": (*world).budgetStep,
		"withdraw":  (*world).budgetStep,
		"give_back": (*world).budgetStep, "begin_retry": (*world).retryStep,
		"next_retry":  (*world).retryStep,
		"set_options": (*world).setOptions, "stats": (*world).stats, "lookup": (*world).cacheStep,
		"put": (*world).cacheStep, "put_if_absent": (*world).cacheStep, "invalidate": (*world).cacheStep,
		"touch": (*world).cacheStep, "clear": (*world).cacheStep,
		"forget": func(w *world, s object) {
			w.expect(s,
				w.flight(text(s, "flight", "")).Forget(text(s, "key", "")))
		},
		"flush": (*world).pace, "cancel_pacer": (*world).pace, "pending": (*world).pace,
		"add": (*world).poolStep, "seal": (*world).poolStep, "cancel_scope": (*world).scopeStep,
		"set_value": (*world).scopeStep, "get_value": (*world).scopeStep,
		"enable": func(w *world, s object) {
			w.expect(s, w.policy(text(s, "policy", "")).(*Chaos).Enable(s["enabled"] == true))
		},
		"register": (*world).registry, "unregister": (*world).registry, "find": (*world).registry,
		"create": (*world).create,
	}
}

// Compares a step's own answer, a status.
func (w *world) expect(s object, err error) {
	if wanted := text(s, "expect", "ok"); statusWord(statusOf(err)) != wanted {
		w.problem("%s at %v: expected %s, got %v", s["do"], s["at"], wanted, err)
	}
}

func (w *world) equal(s object, field string, got any) {
	if wanted, ok := s[field]; ok && !reflect.DeepEqual(wanted, got) {
		w.problem("%s at %v: expected %s %v, got %v", s["do"], s["at"], field, wanted, got)
	}
}

func (w *world) run(s object) {
	o := w.operation(text(s, "operation", ""))
	label := text(s, "run", "")
	options := []RunOption{WithDetails(), WithName(label)}
	if d := duration(s, "deadline_ms"); d != 0 {
		options = append(options, WithDeadline(d))
	}
	if key, ok := s["key"].(string); ok {
		options = append(options, WithKey(key))
	}
	if n := count(s, "permits"); n != 0 {
		options = append(options, WithPermits(n))
	}
	if _, ok := s["priority"]; ok {
		options = append(options, WithPriority(int(integer(s, "priority", 0))))
	}
	if scope := text(s, "scope", ""); scope != "" {
		options = append(options, WithScope(w.scope(scope)))
	}
	input := s["input"]
	if _, ok := s["keys"]; ok {
		input = names(s, "keys")
	}
	encode := o.encode
	if encode == nil {
		encode = encodeInput[any]
	}
	var p *policyBase
	if policy := text(s, "policy", ""); policy != "" {
		p = w.asPolicy(policy).policy()
	}
	options = append(options, func(r *runOptions) { r.onEnd = func(c *call) { w.settle(label, c) } })
	call, err := startOperation(&o.operationBase, o.decode, context.Background(), p,
		encode(w.rt.core, input), options)
	w.expect(s, err)
	w.calls[label] = call
}

// On the clock's goroutine, as the record comes.
func (w *world) settle(label string, c *call) {
	t := &typedCall[any]{}
	t.core, t.eager = c.core, true
	t.failure, t.raw, t.coded, t.hosted, t.value = c.failure, c.raw, c.coded, c.hosted, c.value
	c.raw = nil
	value, err := t.outcome()
	d := c.details
	if err != nil {
		d = AsDetails(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settled = append(w.settled, noted{w.event, outcomeObject(label, w.now(), value, err, d)})
}

func (w *world) inFlight(s object) {
	stats := w.rt.Stats()
	w.equal(s, "calls", float64(stats.LiveCalls))
	w.equal(s, "orphans", float64(stats.Orphans))
}

// ---- breakers and limiters ----

func (w *world) refused(s object, err error) {
	w.expect(s, err)
	d := AsDetails(err)
	if d == nil || d.Rejection == nil {
		return
	}
	w.equal(s, "retry_after_ms", orOff(d.RetryAfter))
	w.equal(s, "reason", rejectionReasons[d.Rejection.Reason])
}

func (w *world) breaker(s object) *Breaker { return w.policy(text(s, "policy", "")).(*Breaker) }
func (w *world) limits(s object) *Limiter  { return w.policy(text(s, "policy", "")).(*Limiter) }

func (w *world) acquire(s object) {
	permit, err := w.breaker(s).Acquire()
	w.refused(s, err)
	w.permits[text(s, "permit", "")] = permit
}

func (w *world) report(s object) {
	elapsed := time.Duration(integer(s, "elapsed_ms", 0)) * time.Millisecond
	w.expect(s, w.breaker(s).Report(w.permits[text(s, "permit", "")], classes[text(s, "class", "")],
		elapsed))
}

func (w *world) state(s object) {
	w.equal(s, "expect", breakerStateWords[w.breaker(s).State()])
}

func byHand(w *world, s object) {
	var err error
	switch text(s, "do", "") {
	case "isolate":
		err = w.breaker(s).Isolate()
	case "end_isolation":
		err = w.breaker(s).Release()
	case "reset":
		err = w.breaker(s).Reset()
	case "force":
		words := strings.Join(breakerStateWords, " ")
		err = w.breaker(s).Force(BreakerState(choice(words, text(s, "state", "closed"))))
	case "pause":
		err = w.limits(s).Pause()
	case "resume":
		err = w.limits(s).Resume()
	}
	w.expect(s, err)
}

func (w *world) snapshot(s object) {
	label := text(s, "snapshot", "")
	if text(s, "do", "") == "snapshot" {
		bytes, err := w.breaker(s).Snapshot()
		w.snapshots[label] = bytes
		w.expect(s, err)
		return
	}
	elapsed := time.Duration(integer(s, "elapsed_ms", 0)) * time.Millisecond
	w.expect(s, w.breaker(s).Restore(w.snapshots[label], elapsed))
}

func (w *world) tryAcquire(s object) {
	var permit Permit
	var err error
	permits := int(integer(s, "permits", 1))
	if key, ok := s["key"].(string); ok {
		permit, err = w.limits(s).TryAcquireKey(key, permits)
	} else {
		permit, err = w.limits(s).TryAcquire(permits)
	}
	w.refused(s, err)
	w.permits[text(s, "permit", "")] = permit
}

func (w *world) releasePermit(s object) {
	permit := w.permits[text(s, "permit", "")]
	if key, ok := s["key"].(string); ok {
		w.expect(s, w.limits(s).ReleaseKey(key, permit))
		return
	}
	w.expect(s, w.limits(s).Release(permit))
}

func (w *world) available(s object) {
	if text(s, "do", "") == "available" {
		w.equal(s, "expect", float64(w.limits(s).Available()))
		return
	}
	drained, err := w.limits(s).Drain()
	if err != nil {
		w.problem("drain: %v", err)
	}
	w.equal(s, "expect", float64(drained))
}

func (w *world) rate(s object) {
	permits := int(integer(s, "permits", 1))
	label := text(s, "permit", "")
	switch text(s, "do", "") {
	case "refund":
		w.expect(s, w.limits(s).Refund(permits))
	case "cancel_reservation":
		w.expect(s, w.limits(s).CancelReservation(permits, w.permits[label]))
	default:
		wait, reservation, err := w.limits(s).Reserve(permits)
		w.expect(s, err)
		w.equal(s, "wait_ms", orOff(wait))
		w.permits[label] = reservation
	}
}

func (w *world) budgetStep(s object) {
	budget := w.policy(text(s, "policy", "")).(*Budget)
	switch text(s, "do", "") {
	case "deposit":
		w.expect(s, budget.Deposit())
	case "withdraw":
		w.expect(s, budget.Withdraw())
	default:
		w.expect(s, budget.Refund())
	}
}

func (w *world) retryStep(s object) {
	label := text(s, "state", "")
	if text(s, "do", "") == "begin_retry" {
		state, err := w.policy(text(s, "policy", "")).(*Retry).Begin()
		w.expect(s, err)
		w.states[label] = state
		return
	}
	asked := time.Duration(-1)
	if _, ok := s["asked_delay_ms"]; ok {
		asked = time.Duration(integer(s, "asked_delay_ms", 0)) * time.Millisecond
	}
	delay, reason, again := w.states[label].Next(classes[text(s, "class", "")], asked)
	if again != (text(s, "expect", "ok") == "ok") {
		w.problem("next_retry at %v: again is %v", s["at"], again)
	}
	if again {
		w.equal(s, "delay_ms", orOff(delay))
	}
	w.equal(s, "stop_reason", stopReasons[reason])
}

func (w *world) setOptions(s object) {
	o := sub(s, "options")
	switch p := w.policy(text(s, "policy", "")).(type) {
	case *Retry:
		w.expect(s, p.SetOptions(retryOptions(w, "", o)))
	case *Breaker:
		w.expect(s, p.SetOptions(breakerOptions("", o)))
	case *Limiter:
		w.expect(s, p.SetOptions(limiterOptions("", o)))
	case *Timeout:
		w.expect(s, p.SetOptions(TimeoutOptions{duration(o, "timeout_ms"), text(o, "message", ""), ""}))
	case *Budget:
		w.expect(s, p.SetOptions(BudgetOptions{rate(o, "ratio"), rate(o, "min_per_second"),
			duration(o, "window_ms"), ""}))
	case *Hedge:
		w.expect(s, p.SetOptions(HedgeOptions{
			MaxHedges: count(o, "max_hedges"), Delay: duration(o,
				"delay_ms"), Budget: w.budget(o), Failures: ranges(o),
		}))
	case *Chaos:
		w.expect(s, p.SetOptions(chaosOptions("", o)))
	case *Fallback:
		w.expect(s, p.SetOptions(w.fallbackTarget(o), FallbackOptions{Failures: ranges(o)}))
	default:
		w.problem("set_options of %T", p)
	}
}

func (w *world) fallbackTarget(o object) FallbackTarget {
	if operation := text(o, "operation", ""); operation != "" {
		return FallbackToOperation(w.operation(operation))
	}
	return FallbackToValue(o["value"])
}

// ---- stats ----

func (w *world) stats(s object) {
	seen, err := w.statsOf(text(s, "of", ""))
	if err != nil {
		w.problem("stats: %v", err)
		return
	}
	v := reflect.ValueOf(seen)
	for name, wanted := range sub(s, "expect") {
		got, ok := statsField(v, name)
		if !ok || !reflect.DeepEqual(wanted, got) {
			w.problem("stats of %v at %v: expected %s %v, got %v", s["of"], s["at"], name, wanted, got)
		}
	}
}

// The field of a C name: times_opened is TimesOpened; LoadingKeys is loading.
func statsField(v reflect.Value, name string) (any, bool) {
	found := v.FieldByNameFunc(func(field string) bool {
		return strings.EqualFold(field, strings.ReplaceAll(name, "_", "")) ||
			strings.EqualFold(field, strings.ReplaceAll(strings.TrimSuffix(name, "_ns"), "_", "")) ||
			name == "loading" && field == "LoadingKeys"
	})
	if !found.IsValid() {
		return nil, false
	}
	switch found.Kind() {
	case reflect.Uint64, reflect.Uint32:
		return float64(found.Uint()), true
	case reflect.Int64, reflect.Int:
		return float64(found.Int()), true
	case reflect.Bool:
		if found.Bool() {
			return 1.0, true
		}
		return 0.0, true
	}
	return nil, false
}

func (w *world) statsOf(name string) (any, error) {
	if p, ok := w.pacers[name]; ok {
		return p.Stats()
	}
	if p, ok := w.pools[name]; ok {
		return p.Stats()
	}
	if c, ok := w.memoized[name]; ok {
		return c.Stats()
	}
	if c, ok := w.caches[name]; ok {
		return c.Stats()
	}
	if f, ok := w.flights[name]; ok {
		return f.Stats()
	}
	if s, ok := w.scopes[name]; ok {
		return s.Stats()
	}
	switch p := w.policy(name).(type) {
	case *Retry:
		return p.Stats()
	case *Breaker:
		return p.Stats()
	case *Limiter:
		return p.Stats()
	case *Timeout:
		return p.Stats()
	case *Budget:
		return p.Stats()
	case *Hedge:
		return p.Stats()
	case *Fallback:
		return p.Stats()
	case *Chaos:
		return p.Stats()
	}
	return nil, errors.New("no stats of " + name)
}

// ---- caches, pacers, pools, scopes ----

func (w *world) cacheStep(s object) {
	name, key := text(s, "cache", ""), text(s, "key", "")
	cache, ok := w.memoized[name]
	if !ok {
		cache = w.cache(name)
	}
	switch text(s, "do", "") {
	case "lookup":
		value, found := cache.Lookup(key)
		if found != (text(s, "expect", "ok") == "ok") {
			w.problem("lookup at %v: found is %v", s["at"], found)
		}
		w.equal(s, "value", plain(value))
	case "put":
		if _, ok := s["ttl_ms"]; ok {
			w.expect(s, cache.PutFor(key, s["value"], duration(s, "ttl_ms")))
			return
		}
		w.expect(s, cache.Put(key, s["value"]))
	case "put_if_absent":
		existing, err := cache.PutIfAbsent(key, s["value"])
		w.expect(s, err)
		w.equal(s, "existing", plain(existing))
	case "invalidate":
		w.expect(s, cache.Invalidate(key))
	case "touch":
		w.expect(s, cache.Touch(key, duration(s, "ttl_ms")))
	case "clear":
		w.expect(s, cache.Clear())
	}
}

func (w *world) pace(s object) {
	p := w.pacers[text(s, "operation", "")]
	key := []string{}
	if k, ok := s["key"].(string); ok {
		key = append(key, k)
	}
	var err error
	switch text(s, "do", "") {
	case "flush":
		err = p.Flush(key...)
	case "cancel_pacer":
		err = p.Cancel(key...)
	case "pending":
		stats, _ := p.Stats()
		w.equal(s, "expect", float64(stats.Pending))
	}
	if err != nil {
		w.problem("%s: %v", s["do"], err)
	}
}

func (w *world) poolStep(s object) {
	pool := w.pools[text(s, "pool", "")]
	if text(s, "do", "") == "seal" {
		w.expect(s, pool.Seal())
		return
	}
	w.expect(s, AddTo(pool, w.operation(text(s, "operation", "")), s["input"]))
}

func (w *world) scopeStep(s object) {
	scope, key := w.scopes[text(s, "scope", "")], text(s, "key", "")
	switch text(s, "do", "") {
	case "cancel_scope":
		w.expect(s, scope.Cancel())
	case "set_value":
		value := s["value"]
		if n, ok := value.(float64); ok {
			value = int64(n)
		}
		w.expect(s, scope.Set(key, value))
	case "get_value":
		got := scopeValue(scope, key)
		if (got != nil) != (text(s, "expect", "ok") == "ok") {
			w.problem("get_value at %v: got %v", s["at"], got)
		}
		w.equal(s, "value", got)
	}
}

func (w *world) registry(s object) {
	switch text(s, "do", "") {
	case "register":
		w.expect(s, w.registered(s).Register())
	case "unregister":
		w.expect(s, w.registered(s).Unregister())
	default:
		found, err := w.rt.Find(text(s, "name", ""))
		w.expect(s, err)
		if err == nil {
			w.equal(s, "kind", policyKinds[found.policy().Kind()])
			w.policies[text(s, "as", "")] = found
		}
	}
}

func (w *world) registered(s object) *policyBase {
	return w.policy(text(s, "policy", "")).(Policy).policy()
}

func (w *world) create(s object) {
	var err error
	switch {
	case s["policy"] != nil:
		_, err = w.makePolicy("", sub(s, "policy"))
	case s["operation"] != nil:
		_, err = w.makeOperation("", sub(s, "operation"))
	default:
		_, err = NewCache(w.rt, cacheOptions("", sub(s, "cache")))
	}
	w.expect(s, err)
	if message := text(s, "message", ""); err != nil && !strings.Contains(err.Error(), message) {
		w.problem("create: %q does not contain %q", err, message)
	}
}
