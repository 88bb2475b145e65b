// SPDX-License-Identifier: MIT
#include <weir/testing.h>

#include "base/time.hh"
#include "driver/manual.hh"

namespace weir {
namespace {

constexpr uint64_t step_limit = 100 * 1000 * 1000;

// A runtime that ends inside a callback must not be looked at again.
class KeptRuntime {
 public:
  explicit KeptRuntime(weir_runtime *runtime) : runtime_(runtime) { runtime_->retain_shell(); }
  KeptRuntime(const KeptRuntime &) = delete;
  KeptRuntime &operator=(const KeptRuntime &) = delete;
  ~KeptRuntime() { runtime_->release_shell(); }

 private:
  weir_runtime *runtime_;
};

// Whoever tests what never comes to rest gets control back.
bool may_go_on(const weir_runtime &runtime, uint64_t steps) {
  return runtime.life() != Life::dead && steps < step_limit;
}

// The driver, if turns can be taken: not inside one, nor after the end or in a forked child, where
// no time would bring the work to an end. Else NULL.
ManualDriver *turning(weir_runtime *runtime) {
  ManualDriver *driver = manual_driver(runtime);
  if (driver == nullptr || runtime->life() == Life::dead) return nullptr;
  return runtime->in_turn() || runtime->forked() ? nullptr : driver;
}

uint64_t process_until_idle(ManualDriver &driver) {
  weir_runtime *runtime = driver.runtime;
  int64_t now = driver.now();
  uint64_t steps = 0;
  do {
    steps += driver.process(now);
  } while (may_go_on(*runtime, steps) && runtime->next_deadline() <= now);
  return steps;
}

}  // namespace
}  // namespace weir

weir_status weir_testing_runtime_new(uint64_t seed, weir_runtime **out) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.driver = WEIR_DRIVER_MANUAL;
  options.seed = seed == 0 ? 1 : seed;
  weir_status status = weir_runtime_new(&options, out, nullptr);
  if (status == WEIR_OK) weir_runtime_process(*out, weir::ns_per_second);
  return status;
}

uint64_t weir_testing_run_until_idle(weir_runtime *runtime) {
  weir::ManualDriver *driver = weir::turning(runtime);
  if (driver == nullptr) return 0;
  weir::KeptRuntime kept(runtime);
  return weir::process_until_idle(*driver);
}

uint64_t weir_testing_advance(weir_runtime *runtime, int64_t ms) {
  return ms < 0 ? 0 : weir_testing_advance_ns(runtime, weir::ms_to_ns(ms));
}

uint64_t weir_testing_advance_ns(weir_runtime *runtime, int64_t ns) {
  weir::ManualDriver *driver = weir::turning(runtime);
  if (driver == nullptr || ns < 0) return 0;
  weir::KeptRuntime kept(runtime);
  int64_t target = weir::saturating_add(driver->now(), ns);
  uint64_t steps = weir::process_until_idle(*driver);
  while (weir::may_go_on(*runtime, steps)) {
    int64_t next = runtime->next_deadline();
    if (next >= target) break;
    steps += driver->process(next);
  }
  if (runtime->life() == weir::Life::dead) return steps;
  steps += driver->process(target);
  return steps + (runtime->life() == weir::Life::dead ? 0 : weir::process_until_idle(*driver));
}

uint64_t weir_testing_advance_to_next(weir_runtime *runtime) {
  weir::ManualDriver *driver = weir::turning(runtime);
  if (driver == nullptr) return 0;
  weir::KeptRuntime kept(runtime);
  uint64_t steps = weir::process_until_idle(*driver);
  // The wheel's answer may be before the first timer, so it can take a few looks.
  while (steps == 0 && runtime->life() != weir::Life::dead) {
    int64_t next = runtime->next_deadline();
    if (next == weir::never_ns) return 0;
    steps += driver->process(next);
  }
  return steps;
}
