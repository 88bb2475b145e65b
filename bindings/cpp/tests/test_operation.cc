// SPDX-License-Identifier: MIT
//
// Which functions make operations, how they end, and what comes back of what they threw.
#include <system_error>

#include "support.hpp"

using support::counted;
using support::mishap;

TEST_CASE("a function's parameters and result say what its operation is") {
  weir::testing::runtime runtime;
  weir::operation nothing{runtime, [] {}};
  weir::operation number{runtime, [] { return 1; }};
  weir::operation twice{runtime, [](int n) { return 2 * n; }};
  weir::operation size{runtime, [](std::string_view text) { return text.size(); }};
  weir::operation either{runtime,
                         [](const int &n, weir::attempt &) -> weir::result<int> { return n; }};
  weir::operation later{runtime, [](int n, weir::attempt &, weir::completer<std::string> done) {
                          done.complete(std::to_string(n));
                        }};
  static_assert(std::is_same_v<decltype(nothing), weir::operation<void>>);
  static_assert(std::is_same_v<decltype(number), weir::operation<int>>);
  static_assert(std::is_same_v<decltype(twice), weir::operation<int, int>>);
  static_assert(std::is_same_v<decltype(size), weir::operation<std::size_t, std::string>>);
  static_assert(std::is_same_v<decltype(either), weir::operation<int, int>>);
  static_assert(std::is_same_v<decltype(later), weir::operation<std::string, int>>);
  CHECK(runtime.get_result(nothing.run()).has_value());
  CHECK(runtime.get_result(number.run()).value() == 1);
  CHECK(runtime.get_result(twice.run(4)).value() == 8);
  CHECK(runtime.get_result(size.run("four")).value() == 4);
  CHECK(runtime.get_result(either.run(3)).value() == 3);
  CHECK(runtime.get_result(later.run(5)).value() == "5");
}

TEST_CASE("a value is moved out to the only one who sees it, and copied to several") {
  weir::testing::runtime runtime;
  weir::operation one{runtime, [] { return counted(3); }};
  counted taken = runtime.get_result(one.run()).value();
  CHECK(taken.number == 3);
  CHECK(*taken.copies == 0);

  weir::flight<> flight{runtime};
  auto first = flight.run("key", one);
  auto second = flight.run("key", one);
  counted mine = runtime.get_result(first).value();
  counted yours = runtime.get_result(second).value();
  CHECK(mine.number == 3);
  CHECK((yours.copies == mine.copies));
  CHECK(*mine.copies >= 1);
}

TEST_CASE("a value may be of a type that can only be moved") {
  weir::testing::runtime runtime;
  weir::operation make{runtime, [] { return std::make_unique<int>(4); }};
  CHECK(*runtime.get_result(make.run()).value() == 4);
}

TEST_CASE("values of all shapes come back as they were") {
  struct alignas(16) wide {
    double x[3];
  };
  struct large {
    char bytes[4096];
  };
  weir::testing::runtime runtime;
  weir::operation a{runtime, [] { return wide{{1, 2, 3}}; }};
  weir::operation b{runtime, [] {
                      large made{};
                      made.bytes[4095] = 'x';
                      return made;
                    }};
  weir::operation c{runtime, [] { return std::vector<int>{1, 2, 3}; }};
  weir::operation d{runtime, []() -> std::optional<int> { return std::nullopt; }};
  weir::operation e{runtime, [] { return std::tuple<int, std::string>(1, "one"); }};
  weir::operation f{runtime, [] { return weir::value::of_bytes("raw"); }};
  CHECK(runtime.get_result(a.run()).value().x[2] == 3);
  CHECK(runtime.get_result(b.run()).value().bytes[4095] == 'x');
  CHECK(runtime.get_result(c.run()).value() == std::vector<int>{1, 2, 3});
  CHECK_FALSE(runtime.get_result(d.run()).value().has_value());
  CHECK(std::get<1>(runtime.get_result(e.run()).value()) == "one");
  CHECK(runtime.get_result(f.run()).value().bytes() == "raw");
}

TEST_CASE("a value of another type is an error, not a guess") {
  weir::testing::runtime runtime;
  weir::operation bad{runtime, [] { return 1; }};
  auto wrong = weir::fallback::with_value(runtime, std::string("text"));
  weir::operation failing{runtime, []() -> weir::result<int> { return weir::error(1); }};
  auto result = runtime.get_result(failing.with(wrong).run());
  REQUIRE_FALSE(result);
  CHECK(result.error().status() == weir::status::invalid);
}

TEST_CASE("what a function throws is the failure, and comes out as the same object") {
  weir::testing::runtime runtime;
  std::exception_ptr original;
  weir::operation throws{runtime, [&]() -> int {
                           try {
                             throw mishap("burnt");
                           } catch (...) {
                             original = std::current_exception();
                             throw;
                           }
                         }};
  auto result = runtime.get_result(throws.run());
  REQUIRE_FALSE(result);
  CHECK(result.error().status() == weir::status::failed);
  CHECK(result.error().message() == "burnt");
  CHECK((result.error().exception() == original));
  CHECK_THROWS_AS(result.value(), mishap);
}

TEST_CASE("what was thrown survives retries, waterfalls and aggregates") {
  weir::testing::runtime runtime;
  weir::operation throws{runtime, [](weir::attempt &attempt) -> int {
                           throw mishap("try " + std::to_string(attempt.number()));
                         }};
  weir::retry retry{runtime, {.max_attempts = 3}};
  try {
    runtime.get_result(throws.with(retry).run()).value();
    FAIL("it did not throw");
  } catch (const mishap &thrown) {
    CHECK(std::string(thrown.what()) == "try 3");
  }

  weir::operation first{runtime, [] { return 1; }};
  CHECK_THROWS_AS(runtime.get_result(weir::waterfall(first, throws).run()).value(), mishap);

  auto race = runtime.get_result(weir::any(throws, throws).run());
  REQUIRE_FALSE(race);
  CHECK(race.error().status() == weir::status::aggregate);
  auto causes = race.error().causes();
  REQUIRE(causes.size() == 2);
  CHECK(causes[1].index() == 1);
  CHECK_THROWS_AS(causes[1].raise(), mishap);
  CHECK_THROWS_AS(race.value(), weir::aggregate_error);
}

TEST_CASE("exceptions of any type pass") {
  weir::testing::runtime runtime;
  weir::operation number{runtime, []() -> int { throw 42; }};
  CHECK_THROWS_AS(runtime.get_result(number.run()).value(), int);
  weir::operation system{runtime, []() -> int {
                           throw std::system_error(std::make_error_code(std::errc::timed_out));
                         }};
  auto result = runtime.get_result(system.run());
  CHECK(result.error().domain() == weir::domain::error_number);
  CHECK(result.error().code() == ETIMEDOUT);
}

TEST_CASE("an exception of weir's own keeps its code, and says when to try again") {
  weir::testing::runtime runtime;
  weir::operation nested{
      runtime,
      []() -> int { weir::error(503, "busy", weir::domain::http).with_retry_after(7s).raise(); }};
  auto result = runtime.get_result(nested.run());
  CHECK(result.error().code() == 503);
  CHECK(result.error().retry_after() == 7s);
  CHECK_THROWS_AS(result.value(), weir::failed_error);
}

TEST_CASE("a completer completes from another thread, once") {
  weir::runtime runtime;
  bool second = true;
  weir::operation later{runtime, [&](weir::completer<int> done) {
                          std::thread([&second, done = std::move(done)]() mutable {
                            done.complete(5);
                            second = done.complete(6);
                          }).join();
                        }};
  CHECK(later.run().get().value() == 5);
  CHECK_FALSE(second);
}

TEST_CASE("a completer that is dropped fails its attempt") {
  weir::testing::runtime runtime;
  weir::operation drops{runtime, [](weir::completer<int>) {}};
  auto result = runtime.get_result(drops.run());
  REQUIRE_FALSE(result);
  CHECK(result.error().message() == "the completer was dropped without completing");
}

TEST_CASE("what a function throws before it completes is the failure, not the dropped completer") {
  weir::testing::runtime runtime;
  weir::operation throws{runtime, [](weir::completer<int> done) {
                           auto mine = std::move(done);
                           throw mishap("begun");
                         }};
  CHECK_THROWS_AS(runtime.get_result(throws.run()).value(), mishap);

  weir::operation caught{runtime, [](weir::completer<int> done) {
                           try {
                             auto mine = std::move(done);
                             throw mishap("inside");
                           } catch (const mishap &) {
                           }
                         }};
  auto result = runtime.get_result(caught.run());
  CHECK(result.error().message() == "the completer was dropped without completing");
}

TEST_CASE("a completer that was given away before the function throws loses") {
  weir::testing::runtime runtime;
  std::optional<weir::completer<int>> kept;
  weir::operation throws{runtime, [&](weir::completer<int> done) {
                           kept.emplace(std::move(done));
                           throw mishap("too late");
                         }};
  CHECK_THROWS_AS(runtime.get_result(throws.run()).value(), mishap);
  CHECK_FALSE(kept->complete(1));
}

TEST_CASE("an exception may be handed to a completer") {
  weir::testing::runtime runtime;
  weir::operation later{runtime, [](weir::completer<int> done) {
                          done.fail(std::make_exception_ptr(mishap("far away")));
                        }};
  CHECK_THROWS_AS(runtime.get_result(later.run()).value(), mishap);
}

TEST_CASE("an attempt is told to stop, and why") {
  weir::testing::runtime runtime;
  weir::cancel_reason told = weir::cancel_reason::none;
  weir::cancel_token token;
  weir::operation waits{runtime, [&](weir::attempt &attempt, weir::completer<int> done) {
                          token = attempt.cancel_token();
                          attempt.on_cancel([&, done = std::make_shared<weir::completer<int>>(
                                                    std::move(done))](weir::cancel_reason why) {
                            told = why;
                            done->fail(1);
                          });
                        }};
  auto call = waits.run();
  runtime.run_until_idle();
  CHECK_FALSE(token.cancelled());
  CHECK(call.cancel());
  auto result = runtime.get_result(call);
  CHECK(result.error().status() == weir::status::cancelled);
  CHECK(result.error().cancel_reason() == weir::cancel_reason::caller);
  CHECK(told == weir::cancel_reason::caller);
  CHECK(token.reason() == weir::cancel_reason::caller);
  CHECK(runtime.stats().orphans == 0);
}

TEST_CASE("an attempt sees its number, key, time and context") {
  weir::testing::runtime runtime;
  int context = 3;
  weir::operation looks{runtime, [&](weir::attempt &attempt) {
                          CHECK(attempt.number() == 1);
                          CHECK(attempt.key() == "tenant");
                          CHECK(attempt.remaining() == 2s);
                          CHECK(attempt.context() == &context);
                          CHECK_FALSE(attempt.failed().has_value());
                          CHECK_FALSE(attempt.scope());
                        }};
  CHECK(runtime.get_result(looks.run({.deadline = 2s, .key = "tenant", .context = &context})));
}

TEST_CASE("a failure may be final, or say when to try again") {
  weir::testing::runtime runtime;
  weir::retry retry{runtime, {.max_attempts = 5}};
  int tries = 0;
  weir::operation final{runtime, [&]() -> weir::result<int> {
                          ++tries;
                          return weir::error(400, "bad request").as_final();
                        }};
  auto result = runtime.get_result(final.with(retry).run());
  CHECK(tries == 1);
  CHECK(result.error().is_final());
  CHECK(result.error().stop_reason() == weir::stop_reason::final);

  weir::operation asks{runtime, [](weir::attempt &attempt) -> weir::result<int> {
                         if (attempt.number() > 1) return 1;
                         return weir::error(429, "slow down").with_retry_after(7s);
                       }};
  auto began = runtime.now();
  CHECK(runtime.get_result(asks.with(retry).run()).has_value());
  CHECK(runtime.now() - began == 7s);
}

TEST_CASE("a value may be judged a failure by who completes it") {
  weir::testing::runtime runtime;
  weir::retry retry{runtime, {.max_attempts = 2}};
  weir::operation pending{
      runtime, [] {
        return weir::judged<std::string>{"PENDING", weir::classification::failure};
      }};
  auto result = runtime.get_result(pending.with(retry).run());
  REQUIRE_FALSE(result);
  CHECK(result.error().status() == weir::status::exhausted);
  REQUIRE(result.error().detail_as<std::string>() != nullptr);
  CHECK(*result.error().detail_as<std::string>() == "PENDING");
}

TEST_CASE("what blocks runs on a pool and may throw") {
  weir::runtime runtime;
  auto here = std::this_thread::get_id();
  auto blocks = weir::blocking(runtime, [here](int n) {
    CHECK((std::this_thread::get_id() != here));
    if (n < 0) throw mishap("negative");
    return n + 1;
  });
  CHECK(blocks.run(1).get().value() == 2);
  CHECK_THROWS_AS(blocks.run(-1).get().value(), mishap);
  weir::testing::runtime manual;
  CHECK_THROWS_AS(weir::blocking(manual, [] {}), weir::state_error);
}

namespace {

struct shy {
  shy() = default;
  shy(const shy &) { throw mishap("not to be copied"); }
};

}  // namespace

TEST_CASE("what copying an input throws is the attempt's failure") {
  weir::testing::runtime runtime;
  weir::operation takes{runtime, [](shy) { return 1; }};
  weir::value input = weir::value::of(std::make_shared<int>(1));
  CHECK_THROWS_AS(takes.run(shy()), mishap);
  auto wrong = takes.as<int, std::shared_ptr<int>>().run(std::make_shared<int>(1));
  CHECK(runtime.get_result(wrong).error().status() == weir::status::failed);
}

TEST_CASE("an operation's function is freed once nothing can start it") {
  auto owned = std::make_shared<int>(0);
  {
    weir::testing::runtime runtime;
    weir::operation keeps{runtime, [owned] { return *owned; }};
    CHECK(runtime.get_result(keeps.run()).value() == 0);
  }
  CHECK(owned.use_count() == 1);
}
