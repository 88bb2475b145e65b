// SPDX-License-Identifier: MIT
//
// Policies: options map one to one, callbacks are asked, both doors work.
#include "support.hpp"

using support::fails;

TEST_CASE("a retry tells before it waits, and asks") {
  weir::testing::runtime runtime;
  std::vector<weir::nanoseconds> delays;
  std::vector<std::uint32_t> asked;
  weir::retry retry{runtime,
                    {.max_attempts = 4,
                     .base_delay = 100ms,
                     .jitter = weir::jitter::none,
                     .should_retry =
                         [&](const weir::outcome &outcome, std::uint32_t attempt) {
                           asked.push_back(attempt);
                           return outcome.error().code() < 3;
                         },
                     .on_retry = [&, only = std::make_unique<int>(0)](
                                     std::uint32_t, weir::nanoseconds delay,
                                     const weir::outcome &) { delays.push_back(delay); },
                     .name = "asking"}};
  CHECK(retry.name() == "asking");
  CHECK(retry.kind() == weir::policy_kind::retry);
  auto result = runtime.get_result(fails(runtime, 9).with(retry).run());
  CHECK(delays == std::vector<weir::nanoseconds>{100ms, 200ms});
  CHECK(asked == std::vector<std::uint32_t>{1, 2, 3});
  CHECK(result.error().attempts() == 3);
  CHECK(result.error().stop_reason() == weir::stop_reason::classified);
  CHECK(retry.stats().gave_up == 1);
  CHECK(retry.set_options({.max_attempts = 1}));
  CHECK(runtime.get_result(fails(runtime, 9).with(retry).run()).error().attempts() == 1);
}

TEST_CASE("a classifier sees the value; ranges of codes count") {
  weir::testing::runtime runtime;
  weir::retry pending{runtime, {.max_attempts = 3, .classify = [](const weir::outcome &outcome) {
                                  auto *status = outcome.value_as<std::string>();
                                  return status != nullptr && *status == "PENDING"
                                             ? weir::classification::failure
                                             : weir::classification::none;
                                }}};
  int tries = 0;
  weir::operation pay{runtime, [&] { return std::string(++tries < 3 ? "PENDING" : "PAID"); }};
  CHECK(runtime.get_result(pay.with(pending).run()).value() == "PAID");

  weir::retry only_five{runtime, {.max_attempts = 3, .failures = {{weir::domain::user, 5, 5}}}};
  CHECK(runtime.get_result(fails(runtime, 1).with(only_five).run()).error().attempts() == 1);
}

TEST_CASE("a budget bounds retries") {
  weir::testing::runtime runtime;
  weir::budget budget{runtime, {.ratio = 0, .min_per_second = 0.1}};
  weir::retry retry{runtime, {.max_attempts = 9, .budget = budget}};
  auto result = runtime.get_result(fails(runtime, 9).with(retry).run());
  CHECK(result.error().stop_reason() == weir::stop_reason::budget);
  CHECK(result.error().attempts() == 2);
  weir::rejection why;
  CHECK_FALSE(budget.withdraw(why));
  CHECK(why.reason() == weir::rejection_reason::budget);
  CHECK(budget.stats().refused >= 1);
}

TEST_CASE("a retry's decide door counts and waits for the host") {
  weir::testing::runtime runtime;
  weir::retry retry{runtime, {.max_attempts = 3, .base_delay = 10ms, .jitter = weir::jitter::none}};
  auto tries = retry.begin();
  CHECK(tries.next(weir::classification::failure) == 10ms);
  CHECK(tries.next(weir::classification::failure, 50ms) == 50ms);
  CHECK_FALSE(tries.next(weir::classification::failure).has_value());
  CHECK(tries.stopped_by() == weir::stop_reason::attempts);
}

TEST_CASE("a breaker opens, refuses with its numbers, and is heard of") {
  weir::testing::runtime runtime;
  std::vector<weir::breaker_change> changes;
  weir::breaker breaker{
      runtime,
      {.failure_threshold = 2,
       .reset_timeout = 60s,
       .on_state_change = [&](const weir::breaker_change &change) { changes.push_back(change); },
       .name = "api"}};
  auto guarded = fails(runtime, 99).with(breaker);
  CHECK_FALSE(runtime.get_result(guarded.run()));
  CHECK_FALSE(runtime.get_result(guarded.run()));
  auto refused = runtime.get_result(guarded.run());
  CHECK(refused.error().status() == weir::status::open);
  CHECK(refused.error().is_refusal());
  REQUIRE(refused.error().rejection() != nullptr);
  CHECK(refused.error().rejection()->name() == "api");
  CHECK(refused.error().rejection()->retry_after() == 60s);
  CHECK(refused.error().retry_after() == 60s);
  CHECK(refused.error().rejection()->describe().find("is open") != std::string::npos);
  CHECK_THROWS_AS(refused.value(), weir::open_error);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].to == weir::breaker_state::open);
  CHECK(changes[0].reason == weir::breaker_reason::failures);
}

TEST_CASE("a breaker's permit is reported, or abandoned") {
  weir::testing::runtime runtime;
  weir::breaker breaker{runtime, {.failure_threshold = 1, .reset_timeout = 1s}};
  {
    auto permit = breaker.acquire();
    REQUIRE(permit);
    CHECK(permit.succeed() == weir::status::ok);
  }
  {
    auto forgotten = breaker.acquire();
    REQUIRE(forgotten);
  }
  CHECK(breaker.stats().ignored == 1);
  auto moved = breaker.acquire();
  auto mine = std::move(moved);
  CHECK_FALSE(moved);
  CHECK(mine.fail() == weir::status::ok);
  CHECK(breaker.state() == weir::breaker_state::open);
  weir::rejection why;
  auto refused = breaker.acquire(why);
  CHECK_FALSE(refused);
  CHECK(refused.status() == weir::status::open);
  CHECK(why.reason() == weir::rejection_reason::open);

  std::string snapshot = breaker.snapshot();
  weir::breaker other{runtime};
  CHECK(other.restore(snapshot, 0ms));
  CHECK(other.state() == weir::breaker_state::open);
  CHECK_FALSE(other.restore("nonsense", 0ms));
  other.reset();
  CHECK(other.force(weir::breaker_state::metrics_only));
  CHECK(other.isolate());
  CHECK(other.state() == weir::breaker_state::forced_open);
  CHECK(other.release());
}

TEST_CASE("a breaker's permits come and go in batches") {
  weir::testing::runtime runtime;
  weir::breaker breaker{runtime};
  weir_permit permits[4];
  REQUIRE(breaker.acquire_n(4, permits) == 4);
  weir_breaker_report_entry entries[4];
  for (int i = 0; i < 4; ++i) entries[i] = {permits[i], 0, WEIR_CLASS_SUCCESS, 0};
  breaker.report_many(entries, 4);
  CHECK(breaker.stats().succeeded == 4);
}

TEST_CASE("a limiter grants, refuses and takes back") {
  weir::testing::runtime runtime;
  weir::limiter limiter{runtime, {.permits = 2, .interval = 1s, .max_concurrent = 1}};
  weir::rejection why;
  {
    auto held = limiter.try_acquire();
    REQUIRE(held);
    auto refused = limiter.try_acquire(1, why);
    CHECK_FALSE(refused);
    CHECK(why.reason() == weir::rejection_reason::concurrency);
  }
  {
    auto again = limiter.try_acquire();
    CHECK(again);
  }
  CHECK_FALSE(limiter.try_acquire(1, why));
  CHECK(why.reason() == weir::rejection_reason::rate);
  CHECK(why.retry_after() == 500ms);
  limiter.pause();
  CHECK(limiter.available() == 0);
  limiter.resume();
  CHECK(limiter.stats().concurrent == 0);
}

TEST_CASE("a keyed limiter keeps keys apart; a bucket can be reserved") {
  weir::testing::runtime runtime;
  weir::limiter keyed{runtime, {.max_concurrent = 1, .max_keys = 10}};
  auto one = keyed.try_acquire_key("one");
  CHECK(one);
  CHECK_FALSE(keyed.try_acquire_key("one"));
  CHECK(keyed.try_acquire_key("two"));
  weir::limiter bucket{runtime, {.permits = 1, .interval = 1s}};
  CHECK(bucket.reserve()->wait == 0ns);
  auto second = bucket.reserve();
  CHECK(second->wait == 1s);
  CHECK(bucket.cancel(*second));
  CHECK(bucket.acquire_n(3) == 0);
  CHECK(bucket.drain().has_value());
}

TEST_CASE("a bulkhead queues and refuses") {
  weir::testing::runtime runtime;
  auto bulkhead = weir::bulkhead(runtime, 1, 1, "narrow");
  auto busy = support::hangs(runtime).with(bulkhead);
  auto first = busy.run();
  auto second = busy.run();
  auto third = busy.run();
  auto refused = runtime.get_result(third);
  CHECK(refused.error().status() == weir::status::full);
  first.cancel();
  second.cancel();
  runtime.run_until_idle();
}

TEST_CASE("a timeout settles what takes too long") {
  weir::testing::runtime runtime;
  weir::timeout fixed{runtime, 2s, "two"};
  auto result = runtime.get_result(support::hangs(runtime).with(fixed).run());
  CHECK(result.error().status() == weir::status::timed_out);
  CHECK(result.error().message().find("two") != std::string_view::npos);
  weir::timeout asked{runtime, {.timeout_for = [](void *, std::string_view key) {
                        return weir::milliseconds(key.size());
                      }}};
  auto began = runtime.now();
  CHECK_FALSE(runtime.get_result(support::hangs(runtime).with(asked).run({.key = "12345"})));
  CHECK(runtime.now() - began == 5ms);
  CHECK(asked.stats().timed_out == 1);
  CHECK_THROWS_AS(weir::timeout(runtime, weir::timeout_options{}), weir::invalid_error);
}

TEST_CASE("a hedge starts a copy of what is slow") {
  weir::testing::runtime runtime;
  int started = 0;
  weir::operation slow_first{runtime, [&](weir::attempt &attempt, weir::completer<int> done) {
                               if (++started > 1) {
                                 done.complete(started);
                               } else {
                                 auto kept =
                                     std::make_shared<weir::completer<int>>(std::move(done));
                                 attempt.on_cancel([kept](weir::cancel_reason) { kept->fail(1); });
                               }
                             }};
  weir::hedge hedge{runtime, {.delay = 50ms}};
  CHECK(runtime.get_result(slow_first.with(hedge).run()).value() == 2);
  CHECK(hedge.stats().won_by_hedge == 1);
}

TEST_CASE("a fallback answers in the place of what failed") {
  weir::testing::runtime runtime;
  auto value = weir::fallback::with_value(runtime, -1, {.name = "minus one"});
  CHECK(runtime.get_result(fails(runtime, 9).with(value).run()).value() == -1);
  weir::fallback operation{
      runtime, weir::operation{runtime, [](weir::attempt &attempt) {
                                 return static_cast<int>(attempt.failed()->error().code()) + 100;
                               }}};
  CHECK(runtime.get_result(fails(runtime, 9).with(operation).run()).value() == 101);
  CHECK(operation.stats().fell_back == 1);
  weir::operation empty{runtime, []() -> weir::result<void> { return weir::error(1); }};
  CHECK(runtime.get_result(empty.with(weir::fallback::with_nothing(runtime)).run()));
}

TEST_CASE("chaos injects what it is told to") {
  weir::testing::runtime runtime;
  weir::chaos chaos{runtime, {.failure_rate = 1, .failure = weir::error(13, "unlucky")}};
  weir::operation good{runtime, [] { return 1; }};
  CHECK(runtime.get_result(good.with(chaos).run()).error().code() == 13);
  chaos.disable();
  CHECK(runtime.get_result(good.with(chaos).run()).value() == 1);
  weir::chaos outcome{runtime, {.outcome_rate = 1, .outcome = weir::value::of(7)}};
  CHECK(runtime.get_result(good.with(outcome).run()).value() == 7);
}

TEST_CASE("policies compose, the first outermost") {
  weir::testing::runtime runtime;
  weir::breaker breaker{runtime, {.failure_threshold = 1}};
  weir::retry retry{runtime, {.max_attempts = 3}};
  weir::timeout timeout{runtime, 1s};
  auto all = breaker | retry | timeout;
  CHECK(runtime.get_result(fails(runtime, 2).run({.policy = all})).value() == 3);
  CHECK(breaker.stats().succeeded == 1);
  weir::pipeline named{runtime, {breaker, retry}, "guard"};
  CHECK(named.name() == "guard");
  CHECK_THROWS_AS(breaker | breaker, weir::invalid_error);
  CHECK_THROWS_AS(fails(runtime, 0).with(breaker).with(breaker), weir::invalid_error);
}

TEST_CASE("policies are found by name, as what they are") {
  weir::testing::runtime runtime;
  weir::registry registry(runtime);
  weir::breaker breaker{runtime, {.name = "api"}};
  CHECK(registry.add(breaker));
  CHECK(registry.add(breaker).error().status() == weir::status::exists);
  CHECK(registry.find<weir::breaker>("api")->native() == breaker.native());
  CHECK(registry.find("api")->get() == breaker.get());
  CHECK(registry.find<weir::limiter>("api").error().status() == weir::status::invalid);
  CHECK(registry.find("other").error().status() == weir::status::not_found);
  CHECK(registry.remove(breaker));
  CHECK_FALSE(registry.find("api"));
}
