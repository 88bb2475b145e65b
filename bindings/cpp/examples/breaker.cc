// SPDX-License-Identifier: MIT
//
// U7: a breaker around a failing service: five failures open it, a minute later two successes close
// it. Virtual time.
#include <cstdio>
#include <weir/testing.hpp>
#include <weir/weir.hpp>

using namespace std::chrono_literals;

int main() {
  weir::testing::runtime runtime;
  weir::breaker breaker{runtime,
                        {.failure_threshold = 5,
                         .half_open_success_threshold = 2,
                         .reset_timeout = 1min,
                         .on_state_change =
                             [](const weir::breaker_change &change) {
                               std::printf("  breaker: state %u, now %u\n",
                                           static_cast<unsigned>(change.from),
                                           static_cast<unsigned>(change.to));
                             },
                         .name = "payments"}};
  bool service_is_up = false;
  int calls = 0;
  weir::operation service{runtime, [&]() -> weir::result<int> {
                            ++calls;
                            if (!service_is_up) return weir::error(503, "unavailable");
                            return 200;
                          }};
  auto guarded = service.with(breaker);

  for (int i = 0; i < 7; ++i) {
    auto answer = runtime.get_result(guarded.run());
    if (auto *why = answer.error().rejection()) std::printf("%s\n", why->describe().c_str());
  }
  if (calls != 5) return 1;
  service_is_up = true;
  runtime.advance(1min);
  for (int i = 0; i < 2; ++i) std::printf("%d\n", runtime.get_result(guarded.run()).value());
  return breaker.state() == weir::breaker_state::closed ? 0 : 1;
}
