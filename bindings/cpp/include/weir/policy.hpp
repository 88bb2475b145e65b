// SPDX-License-Identifier: MIT
//
// Policies: how operations are run. Each kind is a class of its own, made from a runtime and its
// options; all are this one, too. A copy is the same policy: breakers and limiters keep their state
// wherever they are used.
//
//   weir::retry retry{runtime, {.max_attempts = 5}};
//   weir::breaker breaker{runtime, {.failure_threshold = 5, .name = "api"}};
//   auto guarded = fetch.with(breaker | retry);        // the first is outermost

#pragma once

#include "weir/runtime.hpp"

namespace weir {
inline namespace cpp {

// Only these user errors are failures: a range of codes of a domain, both ends included.
struct error_range {
  weir::domain domain = weir::domain::user;
  std::int64_t code_min = 0;
  std::int64_t code_max = 0;
};

// Judges an outcome on the thread that asks, also several at once; `none` means the default.
using classifier = function<classification(const outcome &)>;

namespace detail {

inline std::uint32_t classify_in_c(void *data, const weir_outcome *lent) {
  return static_cast<std::uint32_t>(classifier::call(data, outcome(*lent)));
}

// The ranges of a policy's options while they are handed over.
class failure_ranges {
 public:
  explicit failure_ranges(const std::vector<error_range> &ranges) {
    for (const error_range &range : ranges) {
      ranges_.push_back(
          {static_cast<std::uint32_t>(range.domain), 0, range.code_min, range.code_max});
    }
  }
  // Fills the fields that several structs of options have in common.
  template <class Options>
  void give_to(Options &options, const classifier &classify) const {
    give(classify, classify_in_c, options.classify, options.classify_data,
         options.classify_free_data);
    options.failures = ranges_.empty() ? nullptr : ranges_.data();
    options.failures_count = ranges_.size();
  }

 private:
  std::vector<weir_error_range> ranges_;
};

}  // namespace detail

// Any policy; may be empty, where one is optional. Copies are equal.
class policy : public detail::same_object<policy> {
 public:
  policy() = default;

  policy_kind kind() const { return static_cast<policy_kind>(weir_policy_kind(get())); }
  std::string_view name() const { return weir_policy_name(get()); }
  // A label on its metrics.
  result<void> set_label(const std::string &key, const std::string &value) const {
    weir_error *why = nullptr;
    return detail::done(weir_policy_set_label(get(), key.c_str(), value.c_str(), &why), why);
  }

  explicit operator bool() const { return static_cast<bool>(handle_); }
  weir_policy *get() const { return handle_.get(); }
  // Lent; valid as long as this policy, also after the runtime's end.
  weir_runtime *runtime() const { return runtime_; }
  // Takes over a reference of a policy of `runtime`.
  static policy adopt(weir_runtime *runtime, weir_policy *made) {
    policy result;
    result.handle_ = detail::policy_handle::adopt(made);
    result.runtime_ = runtime;
    return result;
  }

 private:
  detail::policy_handle handle_;
  detail::lent<weir_runtime> runtime_;
};

namespace detail {

// A policy of one kind, with its own handle beside (the same object). `Find` turns any policy into
// it, or NULL.
template <class Kind, class C, C *(*Find)(weir_policy *)>
class policy_of : public policy {
 public:
  // What `found` is, if it is of this kind; else empty.
  static Kind from(policy found) {
    Kind result;
    result.native_ = Find(found.get());
    if (result.native_ != nullptr) static_cast<policy &>(result) = std::move(found);
    return result;
  }
  C *native() const { return native_; }

 protected:
  static Kind adopt(weir_runtime *runtime, C *made, weir_policy *(*as_policy)(C *)) {
    Kind result;
    static_cast<policy &>(result) = policy::adopt(runtime, as_policy(made));
    result.native_ = made;
    return result;
  }
  // The statistics that `get` fills.
  template <class Stats>
  Stats stats_by(weir_status (*fill)(C *, Stats *)) const {
    Stats stats{};
    stats.size = sizeof stats;
    fill(native_, &stats);
    return stats;
  }

  lent<C> native_;
};

}  // namespace detail

// Several policies as one, the first outermost; see weir/pipeline.h for what is refused.
class pipeline : public detail::policy_of<pipeline, weir_pipeline, weir_policy_pipeline> {
 public:
  pipeline() = default;
  pipeline(const weir::runtime &runtime, const std::vector<policy> &policies,
           const std::string &name = {})
      : pipeline(make(runtime, policies, name).value()) {}
  static result<pipeline> make(const weir::runtime &runtime, const std::vector<policy> &policies,
                               const std::string &name = {}) {
    return of(runtime.get(), policies, name);
  }
  static result<pipeline> of(weir_runtime *runtime, const std::vector<policy> &policies,
                             const std::string &name) {
    std::vector<weir_policy *> list;
    list.reserve(policies.size());
    for (const policy &one : policies) list.push_back(one.get());
    weir_pipeline *made = nullptr;
    weir_error *why = nullptr;
    weir_status status =
        weir_pipeline_new(runtime, list.data(), list.size(), detail::text(name), &made, &why);
    if (status != WEIR_OK) return error::adopt(status, why);
    return adopt(runtime, made, weir_pipeline_policy);
  }
};

// `outer` around `inner`. Throws what pipeline's constructor throws.
inline pipeline operator|(const policy &outer, const policy &inner) {
  return pipeline::of(outer.runtime(), {outer, inner}, {}).value();
}

// Policies by name, for all modules and languages of a runtime; see weir/registry.h.
//
//   weir::registry(runtime).add(breaker);
//   if (auto found = weir::registry(runtime).find<weir::breaker>("api")) ...
class registry {
 public:
  explicit registry(const weir::runtime &runtime) : runtime_(runtime) {}

  // Under the policy's own name. Errors: invalid (no name, or other letters), exists, closed.
  result<void> add(const policy &policy) const {
    weir_error *why = nullptr;
    return detail::done(weir_policy_register(policy.get(), &why), why);
  }
  // P is `policy`, or a kind: breaker, limiter, retry, timeout, pipeline, chaos. Errors: not_found,
  // invalid (it is of another kind), closed.
  template <class P = policy>
  result<P> find(const std::string &name) const {
    weir_policy *found = nullptr;
    weir_error *why = nullptr;
    weir_status status = weir_policy_find(runtime_.get(), name.c_str(), &found, &why);
    if (status != WEIR_OK) return error::adopt(status, why);
    policy any = policy::adopt(runtime_.get(), found);
    if constexpr (std::is_same_v<P, policy>) {
      return any;
    } else {
      P kind = P::from(std::move(any));
      if (!kind) return detail::invalid("the policy of that name is of another kind");
      return kind;
    }
  }
  // The name is free again; who found the policy keeps it.
  result<void> remove(const policy &policy) const {
    return detail::done(weir_policy_unregister(policy.get()));
  }

 private:
  weir::runtime runtime_;
};

}  // namespace cpp
}  // namespace weir

// Kinds of policies are hashed as policies.
template <>
struct std::hash<weir::policy> : weir::detail::hash_of_object<weir::policy> {};
