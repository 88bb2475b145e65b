// SPDX-License-Identifier: MIT

package weir

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// Makes what a scenario names, on demand.

func (w *world) policy(name string) any {
	if made, ok := w.policies[name]; ok {
		return made
	}
	given, ok := sub(w.scenario, "policies")[name].(object)
	if !ok {
		panic("no policy " + name)
	}
	made, err := w.makePolicy(name, given)
	if err != nil {
		w.problem("policy %s: %v", name, err)
	}
	w.policies[name] = made
	return made
}

func (w *world) asPolicy(name string) Policy {
	if name == "" {
		return w.rt
	}
	return w.policy(name).(Policy)
}

func (w *world) budget(given object) *Budget {
	if name := text(given, "budget", ""); name != "" {
		return w.policy(name).(*Budget)
	}
	return nil
}

func retryOptions(w *world, name string, o object) RetryOptions {
	options := RetryOptions{
		MaxAttempts: number(o, "max_attempts"), BaseDelay: duration(o, "base_delay_ms"),
		MaxDelay: duration(o, "max_delay_ms"), MinDelay: duration(o, "min_delay_ms"),
		Multiplier: rate(o, "multiplier"), JitterFactor: rate(o, "jitter_factor"),
		RetryRefusals: o["retry_refusals"] == true, MaxElapsed: duration(o, "max_elapsed_ms"),
		AttemptTimeout: duration(o,
			"attempt_timeout_ms"), Budget: w.budget(o), Failures: ranges(o), Name: name,
	}
	if word := text(o, "backoff", ""); word != "" {
		options.Backoff = Backoff(choice(backoffs, word))
	}
	if word := text(o, "jitter", ""); word != "" {
		options.Jitter = Jitter(choice("default none full equal proportional symmetric", word))
	}
	return options
}

func breakerOptions(name string, o object) BreakerOptions {
	return BreakerOptions{
		Mode: BreakerMode(choice("consecutive count_window time_window",
			text(o, "mode", "consecutive"))),
		FailureThreshold: count(o, "failure_threshold"), WindowSize: count(o, "window_size"),
		Window: duration(o, "window_ms"), FailureRate: rate(o, "failure_rate"), MinCalls: count(o,
			"min_calls"),
		HalfOpenMaxCalls:         count(o, "half_open_max_calls"),
		HalfOpenSuccessThreshold: count(o, "half_open_success_threshold"),
		HalfOpenFailures:         count(o, "half_open_failures"), SlowCall: duration(o, "slow_call_ms"),
		SlowCallRate: rate(o, "slow_call_rate"), ResetTimeout: duration(o, "reset_timeout_ms"),
		ResetMultiplier: rate(o, "reset_multiplier"), MaxResetTimeout: duration(o,
			"max_reset_timeout_ms"),
		TrialTimeout: duration(o, "trial_timeout_ms"), RampUp: duration(o,
			"ramp_up_ms"), Failures: ranges(o),
		Name: name,
	}
}

const (
	algorithms = "token_bucket fixed_window sliding_window"
	backoffs   = "default constant linear exponential decorrelated decorrelated_v2"
)

func limiterOptions(name string, o object) LimiterOptions {
	return LimiterOptions{
		Algorithm: LimiterAlgorithm(choice(algorithms, text(o, "algorithm", "token_bucket"))),
		Permits:   number(o, "permits"), Interval: duration(o, "interval_ms"), Burst: number(o, "burst"),
		MaxConcurrent: number(o, "max_concurrent"), MaxQueue: number(o, "max_queue"),
		QueueTimeout: duration(o, "queue_timeout_ms"), ByPriority: o["queue_order"] == "priority",
		MaxKeys: number(o, "max_keys"), EvictKeys: o["key_overflow"] == "evict",
		Adaptive:    Adaptive(choice("off aimd gradient", text(o, "adaptive", "off"))),
		AdaptiveMin: number(o, "adaptive_min"), AdaptiveMax: number(o, "adaptive_max"),
		AdaptiveLatency: duration(o, "adaptive_latency_ms"), AdaptiveBackoff: rate(o, "adaptive_backoff"),
		EarlyRelease: o["early_release"] == true, Failures: ranges(o), Name: name,
	}
}

func (w *world) limiter(name string, o object) (Policy, error) {
	limiter, err := NewLimiter(w.rt, limiterOptions(name, o))
	if err != nil {
		return nil, err
	}
	limits, _ := o["limits"].([]any)
	for _, item := range limits {
		l := item.(object)
		algorithm := LimiterAlgorithm(choice(algorithms, text(l, "algorithm", "token_bucket")))
		if err := limiter.AddLimit(algorithm, number(l, "permits"), duration(l, "interval_ms"),
			number(l, "burst")); err != nil {
			return nil, err
		}
	}
	return limiter, nil
}

func chaosOptions(name string, o object) ChaosOptions {
	options := ChaosOptions{
		Disabled: o["enabled"] == false, Seed: uint64(integer(o, "seed", 0)), FailureRate: rate(o,
			"failure_rate"),
		OutcomeRate: rate(o, "outcome_rate"), HangRate: rate(o, "hang_rate"), LatencyRate: rate(o,
			"latency_rate"),
		LatencyMin: duration(o, "latency_min_ms"), LatencyMax: duration(o,
			"latency_max_ms"), Value: o["value"],
		Name: name,
	}
	if failure, ok := o["failure"].(object); ok {
		options.Failure = tableError(failure)
	}
	phases, _ := o["phases"].([]any)
	for _, item := range phases {
		p := item.(object)
		options.Phases = append(options.Phases, ChaosPhase{
			From: duration(p, "from_ms"), Until: duration(p, "until_ms"),
			What: ChaosKind(choice("none latency failure outcome hang", text(p, "what", ""))), Rate: rate(p,
				"rate"),
		})
	}
	return options
}

func (w *world) makePolicy(name string, o object) (any, error) {
	switch kind := text(o, "type", ""); kind {
	case "retry":
		return NewRetry(w.rt, retryOptions(w, name, o))
	case "budget":
		return NewBudget(w.rt, BudgetOptions{rate(o, "ratio"), rate(o, "min_per_second"),
			duration(o, "window_ms"), name})
	case "breaker":
		return NewBreaker(w.rt, breakerOptions(name, o))
	case "limiter":
		return w.limiter(name, o)
	case "bulkhead":
		limit := integer(o, "queue_limit", Unlimited)
		return NewBulkhead(w.rt, integer(o, "max_concurrent", 0), limit, name)
	case "timeout":
		return NewTimeout(w.rt, TimeoutOptions{duration(o, "timeout_ms"), text(o, "message", ""), name})
	case "pipeline":
		var inner []Policy
		for _, policy := range names(o, "policies") {
			inner = append(inner, w.asPolicy(policy))
		}
		return NewPipeline(name, inner...)
	case "hedge":
		return NewHedge(w.rt, HedgeOptions{
			MaxHedges: count(o, "max_hedges"), Delay: duration(o,
				"delay_ms"), Budget: w.budget(o), Failures: ranges(o), Name: name,
		})
	case "fallback":
		return NewFallback(w.rt, w.fallbackTarget(o), FallbackOptions{ranges(o), name})
	case "chaos":
		return NewChaos(w.rt, chaosOptions(name, o))
	default:
		return nil, fmt.Errorf("policy type %q", kind)
	}
}

func (w *world) operation(name string) *Operation[any, any] {
	if made, ok := w.operations[name]; ok {
		return made
	}
	given, ok := sub(w.scenario, "operations")[name].(object)
	if !ok {
		panic("no operation " + name)
	}
	made, err := w.makeOperation(name, given)
	if err != nil {
		w.problem("operation %s: %v", name, err)
	}
	w.operations[name] = made
	return made
}

func (w *world) several(o object) []*Operation[any, any] {
	var all []*Operation[any, any]
	for _, name := range names(o, "operations") {
		all = append(all, w.operation(name))
	}
	return all
}

// The same operation for those who know no types.
func loose[I, O any](o *Operation[I, O], err error) (*Operation[any, any], error) {
	if err != nil {
		return nil, err
	}
	l := &Operation[any, any]{}
	l.rt = o.rt
	l.keeps = o
	l.box.Store(o.box.Load())
	return l, nil
}

func (w *world) parallelOptions(name string, o object) ParallelOptions {
	options := ParallelOptions{Concurrency: number(o, "concurrency"),
		ItemTimeout: duration(o, "item_timeout_ms"), Name: name}
	if policy := text(o, "policy", ""); policy != "" {
		options.Policy = w.asPolicy(policy)
	}
	return options
}

func (w *world) makeOperation(name string, o object) (*Operation[any, any], error) {
	switch kind := text(o, "type", ""); kind {
	case "leaf":
		return w.leaf(name, o)
	case "sleep":
		return w.sleep(o)
	case "wrap":
		return loose(Wrap(w.asPolicy(text(o, "policy", "")), w.operation(text(o, "operation", ""))))
	case "race":
		options := RaceOptions{FirstSettled: o["first_settled"] == true, Name: name}
		list, _ := o["decisive"].([]any)
		for _, decisive := range list {
			options.Decisive = append(options.Decisive, decisive == true)
		}
		return loose(Race(w.rt, options, w.several(o)...))
	case "any":
		return loose(Any(w.rt, w.several(o)...))
	case "all":
		return loose(All(w.rt, w.several(o)...))
	case "all_settled":
		return loose(AllSettled(w.rt, w.several(o)...))
	case "waterfall":
		var steps []AnyOperation
		for _, step := range w.several(o) {
			steps = append(steps, step)
		}
		return loose(Waterfall[any, any](w.rt, name, steps...))
	case "poll":
		options := PollOptions{
			Interval: duration(o, "interval_ms"), MaxAttempts: number(o,
				"max_attempts"), MaxElapsed: duration(o, "max_elapsed_ms"),
		}
		return loose(Poll(w.operation(text(o, "operation", "")), options, nil))
	case "scope":
		options := ScopeOptions{
			Exit: ScopeExit(choice("join cancel grace", text(o, "exit", "join"))), Deadline: duration(o,
				"deadline_ms"),
			Grace: duration(o, "grace_ms"), Name: name,
		}
		return loose(Scoped(w.operation(text(o, "operation", "")), options))
	case "resource":
		return loose(ResourceOf(w.operation(text(o, "open", "")), w.operation(text(o, "close", "")),
			text(o, "key", "")))
	case "join":
		return loose(w.scopes[text(o, "scope", "")].Join())
	default:
		return w.makeFlow(name, kind, o)
	}
}

func (w *world) sleep(o object) (*Operation[any, any], error) {
	var value *any
	if v, ok := o["value"]; ok {
		value = &v
	}
	var failure error
	if status := text(o, "status", "ok"); status != "ok" {
		failure = statuses[status]
	}
	if e, ok := o["error"].(object); ok {
		failure = tableError(e)
	}
	return newSleep(w.rt, duration(o, "sleep_ms"), value, failure)
}

func (w *world) makeFlow(name, kind string, o object) (*Operation[any, any], error) {
	inner := func() *Operation[any, any] { return w.operation(text(o, "operation", "")) }
	switch kind {
	case "parallel", "parallel_each", "pool":
		return w.makeParallel(name, kind, o)
	case "cache":
		return loose(CacheGet(w.cache(text(o, "cache", "")), w.operation(text(o, "loader", ""))))
	case "cache_many":
		return w.cacheMany(o)
	case "memoize":
		options := MemoizeOptions{
			MaxEntries: number(o, "max_entries"), TTL: duration(o, "ttl_ms"), LoadTimeout: duration(o,
				"load_timeout_ms"), Name: name,
		}
		key := func(input any) string { bytes, _ := json.Marshal(plain(input)); return string(bytes) }
		m, err := Memoize(inner(), key, options)
		if err != nil {
			return nil, err
		}
		w.memoized[name] = m.Cache()
		made, err := loose(&m.Operation, nil)
		made.encode = func(c *core, input any) encoded { return m.encode(input) }
		return made, err
	case "flight":
		return loose(FlightOperation(w.flight(text(o, "flight", "")), inner()))
	case "debounce":
		options := DebounceOptions{
			Leading: o["leading"] == true, NoTrailing: o["trailing"] == false, Wait: duration(o, "wait_ms"),
			MaxWait: duration(o, "max_wait_ms"), Superseded: superseded(o), Overlap: overlap(o), Name: name,
		}
		if policy := text(o, "policy", ""); policy != "" {
			options.Policy = w.asPolicy(policy)
		}
		d, err := NewDebounce(inner(), options)
		if err != nil {
			return nil, err
		}
		w.pacers[name] = d
		return loose(&d.Operation, nil)
	case "throttle":
		options := ThrottleOptions{
			NoLeading: o["leading"] == false, NoTrailing: o["trailing"] == false, Interval: duration(o,
				"interval_ms"),
			Superseded: superseded(o), Overlap: overlap(o), Name: name,
		}
		if policy := text(o, "policy", ""); policy != "" {
			options.Policy = w.asPolicy(policy)
		}
		t, err := NewThrottle(inner(), options)
		if err != nil {
			return nil, err
		}
		w.pacers[name] = t
		return loose(&t.Operation, nil)
	}
	return nil, errors.New("operation type " + kind)
}

func superseded(o object) Superseded {
	if word := text(o, "superseded", ""); word != "" {
		return Superseded(choice("default cancel share", word))
	}
	return SupersededDefault
}

func overlap(o object) Overlap {
	return Overlap(choice("queue concurrent cancel", text(o, "overlap", "queue")))
}

func (w *world) makeParallel(name, kind string, o object) (*Operation[any, any], error) {
	options := w.parallelOptions(name, o)
	settled := o["stop_on_error"] == false
	switch kind {
	case "parallel":
		if settled {
			return loose(ParallelSettled(w.rt, options, w.several(o)...))
		}
		return loose(Parallel(w.rt, options, w.several(o)...))
	case "parallel_each":
		items, _ := o["items"].([]any)
		if settled {
			return loose(ParallelOverSettled(w.operation(text(o, "operation", "")), items, options))
		}
		return loose(ParallelOver(w.operation(text(o, "operation", "")), items, options))
	}
	pool, err := NewPool[any](w.rt, !settled, options)
	if err != nil {
		return nil, err
	}
	w.pools[name] = pool
	return loose(&pool.operation, nil)
}

func cacheOptions(name string, o object) CacheOptions[any] {
	return CacheOptions[any]{
		Eviction:   Eviction(choice("adaptive s3_fifo lru", text(o, "eviction", "adaptive"))),
		MaxEntries: number(o, "max_entries"), TTL: duration(o, "ttl_ms"), Idle: duration(o, "idle_ms"),
		LoadTimeout: duration(o, "load_timeout_ms"), Refresh: duration(o, "refresh_ms"),
		StaleIfError: duration(o, "stale_if_error_ms"), NegativeTTL: duration(o,
			"negative_ttl_ms"), Name: name,
	}
}

func (w *world) cache(name string) *Cache[any] {
	if made, ok := w.caches[name]; ok {
		return made
	}
	made, err := NewCache(w.rt, cacheOptions(name, sub(w.scenario, "caches")[name].(object)))
	if err != nil {
		panic(err)
	}
	w.caches[name] = made
	return made
}

// Many keys: the loader is a leaf from a list of keys to a list of values.
func (w *world) cacheMany(o object) (*Operation[any, any], error) {
	loader := w.operation(text(o, "loader", ""))
	many, err := w.cache(text(o, "cache", "")).ManyLoader(func(ctx context.Context,
		keys []string) ([]Result[any], error) {
		value, err := loader.f(ctx, keys)
		if err != nil {
			return nil, err
		}
		list, _ := value.([]any)
		results := make([]Result[any], len(list))
		for i, item := range list {
			if results[i].Value = item; item == nil {
				results[i].Err = ErrNotFound
			}
		}
		return results, nil
	})
	if err != nil {
		return nil, err
	}
	made, err := loose(many.operation, nil)
	made.encode = func(c *core, input any) encoded {
		return encodeList(c, input.([]string), encodeValue[string])
	}
	return made, err
}

func (w *world) flight(name string) *Flight[any] {
	if made, ok := w.flights[name]; ok {
		return made
	}
	made, err := NewFlight[any](w.rt, FlightOptions{duration(sub(w.scenario,
		"flights")[name].(object), "timeout_ms"), name})
	if err != nil {
		panic(err)
	}
	w.flights[name] = made
	return made
}

// Scopes are made in the order written; JSON objects have none here, so parents first.
func (w *world) needScopes() {
	for name := range sub(w.scenario, "scopes") {
		w.scope(name)
	}
}

func (w *world) scope(name string) *Scope {
	if name == "" {
		return nil
	}
	if made, ok := w.scopes[name]; ok {
		return made
	}
	o := sub(w.scenario, "scopes")[name].(object)
	made, err := NewScope(context.Background(), w.rt, ScopeOptions{
		Exit: ScopeExit(choice("join cancel grace", text(o, "exit", "join"))), Deadline: duration(o,
			"deadline_ms"),
		Grace: duration(o, "grace_ms"), Parent: w.scope(text(o, "parent", "")), Name: name,
	})
	if err != nil {
		panic(err)
	}
	w.scopes[name] = made
	return made
}
