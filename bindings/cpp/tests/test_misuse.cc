// SPDX-License-Identifier: MIT
//
// What users do by mistake: values whose functions throw, numbers out of range, values of others,
// ends in the wrong order, calls from inside of calls.
#include <limits>

#include "support.hpp"

using support::mishap;

namespace {

// Throws at the move or copy that `fuse` counts down to.
struct volatile_value {
  explicit volatile_value(int given) : number(given) {}
  volatile_value(const volatile_value &other) : number(other.number) { burn(); }
  volatile_value(volatile_value &&other) : number(other.number) { burn(); }
  volatile_value &operator=(const volatile_value &) = default;

  static void burn() {
    if (fuse > 0 && --fuse == 0) throw mishap("burst");
  }
  int number;
  std::string ballast = "not to be packed";
  static int fuse;
};
int volatile_value::fuse = 0;

}  // namespace

TEST_CASE("a completer whose value throws on the way may still complete") {
  weir::testing::runtime runtime;
  bool thrown = false;
  weir::operation careful{runtime, [&](weir::completer<volatile_value> done) {
                            volatile_value value(3);
                            volatile_value::fuse = 2;
                            try {
                              done.complete(value);
                            } catch (const mishap &) {
                              thrown = true;
                            }
                            volatile_value::fuse = 0;
                            CHECK(done);
                            CHECK(done.complete(value));
                            CHECK_FALSE(done);
                          }};
  CHECK(runtime.get_result(careful.run()).value().number == 3);
  CHECK(thrown);
}

TEST_CASE("whichever move or copy of a value throws, the run settles") {
  int failed = 0;
  for (int fuse = 1; fuse <= 24; ++fuse) {
    weir::testing::runtime runtime;
    int told = 0;
    volatile_value::fuse = 0;
    weir::operation later{runtime, [](weir::completer<volatile_value> done) {
                            volatile_value value(1);
                            done.complete(std::move(value));
                          }};
    weir::operation at_once{runtime, [] { return volatile_value(2); }};
    volatile_value::fuse = fuse;
    for (auto *operation : {&later, &at_once}) {
      operation->run({}, [&](const weir::result<volatile_value> &result) {
        ++told;
        if (!result) {
          ++failed;
          CHECK_THROWS_AS(result.error().raise(), mishap);
        }
      });
    }
    runtime.run_until_idle();
    CHECK(told == 2);
    CHECK(runtime.stats().live_calls == 0);
    CHECK(runtime.stats().orphans == 0);
  }
  volatile_value::fuse = 0;
  CHECK(failed >= 2);
}

TEST_CASE("numbers out of range do not leave an attempt open") {
  weir::testing::runtime runtime;
  weir::operation negative{
      runtime, []() -> weir::result<int> { return weir::error(1, "one").with_retry_after(-5s); }};
  CHECK(runtime.get_result(negative.run()).error().message() == "one");
  weir::operation judged{
      runtime, [] {
        return weir::judged<int>{4, static_cast<weir::classification>(77), false, -7s};
      }};
  CHECK(runtime.get_result(judged.run()).value() == 4);
  weir::operation strange{runtime, []() -> weir::result<int> {
                            return weir::error(2).with_class(static_cast<weir::classification>(9));
                          }};
  CHECK(runtime.get_result(strange.run()).error().code() == 2);
  weir::operation ok{runtime, []() -> weir::result<int> { return weir::error(weir::status::ok); }};
  CHECK_FALSE(runtime.get_result(ok.run()).has_value());
}

TEST_CASE("what blocks and fails with no failure has failed") {
  weir::runtime runtime;
  auto odd =
      weir::blocking(runtime, []() -> weir::result<int> { return weir::error(weir::status::ok); });
  CHECK(odd.run().get().error().status() == weir::status::failed);
}

TEST_CASE("times that are zero, negative and huge are taken or refused, not miscounted") {
  weir::testing::runtime runtime;
  constexpr auto most = weir::milliseconds::max();
  CHECK(runtime.get_result(weir::sleep(runtime, 0ms).run()).has_value());
  CHECK_THROWS_AS(weir::sleep(runtime, -2ms), weir::invalid_error);
  CHECK(weir::make_sleep(runtime, weir::milliseconds::min()).error().status() ==
        weir::status::invalid);
  auto long_sleep = weir::sleep(runtime, most).run();
  runtime.advance(1h);
  CHECK_FALSE(long_sleep.done());
  CHECK(long_sleep.cancel());
  runtime.run_until_idle();
  weir::operation one{runtime, [] { return 1; }};
  CHECK(runtime.get_result(one.run({.deadline = most})).value() == 1);
  CHECK(one.run({.deadline = weir::milliseconds::min()}).start_error().status() ==
        weir::status::invalid);
  weir::timeout timeout{runtime, most};
  CHECK(runtime.get_result(one.run({.policy = timeout})).value() == 1);
  CHECK(runtime.advance(-1ms) == 0);
  weir::retry retry{runtime, {.max_attempts = 3, .base_delay = most, .max_delay = most}};
  auto call = support::fails(runtime, 9).with(retry).run({.deadline = 10s});
  CHECK_FALSE(runtime.get_result(call).has_value());
  weir::cache<int, int> cache{runtime, {.ttl = most}};
  CHECK(cache.put(1, 1));
  CHECK(cache.lookup(1));
}

TEST_CASE("values that others made are told apart, whatever their pointers point to") {
  weir::testing::runtime runtime;
  weir_value *foreign = nullptr;
  REQUIRE(weir_value_new_pointer(runtime.get(), reinterpret_cast<void *>(1), nullptr, &foreign) ==
          WEIR_OK);
  weir::value odd(weir::detail::value_handle::adopt(foreign));
  CHECK(odd.as<std::string>() == nullptr);
  CHECK(odd.as<int>() == nullptr);

  weir::cache<std::string, std::string> cache{runtime};
  REQUIRE(cache.put_value("odd", odd));
  CHECK_FALSE(cache.lookup("odd"));
  CHECK(cache.put_if_absent("odd", "mine").error().status() == weir::status::exists);
  auto load = cache.loader([](const std::string &) { return std::string("loaded"); });
  CHECK(runtime.get_result(cache.get("odd", load)).error().status() == weir::status::invalid);
  weir::operation takes{runtime, [](const std::string &text) { return text; }};
  auto given = takes.as<std::string, weir::value>().run(odd);
  CHECK(runtime.get_result(given).error().code() == WEIR_EINVAL);
}

TEST_CASE("a runtime that goes closes, though copies of it are left") {
  std::optional<weir::runtime> copy;
  std::optional<weir::operation<int>> operation;
  bool told = false;
  {
    weir::testing::runtime runtime;
    copy.emplace(runtime);
    operation.emplace(runtime, [] { return 1; });
    weir::sleep(runtime, 1h).run({}, [&](weir::result<void> result) {
      told = result.error().status() == weir::status::closed;
    });
    runtime.run_until_idle();
  }
  CHECK_FALSE(copy->is_open());
  CHECK(operation->run().start_error().status() == weir::status::closed);
  copy.reset();
  CHECK(told);
}

TEST_CASE("a runtime that ends on its own thread closes, and does not wait for itself") {
  auto *runtime = new weir::runtime;
  weir::runtime copy = *runtime;
  weir::run(copy, [runtime] { delete runtime; });
  while (copy.is_open()) std::this_thread::yield();
  CHECK(copy.close_wait(10s));
}

TEST_CASE("functions may call anything, also what calls them") {
  weir::testing::runtime runtime;
  std::optional<weir::breaker> breaker;
  std::vector<weir::breaker_state> seen;
  breaker.emplace(runtime,
                  weir::breaker_options{.failure_threshold = 1,
                                        .on_state_change = [&](const weir::breaker_change &) {
                                          seen.push_back(breaker->state());
                                          if (seen.size() == 1) breaker->reset();
                                        }});
  { breaker->acquire().fail(); }
  runtime.run_until_idle();
  CHECK(seen.size() == 2);
  CHECK(breaker->state() == weir::breaker_state::closed);

  int depth = 0;
  weir::operation<int> again;
  again = weir::operation<int>{runtime, [&] { return ++depth; }};
  weir::function<void(weir::result<int>)> next = [&](weir::result<int>) {
    if (depth < 100) again.run({}, next);
  };
  again.run({}, next);
  runtime.run_until_idle();
  CHECK(depth == 100);
}

TEST_CASE("a listener may drop the last handle of what it listens to") {
  weir::testing::runtime runtime;
  auto cache = std::make_unique<weir::cache<int, std::string>>();
  *cache = weir::cache<int, std::string>{
      runtime,
      {.on_evict = [&](const int &, const std::string &, weir::evict_cause) { cache.reset(); }}};
  CHECK(cache->put(1, "one"));
  CHECK(cache->invalidate(1));
  runtime.run_until_idle();
  CHECK(cache == nullptr);
}

TEST_CASE("a scope that cannot be joined says so, and ends all the same") {
  weir::testing::runtime runtime;
  weir::scope scope{runtime};
  weir::scope taken = std::move(scope);
  CHECK(scope.join().error().status() == weir::status::invalid);
  runtime.close();
  CHECK_FALSE(taken.join());
}

TEST_CASE("operations that cannot be are results where they are asked for as such") {
  weir::testing::runtime runtime;
  weir::testing::runtime other;
  weir::operation one{runtime, [] { return 1; }};
  weir::operation far{other, [] { return 2; }};
  weir::operation twice{runtime, [](int n) { return 2 * n; }};
  using list = std::vector<weir::operation<int>>;
  constexpr auto invalid = weir::status::invalid;
  CHECK(weir::make_race(runtime, list{}).error().status() == invalid);
  CHECK(weir::make_race(runtime, list{one}, {.decisive = {true, false}}).error().status() ==
        invalid);
  CHECK(weir::make_any(runtime, list{one, far}).error().status() == invalid);
  CHECK(weir::make_any(one, far).error().status() == invalid);
  CHECK(weir::make_all(runtime, list{far}).error().status() == invalid);
  CHECK(weir::make_all(one, far).error().status() == invalid);
  CHECK(weir::make_all_settled(runtime, list{far}).error().status() == invalid);
  CHECK(weir::make_parallel(runtime, list{one}, {}).error().status() == invalid);
  CHECK(weir::make_parallel_each(twice, {1, 2}, {}).error().status() == invalid);
  CHECK(weir::make_parallel_each(twice, {}).error().status() == invalid);
  CHECK(
      weir::make_parallel_pull(
          twice, [](std::uint64_t) -> weir::result<std::optional<int>> { return std::nullopt; }, {})
          .error()
          .status() == invalid);
  CHECK(weir::make_waterfall(one, far).error().status() == invalid);
  CHECK(weir::make_poll(one, {}).error().status() == invalid);
  CHECK(weir::make_sleep(runtime, -9ms, 1).error().status() == invalid);
  CHECK(weir::make_sleep_and_fail<int>(runtime, -9ms).error().status() == invalid);
  CHECK(weir::make_scoped(one, {.deadline = -9ms}).error().status() == invalid);
  CHECK(weir::make_resource(one, far.as<void, int>()).error().status() == invalid);
  weir::flight<> flight{runtime};
  CHECK(flight.make_operation(weir::operation<int>()).error().status() == invalid);
  weir::cache<int, int> cache{runtime};
  CHECK(cache.make_getting(weir::operation<int, int>()).error().status() == invalid);
  CHECK(cache.make_getting_many({}).error().status() == invalid);

  CHECK(runtime.get_result(weir::make_any(one, one).value().run()).value() == 1);
  CHECK(runtime.get_result(weir::make_waterfall(one, twice).value().run()).value() == 2);
}
