// SPDX-License-Identifier: MIT
#include "engine/outcome.hh"

#include "base/text.hh"
#include "base/time.hh"
#include "engine/error.hh"
#include "engine/run.hh"
#include "engine/value.hh"

namespace weir {

void Result::unref_both() {
  unref_value(value);
  unref_error(error);
}

void Result::set_error(weir_error *taken) {
  clear();
  channel = WEIR_CHANNEL_ERROR;
  status = taken->status;
  error = taken;
}

void Result::set_status(weir_status bare) {
  set_error(bare_error(bare));
  status = bare;
}

void Result::set_stopped(weir_status stopped, uint32_t reason) {
  clear();
  channel = WEIR_CHANNEL_STOPPED;
  status = stopped;
  cancel_reason = reason;
}

void show_result(weir_record &record, const ResultFields &result) {
  record.channel = static_cast<uint8_t>(result.channel);
  record.status = result.status;
  record.object = result.channel == WEIR_CHANNEL_VALUE
                      ? reinterpret_cast<uintptr_t>(ref_value(result.value))
                      : reinterpret_cast<uintptr_t>(ref_error(result.error));
}

[[gnu::cold]] void drop_shown(const weir_record &record) {
  auto object = static_cast<uintptr_t>(record.object);
  if (record.channel == WEIR_CHANNEL_VALUE) {
    unref_value(reinterpret_cast<weir_value *>(object));
  } else {
    unref_error(reinterpret_cast<weir_error *>(object));
  }
}

[[gnu::cold]] void KeptOutcome::keep(const weir_outcome &lent) {
  outcome = lent;
  ref_value(outcome.value);
  ref_error(outcome.error);
  if (outcome.rejection == nullptr) return;
  rejection = *outcome.rejection;
  outcome.rejection = &rejection;
}

[[gnu::cold]] void KeptOutcome::give_back() const {
  unref_value(outcome.value);
  unref_error(outcome.error);
}

const char *stop_reason_text(uint32_t reason) {
  static constexpr char texts[][13] = {"",       "attempts",     "elapsed",
                                       "budget", "no time left", "refused",
                                       "final",  "classified",   "no memory"};
  return reason < sizeof(texts) / sizeof(texts[0]) ? texts[reason] : "unknown";
}

namespace {

const char *cancel_reason_text(uint32_t reason) {
  static constexpr char texts[][16] = {
      "",          "by the caller", "by its deadline", "by a timeout",
      "lost race", "superseded",    "by shutdown"};
  return reason < sizeof(texts) / sizeof(texts[0]) ? texts[reason] : "unknown";
}

void print_domain(TextWriter &line, const weir_error *error) {
  constexpr char names[][6] = {"weir", "errno", "uv", "http", "grpc", "curl"};
  uint32_t domain = weir_error_domain(error);
  if (domain < sizeof(names) / sizeof(names[0])) {
    line.print("%s %lld", names[domain], static_cast<long long>(weir_error_code(error)));
  } else {
    line.print("domain %u code %lld", domain, static_cast<long long>(weir_error_code(error)));
  }
}

void print_failure(TextWriter &line, const weir_outcome &outcome) {
  const weir_error *error = outcome.error;
  const char *message = weir_error_message(error);
  bool bare = error == nullptr || error->heap == nullptr || message[0] == '\0';
  line.print("failed: ");
  if (outcome.status != WEIR_EFAILED) {
    // weir's own messages repeat what the status says, and say more.
    line.print("%s (%s)", bare ? weir_status_message(outcome.status) : message,
               weir_status_name(outcome.status));
    return;
  }
  print_domain(line, error);
  if (!bare) line.print(" '%s'", message);
}

void print_counts(TextWriter &line, const weir_outcome &outcome) {
  line.print(" after %u attempt%s in %.3f ms", outcome.attempts, outcome.attempts == 1 ? "" : "s",
             static_cast<double>(outcome.elapsed_ns) / static_cast<double>(ns_per_ms));
  if (outcome.stop_reason != WEIR_STOP_NONE) {
    line.print(" (stopped: %s)", stop_reason_text(outcome.stop_reason));
  }
  if (outcome.retry_after_ms >= 0) {
    line.print(" (retry after %lld ms)", static_cast<long long>(outcome.retry_after_ms));
  }
}

}  // namespace
}  // namespace weir

size_t weir_outcome_describe(const weir_outcome *outcome, char *buffer, size_t size) {
  weir::TextWriter line(buffer, buffer == nullptr ? 0 : size);
  if (outcome == nullptr) {
    line.print("no outcome");
    return line.length();
  }
  switch (outcome->channel) {
    case WEIR_CHANNEL_VALUE:
      line.print("succeeded");
      break;
    case WEIR_CHANNEL_ERROR:
      weir::print_failure(line, *outcome);
      break;
    case WEIR_CHANNEL_STOPPED:
      line.print("stopped %s: %s", weir::cancel_reason_text(outcome->cancel_reason),
                 weir_status_message(outcome->status));
      break;
    default:
      line.print("not settled");
      return line.length();
  }
  weir::print_counts(line, *outcome);
  return line.length();
}

void weir_outcome_release(weir_outcome *outcome) {
  if (outcome == nullptr) return;
  weir_call *held = outcome->held;
  outcome->held = nullptr;
  outcome->value = nullptr;
  outcome->error = nullptr;
  outcome->rejection = nullptr;
  weir_call_unref(held);
}
