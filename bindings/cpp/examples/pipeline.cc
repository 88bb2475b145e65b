// SPDX-License-Identifier: MIT
//
// U10: a breaker around a retry around a timeout around a fetch, in one call. Virtual time.
#include <cstdio>
#include <weir/testing.hpp>
#include <weir/weir.hpp>

using namespace std::chrono_literals;

int main() {
  weir::testing::runtime runtime;
  weir::breaker breaker{runtime, {.failure_threshold = 5, .name = "api"}};
  weir::retry retry{runtime, {.max_attempts = 3, .base_delay = 100ms}};
  weir::timeout timeout{runtime, 1s};

  // The first request hangs, until it is told to stop; the second one answers.
  weir::operation fetch{runtime, [&](weir::attempt &attempt, weir::completer<std::string> done) {
                          std::printf("request %u\n", attempt.number());
                          if (attempt.number() > 1) {
                            done.complete("hello");
                            return;
                          }
                          attempt.on_cancel([done = std::move(done)](weir::cancel_reason) mutable {
                            done.fail(0, "aborted");
                          });
                        }};

  std::string page =
      runtime.get_result(fetch.with(breaker | retry | timeout).run({.deadline = 10s})).value();
  std::printf("%s after %llu retry\n", page.c_str(),
              static_cast<unsigned long long>(retry.stats().retries));
  return breaker.stats().succeeded == 1 && timeout.stats().timed_out == 1 ? 0 : 1;
}
