// SPDX-License-Identifier: MIT
//
// Virtual time for tests: a runtime whose clock goes where the test says. An hour of retries passes
// in microseconds and the same way each time. All on one thread.
//
//   weir::testing::runtime runtime;
//   auto call = fetch.run();
//   runtime.advance(1s);
//   CHECK(call.take().has_value());

#pragma once

#include <weir/testing.h>

#include "weir/run.hpp"

namespace weir {
inline namespace cpp {
namespace testing {

class runtime : public weir::runtime {
 public:
  // `seed` makes jitter the same each time; 0 counts as 1. The clock begins at one second.
  explicit runtime(std::uint64_t seed = 1) : weir::runtime(create(seed)) {}
  // With options of one's own, whose driver is the manual one.
  explicit runtime(runtime_options options) : weir::runtime(create(std::move(options))) {}

  // Moves the clock forward, stopping at each timer on the way.
  std::uint64_t advance(milliseconds time) const {
    return weir_testing_advance(get(), time.count());
  }
  std::uint64_t advance_ns(nanoseconds time) const {
    return weir_testing_advance_ns(get(), time.count());
  }
  // Does what is due now.
  std::uint64_t run_until_idle() const { return weir_testing_run_until_idle(get()); }
  // Moves the clock to the next timer and does what is due then; 0 if there is none.
  std::uint64_t advance_to_next() const { return weir_testing_advance_to_next(get()); }

  // Lets time pass until the run has settled, and gives its result. Invalid, if nothing that waits
  // for time can settle it.
  template <class T>
  result<T> get_result(call<T> &call) const {
    run_until_idle();
    while (!call.done() && advance_to_next() != 0) {
    }
    return call.take();
  }
  template <class T>
  result<T> get_result(call<T> &&call) const {
    return get_result(call);
  }

 private:
  static weir::runtime create(std::uint64_t seed) {
    runtime_options options;
    options.seed = seed == 0 ? 1 : seed;
    return create(options);
  }
  static weir::runtime create(runtime_options options) {
    options.driver = weir::driver::manual;
    weir::runtime made{options};
    // As weir_testing_runtime_new(): a clock that is not at its beginning.
    made.process(detail::at(1'000'000'000));
    return made;
  }
};

}  // namespace testing
}  // namespace cpp
}  // namespace weir
