// SPDX-License-Identifier: MIT
//
// U9: polls a job every two seconds, at most 30 times, until it is completed. Virtual time.
#include <cstdio>
#include <weir/testing.hpp>
#include <weir/weir.hpp>

using namespace std::chrono_literals;

enum class job { queued, running, completed };

int main() {
  weir::testing::runtime runtime;
  int asked = 0;
  weir::operation status{
      runtime, [&] {
        ++asked;
        return asked < 3 ? job::queued : asked < 6 ? job::running : job::completed;
      }};
  auto done =
      weir::poll(status, {.interval = 2s, .max_attempts = 30, .until = [](const job &state) {
                            return state == job::completed;
                          }});
  auto began = runtime.now();
  job state = runtime.get_result(done.run()).value();
  std::printf("completed after %.0f s and %d requests\n",
              std::chrono::duration<double>(runtime.now() - began).count(), asked);
  return state == job::completed && runtime.now() - began == 10s ? 0 : 1;
}
