// SPDX-License-Identifier: MIT
//
// Results, errors, and which exception each becomes.
#include "support.hpp"

using support::mishap;

TEST_CASE("a result holds a value or an error") {
  weir::result<int> good = 7;
  weir::result<int> bad = weir::error(5, "five");
  CHECK(good.has_value());
  CHECK(*good == 7);
  CHECK(good.value() == 7);
  CHECK_FALSE(bad);
  CHECK(bad.error().status() == weir::status::failed);
  CHECK(bad.error().code() == 5);
  CHECK(bad.error().message() == "five");
  CHECK(bad.error().domain() == weir::domain::user);
  CHECK(bad.value_or(9) == 9);
}

TEST_CASE("results chain") {
  auto half = [](int n) -> weir::result<int> {
    if (n % 2 != 0) return weir::error(1, "odd");
    return n / 2;
  };
  CHECK(weir::result<int>(8).and_then(half).and_then(half).value() == 2);
  CHECK(weir::result<int>(6).and_then(half).and_then(half).error().message() == "odd");
  CHECK(weir::result<int>(6).transform([](int n) { return std::to_string(n); }).value() == "6");
  CHECK(weir::result<int>(3)
            .and_then(half)
            .or_else([](weir::error) -> weir::result<int> { return 4; })
            .value() == 4);
  weir::result<void> nothing;
  CHECK(nothing.and_then([&] { return half(4); }).value() == 2);
  CHECK(nothing.transform([] { return 3; }).value() == 3);
}

TEST_CASE("a result of what can only be moved gives it away") {
  weir::result<std::unique_ptr<int>> owner = std::make_unique<int>(3);
  std::unique_ptr<int> taken = std::move(owner).value();
  CHECK(*taken == 3);
}

TEST_CASE("value() throws by status") {
  auto throws = [](weir::status status) { weir::result<int>(weir::error(status)).value(); };
  CHECK_THROWS_AS(throws(weir::status::open), weir::open_error);
  CHECK_THROWS_AS(throws(weir::status::open), weir::refused_error);
  CHECK_THROWS_AS(throws(weir::status::limited), weir::limited_error);
  CHECK_THROWS_AS(throws(weir::status::full), weir::full_error);
  CHECK_THROWS_AS(throws(weir::status::no_time), weir::no_time_error);
  CHECK_THROWS_AS(throws(weir::status::timed_out), weir::timeout_error);
  CHECK_THROWS_AS(throws(weir::status::cancelled), weir::cancelled_error);
  CHECK_THROWS_AS(throws(weir::status::superseded), weir::superseded_error);
  CHECK_THROWS_AS(throws(weir::status::closed), weir::closed_error);
  CHECK_THROWS_AS(throws(weir::status::failed), weir::failed_error);
  CHECK_THROWS_AS(throws(weir::status::aggregate), weir::aggregate_error);
  CHECK_THROWS_AS(throws(weir::status::exhausted), weir::exhausted_error);
  CHECK_THROWS_AS(throws(weir::status::invalid), weir::invalid_error);
  CHECK_THROWS_AS(throws(weir::status::not_found), weir::not_found_error);
  CHECK_THROWS_AS(throws(weir::status::exists), weir::exists_error);
  CHECK_THROWS_AS(throws(weir::status::no_memory), weir::memory_error);
  CHECK_THROWS_AS(throws(weir::status::forked), weir::state_error);
}

TEST_CASE("an exception carries its error") {
  try {
    weir::result<int>(weir::error(404, "no such page", weir::domain::http)).value();
    FAIL("it did not throw");
  } catch (const weir::exception &thrown) {
    CHECK(thrown.error().code() == 404);
    CHECK(thrown.error().domain() == weir::domain::http);
    CHECK(std::string(thrown.what()) == "no such page");
    CHECK(thrown.status() == weir::status::failed);
  }
}

TEST_CASE("an error carries an object and a cause") {
  struct reply {
    std::string body;
  };
  weir::error inner(1, "inner");
  weir::error outer = weir::error(2, "outer").with_detail(reply{"text"}).with_cause(inner);
  REQUIRE(outer.detail_as<reply>() != nullptr);
  CHECK(outer.detail_as<reply>()->body == "text");
  CHECK(outer.detail_as<int>() == nullptr);
  REQUIRE(outer.causes().size() == 1);
  CHECK(outer.causes()[0].message() == "inner");
}

TEST_CASE("an illegal option is an exception from the constructor and a result from make()") {
  weir::testing::runtime runtime;
  CHECK_THROWS_AS(weir::retry(runtime, {.max_attempts = 0}), weir::invalid_error);
  weir::result<weir::retry> made = weir::retry::make(runtime, {.max_attempts = 0});
  REQUIRE_FALSE(made);
  CHECK(made.error().status() == weir::status::invalid);
  CHECK(made.error().message().find("max_attempts") != std::string_view::npos);
}

TEST_CASE("functions that options carry are shared by their copies and freed once") {
  auto owned = std::make_shared<int>(1);
  {
    weir::function<int(int)> add = [owned, only = std::make_unique<int>(2)](int n) {
      return n + *owned + *only;
    };
    weir::function<int(int)> same = add;
    CHECK(add(1) == 4);
    CHECK(same(2) == 5);
    CHECK(owned.use_count() == 2);
  }
  CHECK(owned.use_count() == 1);
  CHECK_FALSE(weir::function<void()>());
}
