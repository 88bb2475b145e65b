// SPDX-License-Identifier: MIT
//
// co_await, in a compiler that can: a program of its own.
#include "weir/coroutine.hpp"

#include <atomic>

#include "support.hpp"

namespace {

// A coroutine that begins at once, and that the test may destroy where it waits.
struct held {
  struct promise_type {
    held get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::abort(); }
  };
  std::coroutine_handle<promise_type> frame;
};

// Throws when it is moved for the second time.
struct bursting {
  bursting() = default;
  bursting(bursting &&other) : moves(other.moves + 1) {
    if (moves == 2) throw support::mishap("burst");
  }
  int moves = 0;
  std::string ballast;
};

}  // namespace

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

TEST_CASE("a coroutine may be destroyed where it waits, before the run settles and after") {
  weir::testing::runtime runtime;
  auto slow = weir::sleep(runtime, 1h, 1);
  auto owned = std::make_shared<int>(0);
  int resumed = 0;
  auto body = [&](std::shared_ptr<int>, weir::milliseconds first) -> held {
    auto kept = weir::async(weir::sleep(runtime, first, 1));
    (void)co_await kept;
    ++resumed;
    (void)co_await weir::async(slow);
    ++resumed;
  };
  held before = body(owned, 1h);
  held after = body(owned, 1s);
  runtime.advance(2s);
  CHECK(resumed == 1);
  before.frame.destroy();
  after.frame.destroy();
  CHECK(owned.use_count() == 1);
  runtime.run_until_idle();
  CHECK(runtime.stats().live_calls == 0);
  runtime.advance(2h);
  CHECK(resumed == 1);
}

TEST_CASE("an attempt that is told to stop before it awaits anything is stopped there") {
  weir::testing::runtime runtime;
  auto slow = weir::sleep(runtime, 1h, 1);
  bool seen = false;
  auto waits = weir::coroutine(runtime, [&]() -> weir::task<weir::result<int>> {
    (void)co_await weir::async(weir::sleep(runtime, 1s));
    auto result = co_await weir::async(slow);
    seen = !result;
    co_return result;
  });
  auto call = waits.run();
  runtime.advance(1s);
  call.cancel();
  CHECK_FALSE(runtime.get_result(call).has_value());
  runtime.run_until_idle();
  CHECK(seen);
}

TEST_CASE("what moving a coroutine's value throws is its failure") {
  weir::testing::runtime runtime;
  auto burst = weir::coroutine(runtime, []() -> weir::task<bursting> {
    bursting value;
    co_return std::move(value);
  });
  auto result = runtime.get_result(burst.run());
  REQUIRE_FALSE(result);
  CHECK_THROWS_AS(result.error().raise(), support::mishap);
}

TEST_CASE("a runtime that ends lets its coroutines end") {
  bool over = false;
  {
    weir::runtime runtime;
    auto waits = weir::coroutine(runtime, [&]() -> weir::task<void> {
      auto result = co_await weir::async(weir::sleep(runtime, 1h));
      over = !result.has_value();
    });
    waits.run();
    while (runtime.stats().attempts_started == 0) std::this_thread::yield();
  }
  CHECK(over);
}

TEST_CASE("coroutines are cancelled from other threads while they begin to wait") {
  weir::runtime runtime;
  std::atomic<int> settled{0};
  std::atomic<int> over{0};
  auto hours = weir::sleep(runtime, 1h);
  weir::operation short_one{runtime, [] { return 1; }};
  auto waits = weir::coroutine(runtime, [&]() -> weir::task<void> {
    (void)co_await weir::async(short_one);
    (void)co_await weir::async(hours);
    ++over;
  });
  constexpr int threads = 4;
  constexpr int each = 200;
  std::vector<std::thread> list;
  for (int thread = 0; thread < threads; ++thread) {
    list.emplace_back([&] {
      for (int i = 0; i < each; ++i) {
        auto call = waits.run({}, [&](weir::result<void>) { ++settled; });
        if (i % 3 == 0) std::this_thread::yield();
        call.cancel();
      }
    });
  }
  for (std::thread &one : list) one.join();
  while (settled < threads * each) std::this_thread::yield();
  runtime.close();
  CHECK(runtime.close_wait(10s));
  CHECK(settled == threads * each);
  CHECK(runtime.stats().orphans == 0);
}
