// SPDX-License-Identifier: MIT
//
// Outcomes inside: the public struct, with who owns the value and the error it points to made
// plain. An owned outcome holds one reference of each.

#pragma once

#include <weir/completions.h>
#include <weir/outcome.h>

namespace weir {

// The plain part of a result, in the order of weir_outcome: it is copied in few steps.
struct ResultFields {
  uint32_t channel = 0;
  weir_status status = WEIR_OK;
  uint32_t class_ = WEIR_CLASS_NONE;
  uint32_t stop_reason = WEIR_STOP_NONE;
  uint32_t cancel_reason = WEIR_CANCEL_NONE;
  uint32_t final = 0;
  int64_t retry_after_ms = -1;
  weir_value *value = nullptr;
  weir_error *error = nullptr;
  bool refused = false;  // the run's rejection belongs to it
};

// Result of an attempt or a layer on its way outwards, with the references it holds. Moved, never
// copied; the rest of a run's weir_outcome (attempts, elapsed ...) is the run's own.
class Result : public ResultFields {
 public:
  Result() = default;
  Result(const Result &) = delete;
  Result &operator=(const Result &) = delete;
  Result(Result &&other) noexcept : ResultFields(other) { other.forget(); }
  Result &operator=(Result &&other) noexcept {
    let_go();
    static_cast<ResultFields &>(*this) = other;
    other.forget();
    return *this;
  }
  ~Result() { let_go(); }

  // Unrefs what it holds; nothing is left.
  void clear() {
    let_go();
    static_cast<ResultFields &>(*this) = ResultFields();
  }

  // Takes the reference of `value` (nullable).
  void set_value(weir_value *taken) {
    clear();
    channel = WEIR_CHANNEL_VALUE;
    value = taken;
  }
  // The reference of its value, which it has no longer.
  weir_value *give_value() {
    weir_value *given = value;
    value = nullptr;
    return given;
  }
  // Takes the reference of `error` (not NULL).
  void set_error(weir_error *taken);
  // The bare error of `status`; cannot fail.
  void set_status(weir_status status);
  void set_stopped(weir_status status, uint32_t reason);

 private:
  void let_go() {
    if (value != nullptr || error != nullptr) unref_both();
  }
  void forget() {
    value = nullptr;
    error = nullptr;
  }
  void unref_both();
};

// What a record says of a result, with a reference of the host's own; and takes it back.
void show_result(weir_record &record, const ResultFields &result);
void drop_shown(const weir_record &record);

// A lent outcome's copy that stays, with references of its own.
struct KeptOutcome {
  void keep(const weir_outcome &lent);
  // The end of it.
  void give_back() const;

  weir_outcome outcome;
  weir_rejection rejection;
};

// True for statuses that stand for a refusal.
constexpr bool is_refusal(weir_status status) {
  return status == WEIR_EOPEN || status == WEIR_ELIMITED || status == WEIR_EFULL ||
         status == WEIR_ENOTIME;
}

// WEIR_STOP_* in a word or two.
const char *stop_reason_text(uint32_t reason);

// The immortal error of a status: no heap, no count. Never NULL.
weir_error *bare_error(weir_status status);

}  // namespace weir
