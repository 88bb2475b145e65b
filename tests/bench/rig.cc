// SPDX-License-Identifier: MIT
#include "rig.h"

#include <cstdio>
#include <cstdlib>

namespace bench {

void require(weir_status status, weir_error *error) {
  if (status == WEIR_OK) return;
  const char *message = error == nullptr ? "" : weir_error_message(error);
  std::fprintf(stderr, "%s: %s\n", weir_status_name(status), message);
  std::exit(1);
}

Rig::Rig(uint32_t driver, const weir_allocator *allocator, weir_runtime_options options) {
  uv_loop_init(&loop_);
  options.driver = driver;
  options.loop = driver == WEIR_DRIVER_UV ? &loop_ : nullptr;
  options.allocator = allocator;
  weir_error *error = nullptr;
  require(weir_runtime_new(&options, &runtime_, &error), error);
  turn();
}

Rig::~Rig() {
  for (weir_policy *policy : policies_) weir_policy_unref(policy);
  weir_operation_unref(operation_);
  weir_value_unref(value_);
  weir_runtime_close_wait(runtime_, WEIR_FOREVER);  // does nothing but with the thread driver
  weir_runtime_unref(runtime_);
  uv_run(&loop_, UV_RUN_DEFAULT);
  uv_loop_close(&loop_);
}

weir_policy *Rig::keep(weir_policy *policy) {
  policies_.push_back(policy);
  return policy;
}

weir_policy *Rig::retry() {
  weir_retry *retry = nullptr;
  weir_error *error = nullptr;
  require(weir_retry_new(runtime_, nullptr, &retry, &error), error);
  return keep(weir_retry_policy(retry));
}

weir_policy *Rig::timeout(int64_t timeout_ms) {
  weir_timeout_options options = WEIR_TIMEOUT_OPTIONS_INIT;
  options.timeout_ms = timeout_ms;
  weir_timeout *timeout = nullptr;
  weir_error *error = nullptr;
  require(weir_timeout_new(runtime_, &options, &timeout, &error), error);
  return keep(weir_timeout_policy(timeout));
}

weir_policy *Rig::hedge(int64_t delay_ms, double quantile) {
  weir_hedge_options options = WEIR_HEDGE_OPTIONS_INIT;
  options.delay_ms = delay_ms;
  options.quantile = quantile;
  weir_hedge *hedge = nullptr;
  weir_error *error = nullptr;
  require(weir_hedge_new(runtime_, &options, &hedge, &error), error);
  return keep(weir_hedge_policy(hedge));
}

weir_policy *Rig::fallback() {
  weir_fallback_options options = WEIR_FALLBACK_OPTIONS_INIT;
  options.has_value = 1;
  weir_fallback *fallback = nullptr;
  weir_error *error = nullptr;
  require(weir_fallback_new(runtime_, &options, &fallback, &error), error);
  return keep(weir_fallback_policy(fallback));
}

weir_policy *Rig::chaos(const weir_chaos_options &options) {
  weir_chaos *chaos = nullptr;
  weir_error *error = nullptr;
  require(weir_chaos_new(runtime_, &options, &chaos, &error), error);
  return keep(weir_chaos_policy(chaos));
}

weir_breaker *Rig::breaker(const weir_breaker_options &options) {
  weir_breaker *breaker = nullptr;
  weir_error *error = nullptr;
  require(weir_breaker_new(runtime_, &options, &breaker, &error), error);
  keep(weir_breaker_policy(breaker));
  return breaker;
}

weir_limiter *Rig::limiter(const weir_limiter_options &options) {
  weir_limiter *limiter = nullptr;
  weir_error *error = nullptr;
  require(weir_limiter_new(runtime_, &options, &limiter, &error), error);
  keep(weir_limiter_policy(limiter));
  return limiter;
}

weir_policy *Rig::pipeline(std::initializer_list<weir_policy *> policies) {
  weir_pipeline *pipeline = nullptr;
  weir_error *error = nullptr;
  require(
      weir_pipeline_new(runtime_, policies.begin(), policies.size(), nullptr, &pipeline, &error),
      error);
  return keep(weir_pipeline_policy(pipeline));
}

weir_operation *Rig::inline_operation() {
  if (operation_ != nullptr) return operation_;
  require(weir_value_new_bytes(runtime_, "0123456789abcdef", 16, &value_));
  weir_start_fn start = [](void *data, weir_attempt *attempt) {
    weir_complete(attempt->runtime, attempt->token,
                  weir_value_ref(static_cast<weir_value *>(data)));
  };
  require(weir_operation_new(runtime_, start, value_, nullptr, &operation_, nullptr));
  return operation_;
}

Runs::Runs(Rig &rig, weir_operation *operation, weir_policy *policy)
    : rig_(rig), operation_(operation) {
  options.policy = policy;
}

void Runs::start() {
  weir_call *call = nullptr;
  require(weir_run(operation_, &options, settled, this, nullptr, &call, nullptr));
  ++in_flight_;
}

// The runs of a row succeed, all of them: anything else would be another path.
void Runs::settled(void *data, weir_call *call, const weir_outcome *outcome) {
  auto *runs = static_cast<Runs *>(data);
  require(outcome->status);
  weir_call_unref(call);
  --runs->in_flight_;
  if (runs->left_to_start_ == 0) return;
  --runs->left_to_start_;
  runs->start();
}

void Runs::batch(size_t count) {
  for (size_t i = 0; i < count; ++i) start();
  while (in_flight_ > 0) rig_.turn();
}

void Runs::chain(size_t count) {
  left_to_start_ = count - 1;
  batch(1);
}

}  // namespace bench
