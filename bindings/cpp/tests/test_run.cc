// SPDX-License-Identifier: MIT
//
// Runs, calls, runtimes and their end.
#include <atomic>

#include "support.hpp"

TEST_CASE("a settle function is told the result, and may look at the outcome") {
  weir::testing::runtime runtime;
  int told = 0;
  auto call =
      support::fails(runtime, 0).run({}, [&](weir::result<int> result) { told = result.value(); });
  CHECK(call.started());
  CHECK(told == 0);
  runtime.run_until_idle();
  CHECK(told == 1);

  std::string line;
  weir::retry retry{runtime, {.max_attempts = 2}};
  support::fails(runtime, 5)
      .with(retry)
      .run({}, [&, only = std::make_unique<int>(1)](weir::result<int> result,
                                                    const weir::outcome &outcome) {
        CHECK_FALSE(result);
        CHECK(outcome.attempts() == 2);
        CHECK(outcome.statuses().size() == 2);
        CHECK(outcome.stop_reason() == weir::stop_reason::attempts);
        line = outcome.describe();
      });
  runtime.advance(10s);
  CHECK(line.find("not yet") != std::string::npos);
}

TEST_CASE("a call is waited for, asked, and taken") {
  weir::runtime runtime;
  auto call = weir::sleep(runtime, 5ms, 3).run();
  CHECK(call.wait(10s).has_value());
  CHECK(call.done());
  CHECK(call.outcome()->has_value());
  CHECK(call.take().value() == 3);
  auto slow = weir::sleep(runtime, 1h).run();
  CHECK_FALSE(slow.done());
  CHECK(slow.wait(1ms).error().status() == weir::status::timed_out);
  CHECK_FALSE(slow.outcome().has_value());
  CHECK(slow.cancel());
  CHECK(slow.get().error().status() == weir::status::cancelled);
  CHECK_FALSE(slow.cancel());
}

TEST_CASE("waiting on the runtime's own thread is an error") {
  weir::runtime runtime;
  weir::operation inner{runtime, [] { return 1; }};
  weir::operation waits{runtime, [&] { return inner.run().get(); }};
  auto result = waits.run().get();
  REQUIRE_FALSE(result);
  CHECK(result.error().message().find("thread") != std::string_view::npos);
}

TEST_CASE("a run that is refused at the door has settled already") {
  weir::testing::runtime runtime;
  weir::operation any{runtime, [] { return 1; }};
  auto bad = any.run({.deadline = -5ms});
  CHECK_FALSE(bad.started());
  CHECK(bad.done());
  CHECK(bad.get().error().status() == weir::status::invalid);
  runtime.close();
  bool told = false;
  auto owned = std::make_shared<int>(0);
  auto closed = any.run({}, [&told, owned](weir::result<int>) { told = true; });
  CHECK_FALSE(closed.started());
  CHECK(closed.start_error().status() == weir::status::closed);
  CHECK_FALSE(told);
  CHECK(owned.use_count() == 1);
}

TEST_CASE("a deadline stops a run") {
  weir::testing::runtime runtime;
  auto began = runtime.now();
  auto result = runtime.get_result(support::hangs(runtime).run({.deadline = 2s}));
  CHECK(result.error().status() == weir::status::timed_out);
  CHECK(result.error().cancel_reason() == weir::cancel_reason::deadline);
  CHECK(runtime.now() - began == 2s);
}

TEST_CASE("the runtime's object closes it and waits; a copy does not") {
  auto owned = std::make_shared<int>(0);
  std::atomic<bool> told{false};
  {
    weir::runtime runtime;
    weir::runtime copy = runtime;
    weir::sleep(runtime, 1h).run({}, [&told, owned](weir::result<void> result) {
      told = result.error().status() == weir::status::closed;
    });
    { weir::runtime other = copy; }
    CHECK(runtime.is_open());
  }
  CHECK(told);
  CHECK(owned.use_count() == 1);
}

TEST_CASE("what is completed after the runtime's end is harmless") {
  std::optional<weir::completer<int>> kept;
  {
    weir::runtime runtime{{.close_grace = 0ms}};
    weir::operation keeps{runtime,
                          [&](weir::completer<int> done) { kept.emplace(std::move(done)); }};
    auto call = keeps.run();
    while (runtime.stats().attempts_started == 0) std::this_thread::yield();
    runtime.close();
    CHECK(call.get().error().status() == weir::status::closed);
  }
  kept->complete(3);
  kept.reset();
}

TEST_CASE("handles may go in any order, the runtime first") {
  std::optional<weir::breaker> breaker;
  std::optional<weir::operation<int>> operation;
  {
    weir::runtime runtime;
    breaker.emplace(runtime, weir::breaker_options{.name = "late"});
    operation.emplace(runtime, [] { return 1; });
  }
  CHECK(breaker->name() == "late");
  CHECK(breaker->acquire());
  CHECK(operation->with(*breaker).run().start_error().status() == weir::status::closed);
}

TEST_CASE("an event listener, a log and a recorder hear what policies do") {
  std::vector<weir::event_kind> kinds;
  std::string logged;
  std::uint64_t orphans = 99;
  {
    weir::testing::runtime runtime{weir::runtime_options{
        .log = [&](weir::log_level, std::string_view subject,
                   std::string_view message) { logged.append(subject).append(message); },
        .on_event = [&](const weir::event &event) { kinds.push_back(event.kind()); },
        .on_closed = [&](std::uint64_t out) { orphans = out; },
        .name = "listening",
        .log_level = weir::log_level::info,
        .recorder_entries = 16}};
    weir::retry retry{runtime, {.max_attempts = 2, .name = "again"}};
    CHECK_FALSE(runtime.get_result(support::fails(runtime, 5).with(retry).run()));
    runtime.log(weir::log_level::info, "mine", "hello");
    CHECK(logged.find("minehello") != std::string::npos);
    CHECK(runtime.recorder_dump().value().find("again") != std::string::npos);
    std::uint64_t cursor = 0;
    CHECK(runtime.recorder_read(cursor).value().size() >= 2);
    CHECK(runtime.recorder_read(cursor).value().empty());
    CHECK(runtime.set_label("zone", "a"));
    CHECK(retry.set_label("team", "b"));
    CHECK_FALSE(retry.set_label("le", "b"));
    CHECK(runtime.metrics().value().find("team=\"b\"") != std::string::npos);
    CHECK(runtime.metrics_text().value().find("weir_") != std::string::npos);
    CHECK(runtime.audit().value().empty());
  }
  CHECK(kinds == std::vector<weir::event_kind>{weir::event_kind::retry, weir::event_kind::gave_up});
  CHECK(orphans == 0);
}

TEST_CASE("the audit says what waits for what") {
  weir::testing::runtime runtime;
  auto call = support::hangs(runtime).run({.name = "patient"});
  runtime.run_until_idle();
  auto list = runtime.audit().value();
  REQUIRE(list.size() == 1);
  CHECK(std::string(list[0].name) == "patient");
  call.cancel();
  runtime.run_until_idle();
}

TEST_CASE("a manual runtime is processed by the program") {
  bool woken = false;
  weir::runtime runtime{{.driver = weir::driver::manual, .wakeup = [&] { woken = true; }}};
  auto call = weir::sleep(runtime, 10ms).run();
  CHECK(woken);
  runtime.process(weir::time_point(1s));
  CHECK(runtime.next_deadline().value() <= weir::time_point(1s + 10ms));
  runtime.process(weir::time_point(1s + 10ms));
  CHECK(call.take().has_value());
  CHECK_FALSE(runtime.next_deadline().has_value());
}

TEST_CASE("a queue gives settlements without calling back") {
  weir::testing::runtime runtime;
  weir::completions queue{runtime};
  auto queued = queue.queued<std::string>(7).value();
  auto call = queue.run(queued, 8);
  runtime.run_until_idle();
  weir_record record;
  REQUIRE(queue.drain(&record, 1) == 1);
  CHECK(record.kind == WEIR_RECORD_START);
  CHECK(record.user == 7);
  queue.completer_of(queued, record).complete("from a queue");
  runtime.run_until_idle();
  REQUIRE(queue.drain(&record, 1) == 1);
  CHECK(record.kind == WEIR_RECORD_SETTLED);
  CHECK(record.user == 8);
  CHECK(weir::completions::result_of<std::string>(record).value() == "from a queue");
}

TEST_CASE("a queue asks for the items of a parallel") {
  weir::testing::runtime runtime;
  weir::completions queue{runtime};
  auto source = queue.asked<int>(5).value();
  weir::operation twice{runtime, [](int n) { return 2 * n; }};
  auto call = weir::parallel_from(twice, source, {.concurrency = 1}).run();
  for (int next = 1; !call.done(); ++next) {
    runtime.run_until_idle();
    weir_record record;
    if (queue.drain(&record, 1) == 0) break;
    REQUIRE(record.kind == WEIR_RECORD_ASK);
    auto answer = queue.completer_of(source, record);
    answer.complete(next < 3 ? std::optional<int>(next) : std::nullopt);
    runtime.run_until_idle();
  }
  auto list = call.take().value();
  REQUIRE(list.size() == 2);
  CHECK(*list[1] == 4);
  CHECK(queue.notify_recorded(1).error().status() == weir::status::unsupported);
}

TEST_CASE("run() runs a function once") {
  weir::runtime runtime;
  CHECK(weir::run(runtime, [] { return 4; }).get().value() == 4);
}

TEST_CASE("a queue's attempt is shown to who drains it") {
  weir::testing::runtime runtime;
  weir::completions queue{runtime};
  int context = 0;
  auto queued = queue.queued<int>(WEIR_USER_OF_RUN).value().as<int, int>();
  weir::operation failing{runtime, []() -> weir::result<int> { return weir::error(7, "inside"); }};
  weir::fallback instead{runtime, queued};
  auto call = failing.as<int, int>().with(instead).run(
      42, {.deadline = 3s, .key = "tenant", .context = &context});
  runtime.run_until_idle();
  weir_record record;
  REQUIRE(queue.drain(&record, 1) == 1);
  CHECK(record.user == reinterpret_cast<std::uintptr_t>(&context));
  auto started = queue.attempt_of(record).value();
  auto kept = started;
  weir::attempt attempt = kept.view();
  CHECK(attempt.key() == "tenant");
  CHECK(attempt.context() == &context);
  CHECK(attempt.remaining() == 3s);
  CHECK(*attempt.input_as<int>() == 42);
  REQUIRE(attempt.failed().has_value());
  CHECK(attempt.failed()->error().message() == "inside");
  queue.completer_of(queued.as<int, void>(), record).complete(5);
  CHECK(queue.attempt_of(record).error().status() == weir::status::stale);
  weir_value_unref(reinterpret_cast<weir_value *>(record.detail));
  CHECK(runtime.get_result(call).value() == 5);

  auto own = queue.run(weir::operation{runtime, [](int n) { return n + 1; }}, 1, 9);
  runtime.run_until_idle();
  REQUIRE(queue.drain(&record, 1) == 1);
  CHECK(record.user == 9);
  CHECK(weir::completions::result_of<int>(record).value() == 2);
}
