// SPDX-License-Identifier: MIT
//
// U4: asks two regions at once; the first success wins, within five seconds, and when both fail
// every failure is listed. Virtual time.
#include <cstdio>
#include <weir/testing.hpp>
#include <weir/weir.hpp>

using namespace std::chrono_literals;

int main() {
  weir::testing::runtime runtime;
  weir::timeout five_seconds{runtime, 5s};

  auto eu = weir::sleep(runtime, 80ms, std::string("from eu"));
  auto us = weir::sleep(runtime, 120ms, std::string("from us"));
  auto fetch = weir::any(eu, us).with(five_seconds);
  std::printf("%s\n", runtime.get_result(fetch.run()).value().c_str());

  auto down = [&](const char *region) {
    return weir::sleep_and_fail<std::string>(runtime, 10ms,
                                             weir::error(503, region, weir::domain::http));
  };
  auto both_down = weir::any(down("eu: overloaded"), down("us: overloaded")).with(five_seconds);
  try {
    runtime.get_result(both_down.run()).value();
    return 1;
  } catch (const weir::aggregate_error &failed) {
    for (const weir::error &cause : failed.error().causes()) {
      std::printf("region %zu: %s\n", cause.index(), cause.c_message());
    }
    return failed.error().causes().size() == 2 ? 0 : 1;
  }
}
