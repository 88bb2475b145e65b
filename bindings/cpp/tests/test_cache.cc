// SPDX-License-Identifier: MIT
//
// Caches, memoize, flights, debounce and throttle.
#include "support.hpp"

namespace {

struct user_id {
  std::string text;
};

}  // namespace

template <>
struct weir::key_traits<user_id> {
  static std::string bytes(const user_id &key) { return "user/" + key.text; }
  static user_id read(std::string_view bytes) { return {std::string(bytes.substr(5))}; }
};

TEST_CASE("a cache holds typed values, shared and not copied") {
  weir::testing::runtime runtime;
  weir::cache<std::string, support::counted> cache{runtime, {.max_entries = 10, .ttl = 60s}};
  CHECK_FALSE(cache.lookup("x"));
  CHECK(cache.put("x", support::counted(1)));
  auto hit = cache.lookup("x");
  REQUIRE(hit);
  CHECK(hit->number == 1);
  CHECK(*hit->copies == 0);
  CHECK(cache.put("x", support::counted(2)));
  CHECK(hit->number == 1);
  CHECK(cache.put_if_absent("x", support::counted(3)).value()->number == 2);
  CHECK(cache.touch("x", 5s));
  runtime.advance(5s);
  CHECK_FALSE(cache.lookup("x"));
  CHECK(cache.put("y", support::counted(1), weir::forever));
  CHECK(cache.invalidate("y"));
  CHECK_FALSE(cache.invalidate("y"));
}

TEST_CASE("keys are strings, numbers, or what key_traits says") {
  weir::testing::runtime runtime;
  weir::cache<int, int> numbers{runtime};
  CHECK(numbers.put(5, 25));
  CHECK(*numbers.lookup(5) == 25);
  CHECK_FALSE(numbers.lookup(6));
  weir::cache<user_id, int> users{runtime};
  CHECK(users.put({"ann"}, 1));
  CHECK(*users.lookup({"ann"}) == 1);
  std::string seen;
  CHECK(users.scan([&](const user_id &key, const weir::shared<int> &) { seen = key.text; }));
  CHECK(seen == "ann");
}

TEST_CASE("gets that wait for one key load once, by value or failure") {
  weir::testing::runtime runtime;
  weir::cache<std::string, std::string> cache{runtime, {.stale_if_error = 1h}};
  int loads = 0;
  bool up = true;
  auto load =
      cache.loader([&](const std::string &id, weir::attempt &) -> weir::result<std::string> {
        ++loads;
        if (!up) throw support::mishap("down");
        return "profile of " + id;
      });
  auto one = cache.get("ann", load);
  auto two = cache.get("ann", load);
  std::string told;
  cache.get("ann", load, [&](weir::result<std::string> result) { told = result.value(); });
  CHECK(runtime.get_result(one).value() == "profile of ann");
  CHECK(runtime.get_result(two).value() == "profile of ann");
  CHECK(told == "profile of ann");
  CHECK(loads == 1);
  up = false;
  runtime.advance(301s);
  CHECK(runtime.get_result(cache.get("ann", load)).value() == "profile of ann");
  CHECK_THROWS_AS(runtime.get_result(cache.get("bob", load)).value(), support::mishap);
  CHECK(cache.stats().stale_hits == 1);
}

TEST_CASE("a loader may complete later, and stand under policies") {
  weir::testing::runtime runtime;
  weir::cache<int, int> cache{runtime};
  int tries = 0;
  auto load = cache.loader([&](int key, weir::completer<int> done) {
    if (++tries < 3) {
      done.fail(1, "not yet");
    } else {
      done.complete(key * 2);
    }
  });
  weir::retry retry{runtime};
  auto getting = cache.getting(load.with(retry));
  int key = 21;
  CHECK(runtime.get_result(getting.run({.deadline = 1min, .key = weir::key_bytes(key)})).value() ==
        42);
  CHECK(tries == 3);
}

TEST_CASE("many keys are loaded in one run") {
  weir::testing::runtime runtime;
  weir::cache<int, std::string> cache{runtime};
  CHECK(cache.put(1, "one"));
  std::vector<int> asked;
  auto load = cache.bulk_loader([&](const std::vector<int> &keys) {
    asked = keys;
    std::vector<weir::result<std::string>> values;
    for (int key : keys) {
      if (key == 3) {
        values.push_back(weir::error(3, "no three"));
      } else {
        values.push_back(std::to_string(key));
      }
    }
    return values;
  });
  auto list = runtime.get_result(cache.get_many({1, 2, 3}, load)).value();
  REQUIRE(list.size() == 3);
  CHECK(*list[0] == "one");
  CHECK(*list[1] == "2");
  CHECK(list[2].error().message() == "no three");
  CHECK(asked == std::vector<int>{2, 3});
  auto again = runtime.get_result(cache.getting_many(load).run({{1, 4}}, {.deadline = 1s})).value();
  REQUIRE(again.size() == 2);
  CHECK(*again[1] == "4");
  CHECK(cache.put(9, "nine", 5s, runtime.now()));
  CHECK(cache.put(9, "nine", runtime.now()));
  CHECK(cache.touch(9, 1s, runtime.now()));
  CHECK(*cache.lookup(9, runtime.now()) == "nine");
}

TEST_CASE("a cache asks what an entry weighs and how long it lives, and tells what left") {
  weir::testing::runtime runtime;
  std::vector<std::pair<int, weir::evict_cause>> left;
  weir::cache<int, std::string> cache{
      runtime,
      {.max_weight = 10,
       .weigh = [](const int &,
                   const std::string &value) { return static_cast<std::int64_t>(value.size()); },
       .expire = [](weir::expire_moment, const int &key, const std::string &,
                    std::optional<weir::nanoseconds>) { return weir::milliseconds(key * 1000); },
       .on_evict =
           [&](const int &key, const std::string &, weir::evict_cause cause) {
             left.push_back({key, cause});
           }}};
  CHECK(cache.put(1, "one"));
  CHECK(cache.put(2, "two too long for it").error().status() == weir::status::full);
  CHECK(cache.stats().weight == 3);
  runtime.advance(999ms);
  CHECK(cache.lookup(1));
  runtime.advance(2s);
  CHECK_FALSE(cache.lookup(1));
  REQUIRE(left.size() == 1);
  CHECK(left[0].second == weir::evict_cause::expired);
  CHECK(cache.set_label("part", "users"));
}

TEST_CASE("a memoized operation runs once for each input") {
  weir::testing::runtime runtime;
  int runs = 0;
  weir::operation size{runtime, [&](const std::string &text) {
                         ++runs;
                         return text.size();
                       }};
  weir::memoize sizes{runtime, size, {.max_entries = 10}};
  CHECK(runtime.get_result(sizes("abc")).value() == 3);
  CHECK(runtime.get_result(sizes("abc")).value() == 3);
  CHECK(runtime.get_result(sizes(std::string(100, 'x'))).value() == 100);
  CHECK(runs == 2);
  CHECK(sizes.cache().invalidate("abc"));
  CHECK(runtime.get_result(sizes("abc")).value() == 3);
  CHECK(runs == 3);
}

TEST_CASE("a memoized operation keeps inputs apart whatever their type") {
  weir::testing::runtime runtime;
  weir::operation twice{runtime, [](std::optional<int> n) { return n.value_or(0) * 2; }};
  struct pair {
    int a, b;
  };
  weir::operation sum{runtime, [](const pair &two) { return two.a + two.b; }};
  weir::memoize sums{runtime, sum};
  CHECK(runtime.get_result(sums({1, 2})).value() == 3);
  CHECK(runtime.get_result(sums({2, 2})).value() == 4);
  CHECK(runtime.get_result(twice.run(std::nullopt)).value() == 0);
  CHECK(runtime.get_result(twice.run(4)).value() == 8);
}

TEST_CASE("runs that overlap with one key do the work once") {
  weir::testing::runtime runtime;
  weir::flight<int> flight{runtime, {.timeout = 1min}};
  int runs = 0;
  weir::operation work{runtime, [&](const std::string &text) {
                         ++runs;
                         return text;
                       }};
  auto one = flight.run(1, work, "first");
  auto two = flight.run(1, work, "second");
  auto other = flight.run(2, work, "other");
  CHECK(runtime.get_result(one).value() == "first");
  CHECK(runtime.get_result(two).value() == "first");
  CHECK(runtime.get_result(other).value() == "other");
  CHECK(runs == 2);
  CHECK(flight.stats().shared == 1);
  flight.forget(1);
}

TEST_CASE("a debounce runs once a burst is over, with the latest") {
  weir::testing::runtime runtime;
  std::vector<std::string> searched;
  weir::debounce search{runtime,
                        weir::operation{runtime,
                                        [&](const std::string &text) {
                                          searched.push_back(text);
                                          return text.size();
                                        }},
                        {.wait = 300ms}};
  auto first = search("we");
  auto second = search("wei");
  auto third = search("weir");
  auto other = search("river", {.key = "second box"});
  CHECK(runtime.get_result(first).error().status() == weir::status::superseded);
  CHECK(runtime.get_result(second).error().status() == weir::status::superseded);
  CHECK(runtime.get_result(third).value() == 4);
  CHECK(runtime.get_result(other).value() == 5);
  CHECK(searched == std::vector<std::string>{"weir", "river"});
  CHECK(search.touch("later"));
  CHECK(search.pending() == 1);
  search.flush();
  runtime.run_until_idle();
  CHECK(searched.back() == "later");
  CHECK(search.touch("never"));
  search.cancel();
  runtime.advance(1s);
  CHECK(searched.back() == "later");
  CHECK(search.set_options({.wait = 10ms}));
  CHECK(search.stats().runs == 3);
}

TEST_CASE("a throttle runs at most once in an interval") {
  weir::testing::runtime runtime;
  std::vector<int> reported;
  weir::throttle report{runtime,
                        weir::operation{runtime, [&](int percent) { reported.push_back(percent); }},
                        {.interval = 100ms}};
  for (int i = 0; i < 10; ++i) {
    CHECK(report.touch(i));
    runtime.advance(25ms);
  }
  runtime.advance(1s);
  CHECK(reported.front() == 0);
  CHECK(reported.back() == 9);
  CHECK(reported.size() == 4);
}

TEST_CASE("a cache holds what other languages put there, and gives them what they read") {
  weir::testing::runtime runtime;
  weir::cache<std::string, std::string> cache{runtime};
  CHECK_FALSE(cache.lookup_value("none").has_value());
  REQUIRE(cache.put_value("bytes", weir::value::of_bytes("raw")));
  REQUIRE(cache.put_value("soon", weir::value::of_bytes("gone"), 1s));
  REQUIRE(cache.put_value("nothing", weir::value()));
  CHECK(cache.lookup_value("bytes")->bytes() == "raw");
  CHECK_FALSE(cache.lookup_value("nothing").value());
  char buffer[2] = {};
  CHECK(cache.lookup_copy("bytes", buffer, sizeof buffer).value() == 3);
  CHECK(std::string_view(buffer, 2) == "ra");
  CHECK(cache.lookup_copy("bytes", buffer, sizeof buffer, runtime.now()).value() == 3);
  CHECK(cache.lookup_copy("none", buffer, 2).error().status() == weir::status::not_found);
  REQUIRE(cache.put("mine", "typed"));
  CHECK(*cache.lookup_value("mine")->as<std::string>() == "typed");
  CHECK(cache.lookup_copy("mine", buffer, 2).error().status() == weir::status::unsupported);
  runtime.advance(2s);
  CHECK_FALSE(cache.lookup_value("soon").has_value());
}

TEST_CASE("putting what is absent may name its time") {
  weir::testing::runtime runtime;
  weir::cache<int, int> cache{runtime, {.ttl = 1s}};
  auto began = runtime.now();
  CHECK_FALSE(cache.put_if_absent(1, 10, began).value());
  CHECK(*cache.put_if_absent(1, 11, began).value() == 10);
  CHECK_FALSE(cache.put_if_absent(1, 12, began + 2s).value());
  CHECK(*cache.lookup(1, began + 2s) == 12);
}

TEST_CASE("a flight takes an input and tells a function") {
  weir::testing::runtime runtime;
  weir::flight<int> flight{runtime};
  weir::operation twice{runtime, [](int n) { return 2 * n; }};
  int told = 0;
  flight.run(1, twice, 4, [&](weir::result<int> result) { told += result.value(); });
  CHECK(runtime.get_result(flight.run(1, twice, 5)).value() == 8);
  CHECK(told == 8);
}
