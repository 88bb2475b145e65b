// SPDX-License-Identifier: MIT
//
// U1: polls a payment until it is no longer PENDING: a value that is judged a failure, tried at
// most five times with growing delays. Virtual time.
#include <cstdio>
#include <weir/testing.hpp>
#include <weir/weir.hpp>

using namespace std::chrono_literals;

int main() {
  weir::testing::runtime runtime;

  int asked = 0;
  weir::operation payment{runtime, [&](const std::string &id) {
                            std::printf("payment %s, request %d\n", id.c_str(), ++asked);
                            return std::string(asked < 4 ? "PENDING" : "PAID");
                          }};
  weir::retry until_settled{
      runtime,
      {.max_attempts = 5,
       .base_delay = 1s,
       .classify =
           [](const weir::outcome &outcome) {
             auto *status = outcome.value_as<std::string>();
             return status != nullptr && *status == "PENDING" ? weir::classification::failure
                                                              : weir::classification::none;
           },
       .on_retry =
           [](std::uint32_t, weir::nanoseconds delay, const weir::outcome &) {
             std::printf("  still pending, again in %.1f s\n", delay.count() / 1e9);
           }}};

  weir::result<std::string> status = runtime.get_result(payment.with(until_settled).run("p-17"));
  std::printf("%s\n", status.value().c_str());
  return *status == "PAID" && asked == 4 ? 0 : 1;
}
