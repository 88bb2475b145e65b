// SPDX-License-Identifier: MIT
//
// The same headers without exceptions and RTTI: failures are results.
#include <cstdio>
#include <memory>

#include "weir/testing.hpp"
#include "weir/weir.hpp"

using namespace std::chrono_literals;

namespace {

int failures = 0;

void check(bool good, const char *what) {
  std::printf("%s %s\n", good ? "ok" : "not ok", what);
  if (!good) ++failures;
}

void options_are_checked(weir::testing::runtime &runtime) {
  auto bad = weir::retry::make(runtime, {.max_attempts = 0});
  check(!bad && bad.error().status() == weir::status::invalid, "make() says what is not legal");
}

void runs_settle(weir::testing::runtime &runtime) {
  auto retry = weir::retry::make(runtime, {.max_attempts = 3});
  weir::operation fetch{runtime, [](weir::attempt &attempt) -> weir::result<std::string> {
                          if (attempt.number() < 3) return weir::error(503, "not yet");
                          return "hello";
                        }};
  auto page = runtime.get_result(fetch.run({.policy = *retry}));
  check(page && *page == "hello", "a retry saves a call");
  weir::operation drops{runtime, [](weir::completer<int>) {}};
  check(!runtime.get_result(drops.run()), "a dropped completer fails");
  weir::operation owns{runtime, [] { return std::make_unique<int>(3); }};
  check(**runtime.get_result(owns.run()) == 3, "what can only be moved is moved");
}

void errors_hold_no_exception(weir::testing::runtime &runtime) {
  weir::operation fails{runtime, []() -> weir::result<int> { return weir::error(1, "one"); }};
  auto result = runtime.get_result(fails.run());
  check(!result && result.error().exception() == nullptr, "there is no exception in an error");
}

void caches_work(weir::testing::runtime &runtime) {
  weir::cache<std::string, int> cache{runtime};
  auto load = cache.loader([](const std::string &key) { return static_cast<int>(key.size()); });
  check(*runtime.get_result(cache.get("four", load)) == 4, "a cache loads");
}

}  // namespace

int main() {
  weir::testing::runtime runtime;
  options_are_checked(runtime);
  runs_settle(runtime);
  errors_hold_no_exception(runtime);
  caches_work(runtime);
  return failures == 0 ? 0 : 1;
}
