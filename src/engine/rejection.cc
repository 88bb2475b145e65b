// SPDX-License-Identifier: MIT
//
// A refusal in one sentence: who, why with the numbers it was judged by, and when to try again.

#include <weir/breaker.h>
#include <weir/outcome.h>

#include <algorithm>
#include <cstring>

#include "base/text.hh"
#include "base/time.hh"
#include "engine/policy.hh"

namespace weir {
namespace {

using Number = long long;

double in_ms(int64_t time_ns) {
  return static_cast<double>(time_ns) / static_cast<double>(ns_per_ms);
}

const char *plural(int64_t count) { return count == 1 ? "" : "s"; }

void print_who(TextWriter &text, const weir_rejection &rejection) {
  bool is_breaker = rejection.policy == WEIR_POLICY_BREAKER;
  text.print("%s%s", is_breaker ? "circuit " : "", policy_kind_text(rejection.policy));
  if (rejection.name[0] != '\0') text.print(" '%.47s'", rejection.name);
}

void print_opening(TextWriter &text, const weir_rejection &rejection) {
  auto calls = static_cast<Number>(rejection.calls);
  auto failures = static_cast<Number>(rejection.failures);
  auto slow_calls = static_cast<Number>(rejection.slow_calls);
  bool in_a_row = rejection.threshold > 1 || (failures == 1 && calls == 1);
  switch (rejection.cause) {
    case WEIR_BREAKER_BY_FAILURES:
      if (in_a_row) {
        text.print(": %lld failure%s in a row (opens at %g)", failures, plural(failures),
                   rejection.threshold);
      } else {
        text.print(": %lld of %lld calls failed (opens at %g %%)", failures, calls,
                   rejection.threshold * 100);
      }
      break;
    case WEIR_BREAKER_BY_SLOW_CALLS:
      text.print(": %lld of %lld calls were slow (opens at %g %%)", slow_calls, calls,
                 rejection.threshold * 100);
      break;
    case WEIR_BREAKER_BY_TRIALS:
      text.print(": %lld of %lld trial calls failed (opens at %g)", failures, calls,
                 rejection.threshold);
      break;
    default:
      text.print(": %lld of %lld calls had failed", failures, calls);
  }
}

void print_breaker(TextWriter &text, const weir_rejection &rejection) {
  switch (rejection.reason) {
    case WEIR_REJECTION_OPEN:
      text.print(" is open");
      return print_opening(text, rejection);
    case WEIR_REJECTION_HALF_OPEN:
      return text.print(" is half-open: all of its %lld trial calls are taken",
                        static_cast<Number>(rejection.limit));
    case WEIR_REJECTION_FORCED_OPEN:
      return text.print(" is held open by hand");
    default:
      return text.print(" is closing again: it lets %.3g %% of calls pass now",
                        rejection.threshold * 100);
  }
}

void print_rate(TextWriter &text, const weir_rejection &rejection) {
  text.print(" has %lld permit%s of the %lld asked for", static_cast<Number>(rejection.available),
             plural(rejection.available), static_cast<Number>(rejection.requested));
  if (rejection.reason == WEIR_REJECTION_CONCURRENCY) {
    text.print(" (%lld at once)", static_cast<Number>(rejection.limit));
  } else {
    text.print(" (%lld in %.12g ms)", static_cast<Number>(rejection.limit),
               in_ms(rejection.interval_ns));
  }
}

void print_limiter(TextWriter &text, const weir_rejection &rejection) {
  auto requested = static_cast<Number>(rejection.requested);
  auto limit = static_cast<Number>(rejection.limit);
  auto queued = static_cast<Number>(rejection.queued);
  switch (rejection.reason) {
    case WEIR_REJECTION_QUEUE_FULL:
      return text.print(": its queue is full (%lld wait, at most %lld)", queued, limit);
    case WEIR_REJECTION_QUEUE_TIMEOUT:
      return text.print(": %lld permit%s could not be had in %.12g ms of waiting", requested,
                        plural(requested), in_ms(rejection.waited_ns));
    case WEIR_REJECTION_PAUSED:
      return text.print(" is paused");
    case WEIR_REJECTION_WEIGHT:
      return text.print(" was asked for %lld permit%s and can give %lld at most", requested,
                        plural(requested), limit);
    case WEIR_REJECTION_KEYS:
      return text.print(" has no room for another key (all %lld are in use)", limit);
    case WEIR_REJECTION_NO_TIME:
      return text.print(": a wait of %.12g ms does not fit the %.12g ms left",
                        in_ms(rejection.retry_after_ns), in_ms(rejection.remaining_ns));
    case WEIR_REJECTION_WAITERS:
      return text.print(" lets nobody pass the %lld that wait%s", queued, queued == 1 ? "s" : "");
    default:
      return print_rate(text, rejection);
  }
}

void print_budget(TextWriter &text, const weir_rejection &rejection) {
  text.print(" has no retry left: %lld of %lld in %.12g ms (%lld first attempts, ratio %g)",
             static_cast<Number>(rejection.failures), static_cast<Number>(rejection.limit),
             in_ms(rejection.interval_ns), static_cast<Number>(rejection.calls),
             rejection.threshold);
}

void print_retry_after(TextWriter &text, const weir_rejection &rejection) {
  if (rejection.retry_after_ns < 0) {
    text.print("; nobody can know when to try again");
  } else {
    text.print("; try again in %.12g ms", in_ms(rejection.retry_after_ns));
  }
}

}  // namespace
}  // namespace weir

size_t weir_rejection_describe(const weir_rejection *rejection, char *buffer, size_t size) {
  weir::TextWriter text(buffer, buffer == nullptr ? 0 : size);
  if (rejection == nullptr || rejection->size < 2 * sizeof(uint32_t)) {
    text.print("no rejection");
    return text.length();
  }
  weir_rejection known = {};
  std::memcpy(&known, rejection, std::min<size_t>(rejection->size, sizeof(known)));
  weir::print_who(text, known);
  if (known.reason == WEIR_REJECTION_BUDGET) {
    weir::print_budget(text, known);
  } else if (known.policy == WEIR_POLICY_BREAKER) {
    weir::print_breaker(text, known);
  } else if (known.policy == WEIR_POLICY_LIMITER) {
    weir::print_limiter(text, known);
  } else {
    text.print(" refused");
  }
  weir::print_retry_after(text, known);
  return text.length();
}
