// SPDX-License-Identifier: MIT
//
// A runtime, by default attached to a uv loop of its own, with the policies that the rows use, and
// a source of runs; all through the public ABI. The thread that made an attached Rig turns it.

#pragma once

#include <uv.h>
#include <weir/weir.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <vector>

namespace bench {

// Ends the program with the error's message, if there is one: a benchmark that cannot be set up
// has nothing to say.
void require(weir_status status, weir_error *error = nullptr);

// An allocator that counts what it has handed out. For one thread at a time.
struct Scale {
  int64_t bytes = 0;

  weir_allocator allocator() {
    weir_allocator made = WEIR_ALLOCATOR_INIT;
    made.alloc = [](void *context, size_t size) {
      static_cast<Scale *>(context)->bytes += static_cast<int64_t>(size);
      return std::malloc(size);
    };
    made.free = [](void *context, void *memory, size_t size) {
      static_cast<Scale *>(context)->bytes -= static_cast<int64_t>(size);
      std::free(memory);
    };
    made.context = this;
    return made;
  }
};

class Rig {
 public:
  // Of `options` all but the driver, the loop and the allocator.
  explicit Rig(uint32_t driver = WEIR_DRIVER_UV, const weir_allocator *allocator = nullptr,
               weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT);
  Rig(const Rig &) = delete;
  Rig &operator=(const Rig &) = delete;
  ~Rig();

  weir_runtime *runtime() const { return runtime_; }
  uv_loop_t *loop() { return &loop_; }
  // Lets the loop go round once without waiting.
  void turn() { uv_run(&loop_, UV_RUN_NOWAIT); }

  // Policies; the rig keeps them to its end.
  weir_policy *retry();
  weir_policy *timeout(int64_t timeout_ms);
  weir_policy *hedge(int64_t delay_ms, double quantile);
  // With no value as the value.
  weir_policy *fallback();
  weir_policy *chaos(const weir_chaos_options &options);
  weir_breaker *breaker(const weir_breaker_options &options);
  weir_limiter *limiter(const weir_limiter_options &options);
  weir_policy *pipeline(std::initializer_list<weir_policy *> policies);

  // An operation that completes inside its start function with a value of 16 bytes made beforehand.
  weir_operation *inline_operation();

 private:
  weir_policy *keep(weir_policy *policy);

  uv_loop_t loop_;
  weir_runtime *runtime_ = nullptr;
  std::vector<weir_policy *> policies_;
  weir_operation *operation_ = nullptr;
  weir_value *value_ = nullptr;
};

// Starts runs of one operation, each with a settle callback and a call that could be cancelled, and
// waits for them to settle.
class Runs {
 public:
  Runs(Rig &rig, weir_operation *operation, weir_policy *policy);

  weir_run_options options = WEIR_RUN_OPTIONS_INIT;

  // Starts `count` runs, then turns the loop until they have settled.
  void batch(size_t count);
  // The same, one in flight at a time: the next begins in the settle callback.
  void chain(size_t count);

 private:
  void start();
  static void settled(void *data, weir_call *call, const weir_outcome *outcome);

  Rig &rig_;
  weir_operation *operation_;
  size_t left_to_start_ = 0;
  size_t in_flight_ = 0;
};

}  // namespace bench
