// SPDX-License-Identifier: MIT
//
// weir_run and what is done with calls, from any thread.

#include <weir/run.h>

#include <algorithm>
#include <cstring>

#include "base/time.hh"
#include "engine/operation.hh"
#include "engine/options.hh"
#include "engine/policy.hh"
#include "engine/run.hh"
#include "engine/runtime.hh"
#include "engine/scope.hh"
#include "engine/value.hh"

namespace weir {
namespace {

constexpr weir_run_options default_run_options = WEIR_RUN_OPTIONS_INIT;

// A name longer than this is cut off: it is for people.
constexpr size_t longest_name = 255;

}  // namespace

// Makes a run out of what weir_run was given, one step after the other, so that each failure gives
// back exactly what was taken.
class RunBuilder {
 public:
  RunBuilder(weir_operation &operation, weir_operation *inner, weir_error **error)
      : operation_(operation), inner_(inner), runtime_(*operation.runtime()), error_(error) {}

  weir_status read(const weir_run_options *given, bool has_settle);
  // Legal ones of this version.
  void use(const weir_run_options &options) {
    options_ = &options;
    joins_ = false;
  }
  // Makes the call. If that succeeds, publish() must follow.
  weir_status make(Callback<weir_settle_fn> &&settle);
  // Makes and publishes; `call` (nullable) gets a reference.
  weir_status run(Callback<weir_settle_fn> &&settle, weir_call **call);
  weir_call *publish();
  // Instead of publishing it: that is left to publish_run().
  weir_call *made() const { return call_; }
  static void set_input(weir_call &reserved, weir_value *input);
  static void publish(weir_call &reserved);
  static weir_call *make_shared(const SharedMaking &making);
  static weir_call *run_key_here(weir_operation &operation, weir_operation *inner,
                                 const RunKey &key, Callback<weir_settle_fn> &settle);
  // The call with a reference for the caller: before it is published.
  static weir_call *hand_out(weir_call &made) {
    made.references_.store(2, std::memory_order_relaxed);
    return &made;
  }

 private:
  weir_status allocate();
  weir_status join_scope();
  void fill(Callback<weir_settle_fn> &&settle);
  // Until the engine lets go of the run.
  template <typename... Handles>
  static void enter(Handles *...handles) {
    ((handles == nullptr ? void() : handles->enter()), ...);
  }
  template <typename... Handles>
  static void ref(Handles *...handles) {
    (static_cast<void>(ref_handle(handles)), ...);
  }
  void refused(weir_status status);
  weir_status no_memory() { return report_no_memory(error_, runtime_.heap(), "run"); }

  weir_operation &operation_;
  weir_operation *inner_;
  weir_runtime &runtime_;
  weir_error **error_;
  const weir_run_options *options_ = &default_run_options;
  weir_run_options copy_;  // NOLINT(cppcoreguidelines-pro-type-member-init): seldom used
  size_t name_size_ = 0;   // with its terminator
  weir_call *call_ = nullptr;
  bool local_ = false;  // on the engine's thread
  bool joins_ = true;   // its scope, if it has one
};

[[gnu::always_inline]] inline weir_status RunBuilder::read(const weir_run_options *given,
                                                           bool has_settle) {
  Heap *heap = runtime_.heap();
  if (given == nullptr) return WEIR_OK;
  if (given->size == sizeof(weir_run_options)) {
    options_ = given;
  } else {
    // Of another version: a copy, defaults where it has nothing.
    copy_ = default_run_options;
    weir_status status = read_options(copy_, given, "run", heap, error_);
    if (status != WEIR_OK) return status;
    options_ = &copy_;
  }
  Check check("run", heap, error_);
  check.range("permits", options_->permits, 1, INT32_MAX)
      .range_or("deadline_ms", options_->deadline_ms, 0, max_ms, "forever")
      .range("priority", options_->priority, 0, 63)
      .rule(options_->reserved == 0, "reserved must be 0 (got %u)", options_->reserved)
      .rule(options_->key != nullptr || options_->key_size == 0,
            "key must not be NULL with a key_size (got %llu)",
            static_cast<unsigned long long>(options_->key_size))
      .rule(options_->key_size <= longest_run_key, "key_size must be at most 2^30 (got %llu)",
            static_cast<unsigned long long>(options_->key_size))
      .rule(options_->queue == nullptr || !has_settle,
            "queue and a settle function exclude each other")
      .rule(options_->policy == nullptr || options_->policy->runtime() == &runtime_,
            "policy must be of the operation's runtime")
      .rule(options_->queue == nullptr || options_->queue->runtime() == &runtime_,
            "queue must be of the operation's runtime")
      .rule(options_->scope == nullptr || options_->scope->runtime() == &runtime_,
            "scope must be of the operation's runtime");
  if (check.ok() && options_->policy != nullptr) {
    check_order(check, "policy and operation", PlanUse::run, *options_->policy, operation_);
  }
  if (options_->name != nullptr) name_size_ = strnlen(options_->name, longest_name) + 1;
  return check.status();
}

inline weir_status RunBuilder::allocate() {
  size_t tail = options_->key_size + name_size_;
  call_ = local_ ? weir_call::make_here(operation_, options_->policy, tail)
                 : weir_call::make(operation_, options_->policy, tail, 0, false);
  return call_ != nullptr ? weir_status{WEIR_OK} : no_memory();
}

// With its place in the scope, if there is one.
inline weir_status RunBuilder::join_scope() {
  weir_scope *scope = joins_ ? options_->scope : nullptr;
  if (scope != nullptr && !scope->admit()) {
    return report(error_, runtime_.heap(), WEIR_ECLOSED, "run: scope '%s' takes no more runs",
                  scope->name());
  }
  weir_status status = allocate();
  if (status != WEIR_OK && scope != nullptr) scope->unadmit();
  return status;
}

// Cannot fail any more.
[[gnu::always_inline]] inline void RunBuilder::fill(Callback<weir_settle_fn> &&settle) {
  weir_call &call = *call_;
  const weir_run_options &options = *options_;
  new (&call.settle_) Callback<weir_settle_fn>(static_cast<Callback<weir_settle_fn> &&>(settle));
  call.queue_ = ref_handle(options.queue);
  call.user_ = options.user;
  call.request_.context = options.context;
  call.request_.input = ref_value(options.input);
  call.request_.permits = options.permits;
  call.request_.priority = options.priority;
  if (options.deadline_ms != WEIR_FOREVER) {
    call.deadline_ns_ = deadline_after(runtime_.clock(), ms_to_ns(options.deadline_ms));
  }
  call.keep_tail({options.key, options.key_size, options.name, name_size_});
  call.request_.inner = inner_;
  call.request_.scope = options.scope;
  if (joins_ && options.scope != nullptr) {
    call.request_.in_scope = call.counted_ = true;
    call.deadline_ns_ = std::min(call.deadline_ns_, options.scope->deadline_ns());
  }
  call.remote_ = !local_;
  if (local_) {
    enter(&operation_, inner_, options.policy, options.scope);
  } else {
    ref(&operation_, inner_, options.policy, options.scope);
  }
}

// The runtime does not take it.
void RunBuilder::refused(weir_status status) {
  if (status == WEIR_EFULL) {
    report(error_, runtime_.heap(), status,
           "run: max_in_flight (%lld) calls and orphans are in flight",
           static_cast<long long>(runtime_.max_in_flight()));
  } else if (status == WEIR_ENOTSUP) {
    report(error_, runtime_.heap(), status, "run: the system gives the runtime no thread or loop");
  } else {
    report(error_, runtime_.heap(), status, "run: %s", weir_status_message(status));
  }
}

weir_status RunBuilder::make(Callback<weir_settle_fn> &&settle) {
  local_ = runtime_.on_thread();
  if (!local_) runtime_.enter();
  weir_status status = runtime_.admit(local_);
  if (status != WEIR_OK) {
    refused(status);
  } else {
    status = join_scope();
    if (status != WEIR_OK) runtime_.unadmit();
  }
  if (status == WEIR_OK) {
    fill(static_cast<Callback<weir_settle_fn> &&>(settle));
  } else if (!local_) {
    runtime_.leave();
  }
  return status;
}

[[gnu::always_inline]] inline weir_call *RunBuilder::publish() {
  runtime_.accept(call_->task_, local_);
  if (!local_) runtime_.leave();
  return call_;
}

[[gnu::always_inline]] inline weir_status RunBuilder::run(Callback<weir_settle_fn> &&settle,
                                                          weir_call **call) {
  weir_status status = make(static_cast<Callback<weir_settle_fn> &&>(settle));
  if (status != WEIR_OK) return status;
  if (call != nullptr) *call = hand_out(*call_);
  publish();
  return WEIR_OK;
}

weir_status run_with(weir_operation *operation, weir_operation *inner,
                     const weir_run_options *options, Callback<weir_settle_fn> &&settle,
                     weir_call **call, weir_error **error) {
  if (call != nullptr) *call = nullptr;
  if (operation == nullptr) {
    return report(error, Heap::standard(), WEIR_EINVAL, "run.operation must not be NULL");
  }
  RunBuilder builder(*operation, inner, error);
  weir_status status = builder.read(options, static_cast<bool>(settle));
  if (status != WEIR_OK) return status;
  return builder.run(static_cast<Callback<weir_settle_fn> &&>(settle), call);
}

// On the engine's thread, where nothing is in the way; NULL otherwise.
inline weir_call *RunBuilder::run_key_here(weir_operation &operation, weir_operation *inner,
                                           const RunKey &key, Callback<weir_settle_fn> &settle) {
  weir_runtime &runtime = *operation.runtime();
  if (!runtime.on_thread() || runtime.admit(true) != WEIR_OK) return nullptr;
  weir_call *call = weir_call::make_here(operation, nullptr, key.size);
  if (call == nullptr) {
    runtime.unadmit();
    return nullptr;
  }
  new (&call->settle_) Callback<weir_settle_fn>(static_cast<Callback<weir_settle_fn> &&>(settle));
  call->request_.input = ref_value(key.input);
  call->request_.inner = inner;
  call->keep_tail({key.data, key.size, nullptr, 0});
  operation.enter();
  inner->enter();
  return call;
}

weir_status run_key(weir_operation &operation, weir_operation *inner, const RunKey &key,
                    Callback<weir_settle_fn> &&settle, weir_call **call, weir_error **error) {
  weir_call *made = RunBuilder::run_key_here(operation, inner, key, settle);
  if (made == nullptr) {
    weir_run_options options = key.options();
    return run_with(&operation, inner, &options, static_cast<Callback<weir_settle_fn> &&>(settle),
                    call, error);
  }
  if (call != nullptr) *call = RunBuilder::hand_out(*made);
  RunBuilder::publish(*made);
  return WEIR_OK;
}

weir_call *RunBuilder::make_shared(const SharedMaking &making) {
  const RunRequest &request = *making.request;
  RequestTail tail = {request.key, request.key_size, request.name, making.name_size};
  if (making.key_as_input) tail.key_size = 0;
  weir_call *call =
      weir_call::make_here(*making.operation, making.policy, tail.key_size + tail.name_size);
  if (call == nullptr) return nullptr;
  if (making.policy != nullptr) making.policy->enter();
  new (&call->settle_) Callback<weir_settle_fn>(making.settle, making.data, nullptr);
  call->request_ = request;
  call->request_.shared = true;
  if (making.key_as_input) {
    call->request_.key = request.input->bytes();
    tail.key = nullptr;
  }
  call->keep_tail(tail);
  return call;
}

weir_call *make_shared(const SharedMaking &making) { return RunBuilder::make_shared(making); }

weir_status reserve_run(weir_operation &operation, const weir_run_options &options,
                        Callback<weir_settle_fn> &&settle, weir_call *&reserved) {
  RunBuilder builder(operation, nullptr, nullptr);
  builder.use(options);
  weir_status status = builder.make(static_cast<Callback<weir_settle_fn> &&>(settle));
  if (status == WEIR_OK) reserved = builder.made();
  return status;
}

void RunBuilder::set_input(weir_call &reserved, weir_value *input) {
  reserved.request_.input = ref_value(input);
}

void RunBuilder::publish(weir_call &reserved) { reserved.runtime().accept(reserved.task_, true); }

void set_input(weir_call &reserved, weir_value *input) { RunBuilder::set_input(reserved, input); }

void publish_run(weir_call &reserved) { RunBuilder::publish(reserved); }

void discard_run(weir_call &reserved) { reserved.discard(); }

}  // namespace weir

void weir_run_options_init(weir_run_options *options, size_t size) {
  weir::init_options(options, size, weir::default_run_options);
}

weir_status weir_run(weir_operation *operation, const weir_run_options *options,
                     weir_settle_fn settle, void *data, weir_free_fn free_data, weir_call **call,
                     weir_error **error) {
  return weir::run_with(operation, nullptr, options, {settle, data, free_data}, call, error);
}

[[gnu::cold]] weir_status weir_run_wait(weir_operation *operation, const weir_run_options *options,
                                        int64_t timeout_ms, weir_outcome *outcome,
                                        weir_error **error) {
  weir::Heap *heap = weir::heap_of(operation);
  weir::Check check("run_wait", heap, error);
  check.required("operation", operation)
      .required("outcome", outcome)
      .range_or("timeout_ms", timeout_ms, 0, weir::max_ms, "forever")
      .rule(options == nullptr || options->size < offsetof(weir_run_options, user) ||
                options->queue == nullptr,
            "options.queue must be NULL: the caller waits");
  if (!check.ok()) return check.status();
  if (outcome->size < offsetof(weir_outcome, held) + sizeof(outcome->held)) {
    return weir::report(error, heap, WEIR_EABI,
                        "run_wait.outcome.size must be sizeof the struct (got %u)", outcome->size);
  }
  if (operation->runtime()->on_thread() && !operation->runtime()->forked()) {
    return weir::report(error, heap, WEIR_ETHREAD,
                        "run_wait: the runtime's own thread must not wait");
  }
  weir_call *call = nullptr;
  weir_status status = weir_run(operation, options, nullptr, nullptr, nullptr, &call, error);
  if (status != WEIR_OK) return status;
  status = call->wait(timeout_ms);
  if (status == WEIR_OK) {
    uint32_t size = outcome->size;
    *outcome = call->outcome();
    outcome->size = size;
    outcome->held = call;
    return WEIR_OK;
  }
  call->cancel();
  call->unref();
  return weir::report_status(error, heap, status, "run_wait");
}

weir_call *weir_call_ref(weir_call *call) {
  if (call != nullptr) call->ref();
  return call;
}

void weir_call_unref(weir_call *call) {
  if (call == nullptr || call->runtime().forked()) return;
  call->unref();
}

[[gnu::cold]] weir_status weir_call_cancel(weir_call *call) {
  return call == nullptr ? weir_status{WEIR_EINVAL} : call->cancel();
}

weir_status weir_call_wait(weir_call *call, int64_t timeout_ms) {
  if (call == nullptr || timeout_ms < WEIR_FOREVER) return WEIR_EINVAL;
  return call->wait(timeout_ms);
}

const weir_outcome *weir_call_outcome(weir_call *call) {
  return call == nullptr || !call->settling() ? nullptr : &call->outcome();
}

// Fetches the block: nothing may have touched it for long, and most of it is needed soon.
void weir_call::prefetch() const {
  constexpr uint32_t line_size = 64;
  const char *block = reinterpret_cast<const char *>(this);
  for (uint32_t at = line_size; at < block_size_; at += line_size) {
    __builtin_prefetch(block + at, 1);
  }
}

weir_status weir_call::cancel(uint8_t reason) {
  if (settling()) return WEIR_ESTALE;
  if (runtime_.forked()) return WEIR_EFORKED;
  uint8_t posted = WEIR_CANCEL_NONE;
  if (!cancel_posted_.compare_exchange_strong(posted, reason, std::memory_order_acq_rel)) {
    return WEIR_OK;
  }
  if (runtime_.on_thread()) prefetch();
  ref();
  new (&cancel_task_) weir::CallTask(cancel_task, weir::Lane::cancel, this);
  runtime_.post(cancel_task_);
  return WEIR_OK;
}

[[gnu::cold]] weir_status weir_call::wait(int64_t timeout_ms) {
  if (settled()) return WEIR_OK;
  if (runtime_.forked()) return WEIR_EFORKED;
  if (runtime_.on_thread()) return WEIR_ETHREAD;
  int64_t until = weir::deadline_after(weir::monotonic_now(), weir::ms_to_ns(timeout_ms));
  weir::Lock lock(runtime_.settle_mutex());
  waiters_.fetch_add(1, std::memory_order_seq_cst);
  bool in_time = true;
  while (in_time && phase_.load(std::memory_order_seq_cst) != weir::Phase::settled) {
    in_time = runtime_.settle_condition().wait_until(runtime_.settle_mutex(), until);
  }
  waiters_.fetch_sub(1, std::memory_order_relaxed);
  return settled() ? WEIR_OK : WEIR_ETIMEDOUT;
}
