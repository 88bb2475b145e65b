// SPDX-License-Identifier: MIT
//
// U3: type-ahead search: it runs once typing has paused for 300 ms; calls that a later one replaced
// settle as superseded and are ignored. Virtual time.
#include <cstdio>
#include <weir/testing.hpp>
#include <weir/weir.hpp>

using namespace std::chrono_literals;

int main() {
  weir::testing::runtime runtime;

  weir::operation find{runtime, [](const std::string &words) { return "results for " + words; }};
  weir::debounce search{runtime, find, {.wait = 300ms}};

  std::string shown;
  for (const char *typed : {"w", "we", "wei", "weir"}) {
    search(typed, {}, [&](weir::result<std::string> found) {
      if (found) {
        shown = *found;
      } else if (found.error().status() != weir::status::superseded) {
        std::printf("search failed: %s\n", found.error().c_message());
      }
    });
    runtime.advance(100ms);
  }
  runtime.advance(1s);
  std::printf("%s\n", shown.c_str());
  return shown == "results for weir" && search.stats().runs == 1 ? 0 : 1;
}
