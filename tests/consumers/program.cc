// SPDX-License-Identifier: MIT
//
// The first program of program.c in C++: a call that fails twice and that a retry saves.

#include <cstdio>
#include <weir/weir.hpp>

int main() {
  weir::runtime runtime;
  weir::retry_options options;
  options.base_delay = weir::milliseconds(1);
  weir::operation fetch{runtime, [](weir::attempt &attempt) -> weir::result<std::string> {
                          if (attempt.number() < 3) {
                            return weir::error(503, "not yet", weir::domain::http);
                          }
                          return "hello";
                        }};
  weir::result<std::string> page = fetch.with(weir::retry(runtime, options)).run().get();
  if (!page || *page != "hello") return 1;
  std::printf("weir %s: %s\n", weir::version_string(), page->c_str());
  return 0;
}
