// SPDX-License-Identifier: MIT
//
// U5: calls an API at most 5 at once and 100 in any minute; the rest wait their turn. Virtual time.
#include <algorithm>
#include <cstdio>
#include <weir/testing.hpp>
#include <weir/weir.hpp>

using namespace std::chrono_literals;

int main() {
  weir::testing::runtime runtime;
  weir::limiter quota{runtime,
                      {.algorithm = weir::limiter_algorithm::sliding_window,
                       .permits = 100,
                       .interval = 1min,
                       .max_concurrent = 5,
                       .name = "quota"}};

  int running = 0;
  int most = 0;
  weir::operation request{runtime, [&](weir::completer<int> done) {
                            most = std::max(most, ++running);
                            auto wire = weir::sleep(runtime, 50ms);
                            wire.run({}, [&, done = std::move(done)](weir::result<void>) mutable {
                              --running;
                              done.complete(200);
                            });
                          }};
  auto limited = request.with(quota);
  int answered = 0;
  auto began = runtime.now();
  for (int i = 0; i < 150; ++i) {
    limited.run({}, [&](weir::result<int> answer) { answered += answer.has_value(); });
  }
  runtime.advance(30s);
  std::printf("after 30 s: %d answered, at most %d at once\n", answered, most);
  if (answered != 100 || most != 5) return 1;
  while (answered < 150 && runtime.advance_to_next() != 0) {
  }
  std::printf("all after %.0f s\n", std::chrono::duration<double>(runtime.now() - began).count());
  return answered == 150 ? 0 : 1;
}
