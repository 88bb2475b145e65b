// SPDX-License-Identifier: MIT
#include "engine/recorder.hh"

#include <weir/breaker.h>
#include <weir/recorder.h>
#include <weir/status.h>

#include "base/time.hh"
#include "engine/outcome.hh"
#include "engine/policy.hh"
#include "engine/runtime.hh"

namespace weir {
namespace {

using Unsigned = unsigned long long;

double shown_ms(int64_t time_ns) {
  return static_cast<double>(time_ns) / static_cast<double>(ns_per_ms);
}

const char *state_text(uint32_t state) {
  static constexpr char texts[][14] = {"closed",      "open",          "half-open",
                                       "forced open", "forced closed", "metrics only"};
  return state < sizeof(texts) / sizeof(texts[0]) ? texts[state] : "?";
}

const char *change_text(uint32_t reason) {
  static constexpr char texts[][11] = {"?", "failures", "slow calls", "time", "trials", "hand"};
  return reason < sizeof(texts) / sizeof(texts[0]) ? texts[reason] : "?";
}

// Events that are no policy's belong to these.
const char *subject_text(uint32_t policy_kind, uint32_t event_kind) {
  if (policy_kind != WEIR_POLICY_NONE) return policy_kind_text(policy_kind);
  switch (event_kind) {
    case WEIR_EVENT_EVICTION:
    case WEIR_EVENT_LOAD:
      return "cache";
    case WEIR_EVENT_PACED:
      return "pacer";
    default:
      return "run";
  }
}

void print_change(TextWriter &text, const weir_event &event) {
  text.print("%s -> %s, by %s (%llu of %llu calls failed, %llu slow)", state_text(event.from),
             state_text(event.to), change_text(event.reason), static_cast<Unsigned>(event.failures),
             static_cast<Unsigned>(event.calls), static_cast<Unsigned>(event.slow_calls));
  if (event.count > 0) text.print(", %llu changes missed", static_cast<Unsigned>(event.count));
}

void print_refusal(TextWriter &text, const weir_event &event, const weir_rejection &rejection) {
  char sentence[256];
  weir_rejection_describe(&rejection, sentence, sizeof(sentence));
  text.print("refused (%s): %s", weir_status_name(event.status),
             rejection.size != 0 ? sentence : "");
}

// What is said of a kind: # is its count, @ its time. No pointers, which the loader would have to
// relocate each time.
struct Words {
  uint32_t kind;
  char words[40];
};

constexpr Words event_words[] = {
    {WEIR_EVENT_RETRY, "try # failed, the next one in @"},
    {WEIR_EVENT_EVICTION, "# evicted"},
    {WEIR_EVENT_WAITING, "waits, # in the queue"},
    {WEIR_EVENT_GRANTED, "goes on, # left in the queue after @"},
    {WEIR_EVENT_TIMEOUT, "timed out after @"},
    {WEIR_EVENT_GAVE_UP, "gave up after # tries"},
    {WEIR_EVENT_LOAD, "loaded # in @"},
    {WEIR_EVENT_PACED, "ran once for # calls in @"},
    {WEIR_EVENT_HEDGE, "started copy # after @"},
    {WEIR_EVENT_HEDGE_WON, "copy # won after @"},
    {WEIR_EVENT_FALLBACK, "served the fallback"},
    {WEIR_EVENT_CHAOS, "injected #, @"},
};

void print_words(TextWriter &text, const char *words, const weir_event &event) {
  for (; *words != '\0'; ++words) {
    if (*words == '#') {
      text.print("%llu", static_cast<Unsigned>(event.count));
    } else if (*words == '@') {
      text.print("%.12g ms", shown_ms(event.delay_ns));
    } else {
      text.print("%c", *words);
    }
  }
}

void print_plain(TextWriter &text, const weir_event &event) {
  for (const Words &row : event_words) {
    if (row.kind == event.kind) print_words(text, row.words, event);
  }
  if (event.status != WEIR_OK) text.print(" (%s)", weir_status_name(event.status));
  if (event.kind == WEIR_EVENT_GAVE_UP) text.print(": %s", stop_reason_text(event.reason));
}

}  // namespace

Recorder *Recorder::create(Heap *heap, uint32_t capacity) {
  auto *entries = static_cast<Entry *>(heap->allocate(capacity * sizeof(Entry)));
  if (entries == nullptr) return nullptr;
  auto *recorder = heap->make<Recorder>(heap, entries, capacity);
  if (recorder == nullptr) heap->free(entries, capacity * sizeof(Entry));
  return recorder;
}

void Recorder::destroy() {
  heap_->free(entries_, capacity_ * sizeof(Entry));
  heap_->destroy(this);
}

void Recorder::note(const weir_event &event) {
  Lock lock(mutex_);
  Entry &entry = entries_[count_++ % capacity_];
  entry.event = event;
  entry.policy_kind = event.policy == nullptr ? uint32_t{WEIR_POLICY_NONE} : event.policy->kind;
  entry.rejection.size = 0;
  if (event.rejection != nullptr) {
    entry.rejection = *event.rejection;
  } else {
    copy_name(entry.rejection.name, event.name);
  }
}

bool Recorder::read(uint64_t number, Entry &entry) {
  Lock lock(mutex_);
  if (number + capacity_ < count_) return false;
  entry = entries_[number % capacity_];
  return true;
}

void Recorder::print(TextWriter &text, const Entry &entry) {
  const weir_event &event = entry.event;
  text.print("%lld.%09lld %s '%s': ", static_cast<long long>(event.at_ns / ns_per_second),
             static_cast<long long>(event.at_ns % ns_per_second),
             subject_text(entry.policy_kind, event.kind), entry.rejection.name);
  if (event.kind == WEIR_EVENT_STATE_CHANGE) {
    print_change(text, event);
  } else if (event.kind == WEIR_EVENT_REFUSAL) {
    print_refusal(text, event, entry.rejection);
  } else {
    print_plain(text, event);
  }
  text.print("\n");
}

void Recorder::dump(TextWriter &text) {
  uint64_t count = 0;
  {
    Lock lock(mutex_);
    count = count_;
  }
  uint64_t kept = count < capacity_ ? count : capacity_;
  text.print("%llu decisions, the last %llu of them:\n", static_cast<Unsigned>(count),
             static_cast<Unsigned>(kept));
  for (uint64_t number = count - kept; number < count; ++number) {
    Entry entry;
    if (read(number, entry)) print(text, entry);
  }
}

}  // namespace weir

weir_status weir_recorder_dump(weir_runtime *runtime, char *buffer, size_t size, size_t *needed) {
  if (needed != nullptr) *needed = 0;
  if (runtime == nullptr || (buffer == nullptr && size > 0)) return WEIR_EINVAL;
  weir::TextWriter text(buffer, size);
  if (runtime->recorder() == nullptr) return WEIR_ENOTSUP;
  if (runtime->forked()) return WEIR_EFORKED;
  runtime->recorder()->dump(text);
  if (needed != nullptr) *needed = text.length() + 1;
  return buffer != nullptr && text.length() >= size ? WEIR_EFULL : WEIR_OK;
}
