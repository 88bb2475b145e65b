// SPDX-License-Identifier: MIT
//
// Many operations, or one operation over many items, at most so many at once. See weir/parallel.h.
//
//   auto sizes = weir::parallel_each(upload, files, {.concurrency = 5}).run().get();
//   for (const weir::result<int> &size : sizes.value()) ...      // in the order of the files

#pragma once

#include "weir/detail/composed.hpp"

namespace weir {
inline namespace cpp {

// For parallel and for pools.
struct parallel_options {
  std::int64_t concurrency = 0;         // required: items at once, at least 1, or `unlimited`
  bool stop_on_error = true;            // the first failure ends it; false: all items run
  milliseconds item_timeout = forever;  // each item, its policy's waits included; 0 or more
  weir::policy policy{};                // around each item; may be empty
  // Told each result instead of a list, which is empty then; on the runtime's thread. See
  // result_in().
  function<void(std::uint64_t index, const outcome &)> on_item{};
  // So many have settled, of `total` (empty: nobody knows yet); on the runtime's thread.
  function<void(std::uint64_t done, std::optional<std::uint64_t> total)> on_progress{};
  std::string name{};
};

// In an on_item: the result that an outcome is, copied.
template <class T>
result<T> result_in(const outcome &outcome) {
  return detail::result_of<T>(outcome.get(), false);
}

namespace detail {

// The fields that a parallel's options and a pool's have in common.
template <class Options>
void fill_parallel(Options &to, const parallel_options &from) {
  to.stop_on_error = from.stop_on_error ? 1 : 0;
  to.concurrency = from.concurrency;
  to.item_timeout_ms = from.item_timeout.count();
  to.policy = from.policy.get();
  give(
      from.on_item,
      +[](void *data, std::uint64_t index, const weir_outcome *lent) {
        decltype(from.on_item)::call(data, index, outcome(*lent));
      },
      to.on_item, to.item_data, to.item_free_data);
  give(
      from.on_progress,
      +[](void *data, std::uint64_t done, std::uint64_t total) {
        std::optional<std::uint64_t> known;
        if (total != UINT64_MAX) known = total;
        decltype(from.on_progress)::call(data, done, known);
      },
      to.on_progress, to.progress_data, to.progress_free_data);
  to.name = text(from.name);
}

inline weir_parallel_options parallel_in_c(const parallel_options &from) {
  weir_parallel_options to = WEIR_PARALLEL_OPTIONS_INIT;
  fill_parallel(to, from);
  return to;
}

template <class T, class Input, class RunInput = void>
result<operation<results<T>, RunInput>> parallel_each_in_c(const operation<T, Input> &each,
                                                           weir_value *items,
                                                           const weir_parallel_options &c) {
  return compose<operation<results<T>, RunInput>>(
      each.runtime(), [&](weir_operation **made, weir_error **why) {
        return weir_parallel_new_each(each.get(), items, &c, made, why);
      });
}

}  // namespace detail

// Runs all operations, each with the run's input. Its value is their results, in their order; what
// fails is the outcome unless stop_on_error is off. Throws what it is refused with, as all here;
// the make_ forms give that as a result.
template <class T, class Input>
result<operation<results<T>, Input>> make_parallel(
    const runtime &runtime, const std::vector<operation<T, Input>> &operations,
    const parallel_options &options) {
  weir_parallel_options c = detail::parallel_in_c(options);
  auto list = detail::lend(operations);
  return detail::compose<operation<results<T>, Input>>(
      runtime.get(), [&](weir_operation **made, weir_error **why) {
        return weir_parallel_new(runtime.get(), list.data(), list.size(), &c, made, why);
      });
}
template <class T, class Input>
operation<results<T>, Input> parallel(const runtime &runtime,
                                      const std::vector<operation<T, Input>> &operations,
                                      const parallel_options &options) {
  return make_parallel(runtime, operations, options).value();
}

// Runs `each` once for each of `list`, which is its input.
template <class T, class Input>
result<operation<results<T>>> make_parallel_each(const operation<T, Input> &each,
                                                 std::vector<Input> list,
                                                 const parallel_options &options) {
  detail::value_handle values = detail::make_items(std::move(list));
  return detail::parallel_each_in_c(each, values.get(), detail::parallel_in_c(options));
}
template <class T, class Input>
operation<results<T>> parallel_each(const operation<T, Input> &each, std::vector<Input> list,
                                    const parallel_options &options) {
  return make_parallel_each(each, std::move(list), options).value();
}
// The same, with the items from each run: `.run({{a, b, c}})`.
template <class T, class Input>
result<operation<results<T>, items<Input>>> make_parallel_each(const operation<T, Input> &each,
                                                               const parallel_options &options) {
  return detail::parallel_each_in_c<T, Input, items<Input>>(each, nullptr,
                                                            detail::parallel_in_c(options));
}
template <class T, class Input>
operation<results<T>, items<Input>> parallel_each(const operation<T, Input> &each,
                                                  const parallel_options &options) {
  return make_parallel_each(each, options).value();
}
// With items that `pull` gives when there is room for the next; empty is the end, an error fails
// the whole. On the runtime's thread, with the index from 0.
template <class T, class Input>
result<operation<results<T>>> make_parallel_pull(
    const operation<T, Input> &each,
    const detail::same<function<result<std::optional<Input>>(std::uint64_t index)>> &pull,
    const parallel_options &options) {
  using puller = function<result<std::optional<Input>>(std::uint64_t)>;
  weir_parallel_options c = detail::parallel_in_c(options);
  detail::give(
      pull,
      +[](void *data, std::uint64_t index, weir_value **item, weir_error **failed) {
        result<std::optional<Input>> next = puller::call(data, index);
        if (!next) {
          *failed = next.error().share_or_make();
          return static_cast<std::uint32_t>(WEIR_PULL_ERROR);
        }
        if (!*next) return static_cast<std::uint32_t>(WEIR_PULL_END);
        *item = detail::encode_object(std::move(**next)).release();
        return static_cast<std::uint32_t>(WEIR_PULL_ITEM);
      },
      c.pull, c.pull_data, c.pull_free_data);
  return detail::parallel_each_in_c(each, nullptr, c);
}
template <class T, class Input>
operation<results<T>> parallel_pull(
    const operation<T, Input> &each,
    const detail::same<function<result<std::optional<Input>>(std::uint64_t index)>> &pull,
    const parallel_options &options) {
  return make_parallel_pull(each, pull, options).value();
}
// With items that the runs of `source` give, one after another; empty is the end.
template <class T, class Input>
result<operation<results<T>>> make_parallel_from(const operation<T, Input> &each,
                                                 const operation<std::optional<Input>> &source,
                                                 const parallel_options &options) {
  weir_parallel_options c = detail::parallel_in_c(options);
  c.source = source.get();
  return detail::parallel_each_in_c(each, nullptr, c);
}
template <class T, class Input>
operation<results<T>> parallel_from(const operation<T, Input> &each,
                                    const operation<std::optional<Input>> &source,
                                    const parallel_options &options) {
  return make_parallel_from(each, source, options).value();
}

}  // namespace cpp
}  // namespace weir
