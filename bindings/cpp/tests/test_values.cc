// SPDX-License-Identifier: MIT
//
// Value semantics: what is left after a move, after a copy that threw, and which handles are equal.
#include <unordered_set>

#include "support.hpp"

using support::mishap;

namespace {

// Throws when it is copied while `bombs` says so.
struct fragile {
  fragile() = default;
  explicit fragile(int given) : number(given) {}
  fragile(const fragile &other) : number(other.number) { explode(); }
  fragile(fragile &&other) : number(other.number) { explode(); }
  fragile &operator=(const fragile &other) {
    explode();
    number = other.number;
    return *this;
  }
  fragile &operator=(fragile &&other) {
    explode();
    number = other.number;
    return *this;
  }
  static void explode() {
    if (bombs > 0 && --bombs == 0) throw mishap("burst");
  }

  int number = 0;
  static int bombs;
};
int fragile::bombs = 0;

static_assert(std::is_nothrow_copy_constructible_v<weir::error>);
static_assert(std::is_nothrow_move_constructible_v<weir::error>);
static_assert(std::is_nothrow_copy_constructible_v<weir::exception>);
static_assert(std::is_nothrow_move_constructible_v<weir::result<std::string>>);
static_assert(std::is_nothrow_move_constructible_v<weir::result<std::unique_ptr<int>>>);
static_assert(!std::is_copy_constructible_v<weir::result<std::unique_ptr<int>>>);
static_assert(!std::is_copy_assignable_v<weir::result<std::unique_ptr<int>>>);
static_assert(!std::is_nothrow_move_constructible_v<weir::result<fragile>>);
static_assert(std::is_copy_constructible_v<weir::result<std::vector<int>>>);
static_assert(!std::is_convertible_v<int, weir::result<std::vector<int>>>);
static_assert(std::is_convertible_v<const char *, weir::result<std::string>>);
static_assert(std::is_nothrow_move_constructible_v<weir::call<int>>);
static_assert(std::is_nothrow_move_constructible_v<weir::operation<int>>);
static_assert(std::is_nothrow_move_constructible_v<weir::breaker>);
static_assert(std::is_nothrow_move_constructible_v<weir::completer<int>>);
static_assert(!std::is_copy_constructible_v<weir::completer<int>>);

}  // namespace

TEST_CASE("a result is assigned in all four ways, and to itself") {
  weir::result<std::string> good = "good";
  weir::result<std::string> bad = weir::error(1, "bad");
  weir::result<std::string> it = good;
  it = bad;
  CHECK(it.error().message() == "bad");
  it = weir::error(2, "worse");
  CHECK(it.error().message() == "worse");
  it = good;
  CHECK(*it == "good");
  it = weir::result<std::string>("better");
  CHECK(*it == "better");
  auto &same = it;
  it = same;
  CHECK(*it == "better");
  it = std::move(same);
  CHECK(*it == "better");
  weir::result<std::string> taken = std::move(it);
  CHECK(*taken == "better");
  CHECK(it.has_value());
}

TEST_CASE("a result whose value cannot be made keeps its error") {
  weir::result<fragile> target = weir::error(7, "kept");
  weir::result<fragile> source = weir::result<fragile>(fragile(3));
  fragile::bombs = 1;
  CHECK_THROWS_AS(target = source, mishap);
  REQUIRE_FALSE(target.has_value());
  CHECK(target.error().message() == "kept");
  fragile::bombs = 1;
  CHECK_THROWS_AS(target = std::move(source), mishap);
  CHECK(target.error().code() == 7);
  target = source;
  CHECK(target->number == 3);
}

TEST_CASE("a result becomes one of a type that its value becomes") {
  weir::result<int> number = 3;
  weir::result<long> wide = number;
  CHECK(*wide == 3);
  weir::result<std::string> text = weir::result<const char *>("text");
  CHECK(*text == "text");
  weir::result<long> failed = weir::result<int>(weir::error(1, "one"));
  CHECK(failed.error().message() == "one");
}

TEST_CASE("an error of a status keeps its number when it gets a detail") {
  weir::error plain(weir::status::open);
  CHECK(plain.code() == WEIR_EOPEN);
  weir::error detailed = weir::error(weir::status::open).with_detail(std::string("more"));
  CHECK(detailed.code() == WEIR_EOPEN);
  CHECK(detailed.status() == weir::status::open);
  CHECK(*detailed.detail_as<std::string>() == "more");
}

TEST_CASE("a function of nothing is empty") {
  weir::function<void()> none = static_cast<void (*)()>(nullptr);
  CHECK_FALSE(none);
  weir::function<int(int)> narrow;
  weir::function<long(int)> wide = narrow;
  CHECK_FALSE(wide);
  narrow = [](int n) { return n + 1; };
  wide = narrow;
  CHECK(wide(1) == 2);
  weir::function<int(int)> &same = narrow;
  narrow = std::move(same);
  CHECK(narrow(1) == 2);
}

TEST_CASE("handles of one object are equal, and may be keys") {
  weir::testing::runtime runtime;
  weir::breaker breaker{runtime};
  weir::breaker copy = breaker;
  weir::breaker other{runtime};
  CHECK((breaker == copy));
  CHECK((breaker != other));
  weir::operation one{runtime, [] { return 1; }};
  auto same = one;
  CHECK((one == same));
  CHECK((one != one.with(breaker)));
  std::unordered_set<weir::policy> policies{breaker, copy, other};
  CHECK(policies.size() == 2);
  std::unordered_set<weir::operation<int>> operations{one, same};
  CHECK(operations.size() == 1);
  weir::budget budget{runtime};
  CHECK((budget == weir::budget(budget)));
  CHECK((runtime == weir::runtime(runtime)));
}

TEST_CASE("what was moved from is empty, and says so instead of crashing") {
  weir::testing::runtime runtime;
  weir::breaker breaker{runtime};
  weir::breaker moved = std::move(breaker);
  CHECK_FALSE(breaker);
  CHECK(breaker.native() == nullptr);
  CHECK_FALSE(breaker.acquire());
  CHECK(breaker.stats().succeeded == 0);
  CHECK_FALSE(breaker.set_options({}));
  CHECK(moved.acquire());

  weir::cache<int, int> cache{runtime};
  auto held = std::move(cache);
  CHECK_FALSE(cache.lookup(1));
  CHECK(cache.make_loader([](int n) { return n; }).error().status() == weir::status::invalid);

  weir::operation one{runtime, [] { return 1; }};
  auto two = std::move(one);
  CHECK(one.run().get().error().status() == weir::status::invalid);
  CHECK_THROWS_AS(one.with(moved), weir::invalid_error);

  auto call = two.run();
  auto taken = std::move(call);
  CHECK_FALSE(call.started());
  CHECK(call.get().error().status() == weir::status::invalid);
  CHECK(call.take().error().status() == weir::status::invalid);
  CHECK(weir::call<int>().get().error().status() == weir::status::invalid);
  CHECK(runtime.get_result(taken).value() == 1);
}

TEST_CASE("a permit that is moved to itself stays") {
  weir::testing::runtime runtime;
  weir::limiter limiter{runtime, {.max_concurrent = 1}};
  auto permit = limiter.try_acquire();
  auto &same = permit;
  permit = std::move(same);
  CHECK(limiter.stats().concurrent == 1);
  permit = limiter.try_acquire();
  CHECK(limiter.stats().concurrent == 0);

  weir::breaker breaker{runtime};
  auto leave = breaker.acquire();
  auto &mine = leave;
  leave = std::move(mine);
  CHECK(leave.succeed() == weir::status::ok);
  CHECK(breaker.stats().succeeded == 1);
}
