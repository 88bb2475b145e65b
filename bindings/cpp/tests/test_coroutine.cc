// SPDX-License-Identifier: MIT
//
// co_await, in a compiler that can: a program of its own.
#include "weir/coroutine.hpp"

#include "support.hpp"

TEST_CASE("a coroutine awaits runs, one after the other") {
  weir::testing::runtime runtime;
  auto slow = weir::sleep(runtime, 5s, 3);
  weir::operation twice{runtime, [](int n) { return 2 * n; }};
  auto sum = weir::coroutine(runtime, [=](int n) -> weir::task<int> {
    int first = (co_await weir::async(slow)).value();
    int second = (co_await weir::async(twice, n)).value();
    co_return first + second;
  });
  CHECK(runtime.get_result(sum.run(4)).value() == 11);
}

TEST_CASE("tasks await tasks, and exceptions pass through them") {
  weir::testing::runtime runtime;
  auto slow = weir::sleep(runtime, 1s, 3);
  auto inner = [=](int n) -> weir::task<std::string> {
    int waited = (co_await weir::async(slow)).value();
    if (n < 0) throw support::mishap("negative");
    co_return std::to_string(n + waited);
  };
  auto outer = weir::coroutine(runtime, [=](int n) -> weir::task<std::string> {
    std::string text = co_await inner(n);
    co_return text + "!";
  });
  CHECK(runtime.get_result(outer.run(4)).value() == "7!");
  CHECK_THROWS_AS(runtime.get_result(outer.run(-1)).value(), support::mishap);
}

TEST_CASE("a coroutine that is told to stop has what it awaits cancelled") {
  weir::testing::runtime runtime;
  bool seen = false;
  auto hangs = support::hangs(runtime);
  auto waits = weir::coroutine(runtime, [&]() -> weir::task<weir::result<int>> {
    auto result = co_await weir::async(hangs);
    seen = !result && result.error().status() == weir::status::cancelled;
    co_return result;
  });
  auto result = runtime.get_result(waits.run({.deadline = 1s}));
  CHECK(result.error().status() == weir::status::timed_out);
  runtime.run_until_idle();
  CHECK(seen);
  CHECK(runtime.stats().orphans == 0);
}

TEST_CASE("a run that is refused at the door does not suspend") {
  weir::testing::runtime runtime;
  weir::operation one{runtime, [] { return 1; }};
  auto bad = weir::coroutine(runtime, [=]() -> weir::task<weir::result<int>> {
    auto result = co_await weir::async(one, {.deadline = -5ms});
    co_return result;
  });
  CHECK_FALSE(runtime.get_result(bad.run()));
}

TEST_CASE("a coroutine without a value, a million steps deep in no stack") {
  weir::runtime runtime;
  weir::operation one{runtime, [] { return 1; }};
  auto many = weir::coroutine(runtime, [=]() -> weir::task<int> {
    int sum = 0;
    for (int i = 0; i < 20000; ++i) sum += (co_await weir::async(one)).value();
    co_return sum;
  });
  CHECK(many.run().get().value() == 20000);
  auto nothing = weir::coroutine(runtime, []() -> weir::task<void> { co_return; });
  CHECK(nothing.run().get().has_value());
}
