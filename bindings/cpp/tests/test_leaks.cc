// SPDX-License-Identifier: MIT
//
// Nothing stays of what was refused, dropped, cancelled or replaced, while the runtime goes on:
// each function and value here has a part that is counted, gone when its owner is.
#include <atomic>
#include <functional>

#include "support.hpp"

namespace {

// Copies are counted, too: how many there are now.
struct counted_part {
  counted_part() { ++alive; }
  counted_part(const counted_part &) { ++alive; }
  counted_part &operator=(const counted_part &) = default;
  ~counted_part() { --alive; }

  static inline std::atomic<int> alive{0};
};

using part = counted_part;

struct scenario {
  const char *name;
  std::function<void(weir::testing::runtime &)> round;
};

template <class Make>
void refused(Make make) {
  CHECK_THROWS_AS(make(), weir::invalid_error);
}

// The ends of a run, by turns.
void run_each_way(weir::testing::runtime &runtime, const weir::policy &policy) {
  part own;
  weir::operation value{runtime, [own] { return part(own); }};
  weir::operation thrown{runtime, [own]() -> int { throw support::mishap("thrown"); }};
  (void)runtime.get_result(value.with(policy).run());
  (void)runtime.get_result(thrown.with(policy).run());
  auto cancelled = support::hangs(runtime).with(policy).run({}, [own](weir::result<int>) {});
  runtime.run_until_idle();
  cancelled.cancel();
  (void)value.with(policy).run();
  // One that is told to stop, goes on, and is dropped only then.
  std::vector<weir::completer<int>> late;
  weir::operation goes_on{
      runtime, [&late, own](weir::completer<int> done) { late.push_back(std::move(done)); }};
  (void)goes_on.with(policy).run({.deadline = 1ms});
  runtime.advance(10s);
  late.clear();
  runtime.advance(10s);
}

void options_that_are_refused(weir::testing::runtime &runtime) {
  part own;
  refused([&] {
    return weir::retry{
        runtime,
        {.max_attempts = -7,
         .on_retry = [own](std::uint32_t, weir::nanoseconds, const weir::outcome &) {}}};
  });
  refused([&] {
    return weir::breaker{
        runtime,
        {.failure_threshold = 0, .on_state_change = [own](const weir::breaker_change &) {}}};
  });
  refused([&] {
    return weir::cache<int, part>{
        runtime,
        {.max_entries = -7, .on_evict = [own](const int &, const part &, weir::evict_cause) {}}};
  });
  refused([&] {
    return weir::fallback::with_value(runtime, part(), {.failures = {{weir::domain::user, 9, 1}}});
  });
}

void policies(weir::testing::runtime &runtime) {
  part own;
  weir::retry retry{
      runtime,
      {.max_attempts = 2,
       .base_delay = 1ms,
       .on_retry = [own](std::uint32_t, weir::nanoseconds, const weir::outcome &) {}}};
  weir::breaker breaker{
      runtime, {.failure_threshold = 1, .on_state_change = [own](const weir::breaker_change &) {}}};
  run_each_way(runtime, retry);
  run_each_way(runtime, breaker);
  run_each_way(runtime, weir::timeout{runtime, {.timeout = 5ms}});
  run_each_way(runtime, weir::hedge{runtime, {.delay = 1ms}});
  run_each_way(runtime, breaker | retry);
  for (int i = 0; i < 3; ++i) {
    CHECK(retry.set_options(
        {.on_retry = [own](std::uint32_t, weir::nanoseconds, const weir::outcome &) {}}));
    run_each_way(runtime, retry);
  }
}

void caches(weir::testing::runtime &runtime) {
  part own;
  weir::cache<int, part> cache{
      runtime,
      {.max_entries = 2, .on_evict = [own](const int &, const part &, weir::evict_cause) {}}};
  for (int key = 0; key < 5; ++key) CHECK(cache.put(key, own));
  auto load = cache.loader([own](int key) -> part {
    if (key % 2 == 0) throw support::mishap("load");
    return own;
  });
  for (int key = 10; key < 14; ++key) (void)runtime.get_result(cache.get(key, load));
  // A load that nobody waits for any more.
  auto left = cache.get(20, cache.loader([own](int) { return own; }));
  left.cancel();
  runtime.advance(1s);
}

void pacers(weir::testing::runtime &runtime) {
  part own;
  weir::operation save{runtime, [own](int n) { return n; }};
  weir::debounce saving{runtime, save, {.wait = 10ms}};
  weir::throttle rare{runtime, save, {.interval = 10ms}};
  for (int i = 0; i < 3; ++i) {
    saving(i, {.key = "box " + std::to_string(i)}, [own](weir::result<int>) {});
    rare(i, {.key = "box " + std::to_string(i)}, [own](weir::result<int>) {});
    saving(i, {}, [own](weir::result<int>) {});
  }
  if (part::alive % 2 == 0) saving.cancel();
  runtime.advance(1s);
  saving(1, {}, [own](weir::result<int>) {});  // dropped while it is pending
}

void groups(weir::testing::runtime &runtime) {
  part own;
  weir::operation item{runtime, [own](int n) {
                         if (n == 1) throw support::mishap("item");
                         return part(own);
                       }};
  weir::pool<part> pool{runtime, {.concurrency = 2}};
  auto drained = pool.run();
  for (int i = 0; i < 3; ++i) (void)pool.add(item, i);
  CHECK(pool.seal());
  (void)runtime.get_result(drained);
  weir::pool<part> unrun{runtime, {.concurrency = 2}};
  CHECK(unrun.add(item, 5));
  weir::scope scope{runtime, {.exit = weir::scope_exit::cancel}};
  CHECK(scope.set("own", own));
  weir::operation opens{runtime, [own] { return own; }};
  weir::operation closes{runtime, [own](const part &) { throw support::mishap("close"); }};
  (void)runtime.get_result(weir::resource(opens, closes, "file").run({.scope = scope}));
  (void)support::hangs(runtime).run({.scope = scope}, [own](weir::result<int>) {});
  (void)runtime.get_result(scope.join_operation().run());
}

const scenario scenarios[] = {
    {"options that are refused", options_that_are_refused},
    {"policies", policies},
    {"caches", caches},
    {"pacers", pacers},
    {"groups", groups},
};

std::uint64_t in_flight(const weir::testing::runtime &runtime) {
  return runtime.stats().live_calls + runtime.stats().orphans;
}

}  // namespace

TEST_CASE("what is refused, dropped, cancelled or replaced leaves nothing behind") {
  weir::testing::runtime runtime;
  for (const scenario &one : scenarios) {
    CAPTURE(one.name);
    for (int i = 0; i < 3; ++i) {
      one.round(runtime);
      runtime.advance(1min);
      CHECK(part::alive == 0);
      CHECK(in_flight(runtime) == 0);
    }
  }
}

TEST_CASE("a runtime's own functions go with it, or with what was refused") {
  part own;
  int before = part::alive;
  for (int i = 0; i < 3; ++i) {
    refused([&] {
      return weir::runtime{{.max_in_flight = -7, .on_event = [own](const weir::event &) {}}};
    });
    CHECK(part::alive == before);
    {
      weir::runtime runtime{{.on_event = [own](const weir::event &) {}}};
      (void)weir::operation{runtime, [own] { return 1; }}.run().get();
      CHECK(runtime.close_wait(10s));
    }
    CHECK(part::alive == before);
  }
}
