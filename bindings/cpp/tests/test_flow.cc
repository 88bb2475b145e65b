// SPDX-License-Identifier: MIT
//
// Operations of several operations, scopes, pools.
#include "support.hpp"

using support::fails;

TEST_CASE("the first success wins a race, the others are told") {
  weir::testing::runtime runtime;
  auto slow = support::hangs(runtime);
  auto fast = weir::sleep(runtime, 10ms, 7);
  CHECK(runtime.get_result(weir::any(slow, fast).run()).value() == 7);
  CHECK(runtime.get_result(weir::race(runtime, std::vector{slow, fast}).run()).value() == 7);
  CHECK(runtime.stats().orphans == 0);
  auto bell = weir::sleep_and_fail<int>(runtime, 5ms);
  auto race = weir::race(runtime, std::vector{slow, bell}, {.decisive = {false, true}});
  CHECK(runtime.get_result(race.run()).error().status() == weir::status::timed_out);
  CHECK_THROWS_AS(weir::race(runtime, std::vector{slow}, {.decisive = {true, false}}),
                  weir::invalid_error);
  auto settled = weir::race(runtime, std::vector{fails(runtime, 1), fast}, {.first_settled = true});
  CHECK_FALSE(runtime.get_result(settled.run()));
}

TEST_CASE("all gives a tuple, or a vector, in order") {
  weir::testing::runtime runtime;
  weir::operation text{runtime, [](int n) { return std::to_string(n); }};
  weir::operation twice{runtime, [](int n) { return 2 * n; }};
  weir::operation nothing{runtime, [] {}};
  auto [words, number, none] = runtime.get_result(weir::all(text, twice, nothing).run(4)).value();
  CHECK(words == "4");
  CHECK(number == 8);
  (void)none;
  auto list = runtime.get_result(weir::all(runtime, std::vector{twice, twice}).run(3)).value();
  CHECK(list == std::vector<int>{6, 6});
  CHECK_FALSE(runtime.get_result(weir::all(fails(runtime, 1), fails(runtime, 0)).run()));
  auto settled =
      runtime
          .get_result(
              weir::all_settled(runtime, std::vector{fails(runtime, 1), fails(runtime, 0)}).run())
          .value();
  CHECK_FALSE(settled[0]);
  CHECK(*settled[1] == 1);
  CHECK(runtime.get_result(weir::all(runtime, std::vector<weir::operation<int>>{}).run())
            .value()
            .empty());
}

TEST_CASE("results of a list may be of a type that can only be moved") {
  weir::testing::runtime runtime;
  weir::operation owns{runtime, [](int n) { return std::make_unique<int>(n); }};
  auto list =
      runtime.get_result(weir::parallel_each(owns, std::vector{1, 2}, {.concurrency = 2}).run())
          .value();
  CHECK(**list[1] == 2);
}

TEST_CASE("a waterfall feeds each step by the last") {
  weir::testing::runtime runtime;
  weir::operation size{runtime, [](const std::string &text) { return text.size(); }};
  weir::operation half{runtime, [](std::size_t n) -> weir::result<double> {
                         if (n == 0) return weir::error(1, "empty");
                         return static_cast<double>(n) / 2;
                       }};
  auto chain = weir::waterfall(size, half);
  CHECK(runtime.get_result(chain.run("abc")).value() == doctest::Approx(1.5));
  auto failed = runtime.get_result(chain.run(""));
  CHECK(failed.error().message() == "step 2 of 2 failed: empty");
  CHECK(failed.error().causes()[0].message() == "empty");
}

TEST_CASE("a poll ends with the value that was waited for") {
  weir::testing::runtime runtime;
  int tries = 0;
  weir::operation job{runtime, [&] { return ++tries; }};
  auto began = runtime.now();
  auto done = weir::poll(job, {.interval = 2s, .max_attempts = 30, .until = [](const int &state) {
                                 return state == 4;
                               }});
  CHECK(runtime.get_result(done.run()).value() == 4);
  CHECK(runtime.now() - began == 6s);
  auto never = weir::poll(
      job, {.interval = 1s, .max_attempts = 2, .until = [](const int &) { return false; }});
  auto result = runtime.get_result(never.run());
  CHECK(result.error().status() == weir::status::exhausted);
  CHECK(*result.error().detail_as<int>() == 6);
  CHECK_THROWS_AS(weir::poll(job, {}), weir::invalid_error);
}

TEST_CASE("parallel runs at most so many, and keeps the order") {
  weir::testing::runtime runtime;
  int running = 0;
  int most = 0;
  std::vector<std::uint64_t> progress;
  weir::operation work{
      runtime, [&](int n, weir::attempt &attempt, weir::completer<int> done) {
        CHECK(attempt.index() == static_cast<std::uint64_t>(n));
        most = std::max(most, ++running);
        auto kept = std::make_shared<weir::completer<int>>(std::move(done));
        weir::sleep(runtime, weir::milliseconds(10 - n)).run({}, [&, kept, n](weir::result<void>) {
          --running;
          if (n == 3) {
            kept->fail(3, "three");
          } else {
            kept->complete(n * n);
          }
        });
      }};
  std::vector<int> numbers{0, 1, 2, 3, 4, 5, 6};
  auto all = weir::parallel_each(
      work, numbers,
      {.concurrency = 3,
       .stop_on_error = false,
       .on_progress = [&](std::uint64_t done, std::optional<std::uint64_t> total) {
         CHECK(total == 7);
         progress.push_back(done);
       }});
  auto list = runtime.get_result(all.run()).value();
  REQUIRE(list.size() == 7);
  CHECK(*list[6] == 36);
  CHECK(list[3].error().message() == "three");
  CHECK(most == 3);
  CHECK(progress.size() == 7);
  auto from_run = weir::parallel_each(work, {.concurrency = 2});
  CHECK(*runtime.get_result(from_run.run({{0, 1}})).value()[1] == 1);
}

TEST_CASE("items may be pulled, come from a source, or be told of one by one") {
  weir::testing::runtime runtime;
  weir::operation twice{runtime, [](int n) { return 2 * n; }};
  std::vector<int> seen(5);
  auto pulled = weir::parallel_pull(
      twice,
      [](std::uint64_t index) -> weir::result<std::optional<int>> {
        if (index == 5) return std::optional<int>();
        return std::optional<int>(static_cast<int>(index));
      },
      {.concurrency = 2, .on_item = [&](std::uint64_t index, const weir::outcome &outcome) {
         seen[index] = weir::result_in<int>(outcome).value();
       }});
  CHECK(runtime.get_result(pulled.run()).value().empty());
  CHECK(seen == std::vector<int>{0, 2, 4, 6, 8});

  int next = 0;
  weir::operation source{runtime, [&]() -> std::optional<int> {
                           if (next == 3) return std::nullopt;
                           return next++;
                         }};
  auto list =
      runtime.get_result(weir::parallel_from(twice, source, {.concurrency = 1}).run()).value();
  REQUIRE(list.size() == 3);
  CHECK(*list[2] == 4);

  auto broken = weir::parallel_pull(
      twice,
      [](std::uint64_t) -> weir::result<std::optional<int>> { return weir::error(9, "no more"); },
      {.concurrency = 1});
  CHECK(runtime.get_result(broken.run()).error().code() == 9);
}

TEST_CASE("a pool takes work while it runs") {
  weir::testing::runtime runtime;
  weir::operation twice{runtime, [](int n) { return 2 * n; }};
  weir::operation one{runtime, [] { return 1; }};
  weir::pool<int> pool{runtime, {.concurrency = 2}};
  auto drained = pool.run();
  CHECK(pool.add(twice, 1));
  runtime.run_until_idle();
  CHECK(pool.add(one));
  CHECK(pool.seal());
  CHECK(pool.add(one).error().status() == weir::status::closed);
  auto list = runtime.get_result(drained).value();
  REQUIRE(list.size() == 2);
  CHECK(*list[0] == 2);
  CHECK(pool.stats().succeeded == 2);
}

TEST_CASE("a scope waits for what runs in it") {
  weir::runtime runtime;
  bool over = false;
  {
    weir::scope scope{runtime, {.name = "import"}};
    CHECK(scope.set_number("ttl", 60));
    CHECK(scope.set("rate", 1.5));
    weir::sleep(runtime, 20ms).run({.scope = scope}, [&](weir::result<void>) { over = true; });
    CHECK(scope.number("ttl").value() == 60);
    CHECK(*scope.get<double>("rate").value() == 1.5);
    CHECK(scope.bytes("none").error().status() == weir::status::not_found);
    CHECK(scope.stats().calls == 1);
  }
  CHECK(over);
}

TEST_CASE("a scope with a manual runtime only begins its end") {
  weir::testing::runtime runtime;
  auto call = support::hangs(runtime).run();
  {
    weir::scope scope{runtime, {.exit = weir::scope_exit::cancel}};
    call = support::hangs(runtime).run({.scope = scope});
    runtime.run_until_idle();
  }
  CHECK(runtime.get_result(call).error().status() == weir::status::cancelled);
}

TEST_CASE("a scoped operation sees its scope; resources close in reverse, whatever happens") {
  weir::testing::runtime runtime;
  std::string story;
  auto opening = [&](const std::string &name) {
    return weir::resource(
        weir::operation{runtime,
                        [&story, name] {
                          story += "open " + name + ", ";
                          return name;
                        }},
        weir::operation{runtime,
                        [&story](const std::string &opened) { story += "close " + opened + ", "; }},
        name);
  };
  weir::operation work{runtime, [&](weir::attempt &attempt) -> int {
                         CHECK(attempt.scope().set_number("ttl", 5));
                         story += *attempt.scope().get<std::string>("file").value() + ", ";
                         throw support::mishap("in the middle");
                       }};
  auto body = weir::waterfall(opening("file"), opening("lock"), work);
  auto result = runtime.get_result(weir::scoped(body, {.deadline = 5s, .name = "job"}).run());
  CHECK_THROWS_AS(result.value(), support::mishap);
  CHECK(story == "open file, open lock, file, close lock, close file, ");
}

TEST_CASE("a scope is cancelled as one") {
  weir::testing::runtime runtime;
  weir::scope scope{runtime};
  auto one = support::hangs(runtime).run({.scope = scope});
  runtime.run_until_idle();
  scope.cancel();
  CHECK(runtime.get_result(one).error().status() == weir::status::cancelled);
  CHECK(support::hangs(runtime).run({.scope = scope}).start_error().status() ==
        weir::status::closed);
  CHECK(runtime.get_result(scope.join_operation().run()));
}

TEST_CASE("a pacer without an argument tells, and is touched at a time") {
  weir::testing::runtime runtime;
  int runs = 0;
  weir::operation save{runtime, [&] { ++runs; }};
  weir::debounce saving{runtime, save, {.wait = 1s}};
  bool told = false;
  saving(weir::run_options{}, [&](weir::result<void> result) { told = result.has_value(); });
  runtime.advance(2s);
  CHECK(told);
  CHECK(saving.touch({}, runtime.now()));
  CHECK(saving.touch("other", runtime.now()));
  runtime.advance(2s);
  CHECK(runs == 3);
  weir::throttle rare{runtime, weir::operation{runtime, [&](int n) { runs += n; }}};
  CHECK(rare.touch(10, {}, runtime.now()));
  runtime.run_until_idle();
  CHECK(runs == 13);
}
