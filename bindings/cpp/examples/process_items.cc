// SPDX-License-Identifier: MIT
//
// U11: processes items three at a time, at most five seconds each, goes on when some fail, and
// counts what succeeded and failed. Virtual time.
#include <cstdio>
#include <stdexcept>
#include <weir/testing.hpp>
#include <weir/weir.hpp>

using namespace std::chrono_literals;

int main() {
  weir::testing::runtime runtime;
  weir::operation process{
      runtime, [&](int item, weir::attempt &attempt, weir::completer<int> done) {
        if (item == 4) throw std::invalid_argument("item 4 is broken");
        // Item 6 takes too long. Both the timer and the cancel may complete: the first one counts.
        auto shared = std::make_shared<weir::completer<int>>(std::move(done));
        attempt.on_cancel([shared](weir::cancel_reason) { shared->fail(0, "stopped"); });
        auto work = weir::sleep(runtime, item == 6 ? 1min : weir::milliseconds(500));
        work.run({}, [shared, item](weir::result<void>) { shared->complete(item * item); });
      }};

  auto all = weir::parallel_each(process, std::vector{1, 2, 3, 4, 5, 6, 7},
                                 {.concurrency = 3, .stop_on_error = false, .item_timeout = 5s});
  int succeeded = 0;
  int failed = 0;
  for (const weir::result<int> &result : runtime.get_result(all.run()).value()) {
    if (result) {
      ++succeeded;
    } else {
      ++failed;
      std::printf("failed: %s\n", result.error().c_message());
    }
  }
  std::printf("%d succeeded, %d failed\n", succeeded, failed);
  return succeeded == 5 && failed == 2 ? 0 : 1;
}
