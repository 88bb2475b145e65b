// SPDX-License-Identifier: MIT
//
// test_exit pending: main() returns while calls and an attempt are pending, with a runtime that
// lives until the end of the program. test_exit fork: a child finds the runtime of its parent
// forked, and ends. Both end with 0, in time.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "weir/weir.hpp"

using namespace std::chrono_literals;

namespace {

weir::runtime &global_runtime() {
  static weir::runtime runtime{{.close_grace = 10ms}};
  return runtime;
}

int leave_work_pending() {
  static std::vector<weir::completer<int>> never_completed;
  weir::runtime &runtime = global_runtime();
  weir::operation hangs{
      runtime, [](weir::completer<int> done) { never_completed.push_back(std::move(done)); }};
  auto call = hangs.run();
  weir::sleep(runtime, 1h).run({}, [](weir::result<void>) {});
  while (runtime.stats().attempts_started == 0) usleep(1000);
  return 0;
}

int in_child(weir::runtime &runtime, const weir::operation<int> &one, weir::breaker &breaker) {
  auto call = one.run();
  if (call.started() || call.start_error().status() != weir::status::forked) return 2;
  if (call.get().has_value()) return 3;
  auto permit = breaker.acquire();
  if (runtime.close_wait(1s).error().status() != weir::status::forked) return 4;
  return 0;
}

int fork_a_child() {
  weir::runtime runtime;
  weir::breaker breaker{runtime};
  weir::operation one{runtime, [] { return 1; }};
  if (one.run().get().value() != 1) return 1;
  pid_t child = fork();
  if (child == 0) return in_child(runtime, one, breaker);
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0) std::fprintf(stderr, "the child ended with %d\n", status);
  return status == 0 && one.run().get().value() == 1 ? 0 : 1;
}

}  // namespace

int main(int count, char **arguments) {
  if (count > 1 && std::strcmp(arguments[1], "fork") == 0) return fork_a_child();
  return leave_work_pending();
}
