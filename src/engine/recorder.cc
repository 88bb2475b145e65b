// SPDX-License-Identifier: MIT
#include "engine/recorder.hh"

#include <weir/breaker.h>
#include <weir/recorder.h>
#include <weir/status.h>

#include <algorithm>
#include <cstring>

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
    case WEIR_EVENT_LOG:
      return "log";
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

// Under the mutex.
Recorder::Entry &Recorder::add(const weir_event &event, const char *name) {
  Entry &entry = entries_[count_++ % capacity_];
  entry.event = event;
  entry.policy_kind = event.policy == nullptr ? uint32_t{WEIR_POLICY_NONE} : event.policy->kind;
  copy_name(entry.name, name);
  entry.rejection.size = 0;
  told();
  return entry;
}

void Recorder::note(const weir_event &event) {
  Lock lock(mutex_);
  Entry &entry = add(event, event.name);
  if (event.rejection == nullptr) return;
  entry.rejection = *event.rejection;
  copy_name(entry.name, event.rejection->name);
}

void Recorder::note_line(int64_t at_ns, int32_t level, const char *subject, const char *message) {
  weir_event event = {};
  event.kind = WEIR_EVENT_LOG;
  event.reason = static_cast<uint32_t>(level);
  event.at_ns = at_ns;
  Lock lock(mutex_);
  copy_name(add(event, subject).line, message);
}

// The number of the first entry from `wanted` on that is kept, if it is below `end`.
uint64_t Recorder::first_from(uint64_t wanted, uint64_t &end) {
  Lock lock(mutex_);
  end = count_;
  uint64_t kept = count_ < capacity_ ? count_ : capacity_;
  return std::max(wanted, count_ - kept);
}

bool Recorder::read(uint64_t number, Entry &entry) {
  Lock lock(mutex_);
  if (number + capacity_ < count_) return false;
  entry = entries_[number % capacity_];
  return true;
}

void Recorder::show(const Entry &entry, weir_recorded &shown) {
  const weir_event &event = entry.event;
  shown.at_ns = event.at_ns;
  shown.kind = event.kind;
  shown.policy = entry.policy_kind;
  shown.status = event.status;
  shown.reason = event.reason;
  shown.from = event.from;
  shown.to = event.to;
  shown.count = event.count;
  shown.delay_ns = event.delay_ns;
  shown.calls = event.calls;
  shown.failures = event.failures;
  shown.slow_calls = event.slow_calls;
  copy_name(shown.name, entry.name);
  if (event.kind == WEIR_EVENT_LOG) {
    copy_name(shown.text, entry.line);
  } else if (entry.rejection.size != 0) {
    shown.reason = entry.rejection.reason;
    weir_rejection_describe(&entry.rejection, shown.text, sizeof(shown.text));
  }
}

size_t Recorder::read_on(uint64_t &cursor, char *out, size_t entry_size, size_t capacity) {
  size_t known = std::min(entry_size, sizeof(weir_recorded));
  size_t count = 0;
  uint64_t end = 0;
  uint64_t number = first_from(cursor, end);
  for (; number < end && count < capacity; ++number) {
    Entry entry;
    if (!read(number, entry)) continue;
    weir_recorded shown = {};
    shown.number = number;
    show(entry, shown);
    std::memset(out, 0, entry_size);
    std::memcpy(out, &shown, known);
    out += entry_size;
    ++count;
  }
  cursor = number;
  return count;
}

// Under the mutex. Returns who was told before, to be given back outside of it.
weir_completions *Recorder::replace_queue(weir_completions *queue) {
  weir_completions *before = queue_;
  if (before != nullptr) before->revoke(record_);
  queue_ = queue;
  return before;
}

bool Recorder::notify(weir_completions *queue, uint64_t user) {
  weir_completions *before = nullptr;
  {
    Lock lock(mutex_);
    if (closed_) return false;
    before = replace_queue(ref_handle(queue));
    record_.content.kind = WEIR_RECORD_RECORDED;
    record_.content.user = user;
  }
  unref_handle(before);
  return true;
}

void Recorder::close() {
  weir_completions *before = nullptr;
  {
    Lock lock(mutex_);
    closed_ = true;
    before = replace_queue(nullptr);
  }
  unref_handle(before);
}

void Recorder::print(TextWriter &text, const Entry &entry) {
  const weir_event &event = entry.event;
  text.print("%lld.%09lld %s '%s': ", static_cast<long long>(event.at_ns / ns_per_second),
             static_cast<long long>(event.at_ns % ns_per_second),
             subject_text(entry.policy_kind, event.kind), entry.name);
  if (event.kind == WEIR_EVENT_LOG) {
    text.print("%s", entry.line);
  } else if (event.kind == WEIR_EVENT_STATE_CHANGE) {
    print_change(text, event);
  } else if (event.kind == WEIR_EVENT_REFUSAL) {
    print_refusal(text, event, entry.rejection);
  } else {
    print_plain(text, event);
  }
  text.print("\n");
}

void Recorder::dump(TextWriter &text) {
  uint64_t end = 0;
  uint64_t first = first_from(0, end);
  text.print("%llu decisions, the last %llu of them:\n", static_cast<Unsigned>(end),
             static_cast<Unsigned>(end - first));
  for (uint64_t number = first; number < end; ++number) {
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

weir_status weir_recorder_read(weir_runtime *runtime, uint64_t *cursor, weir_recorded *entries,
                               size_t entry_size, size_t capacity, size_t *count) {
  if (count != nullptr) *count = 0;
  if (runtime == nullptr || cursor == nullptr || count == nullptr) return WEIR_EINVAL;
  if (entries == nullptr || capacity == 0) return WEIR_EINVAL;
  if (entry_size < offsetof(weir_recorded, status)) return WEIR_EABI;
  if (runtime->recorder() == nullptr) return WEIR_ENOTSUP;
  if (runtime->forked()) return WEIR_EFORKED;
  *count = runtime->recorder()->read_on(*cursor, reinterpret_cast<char *>(entries), entry_size,
                                        capacity);
  return WEIR_OK;
}

weir_status weir_recorder_notify(weir_runtime *runtime, weir_completions *queue, uint64_t user) {
  if (runtime == nullptr || (queue != nullptr && queue->runtime() != runtime)) return WEIR_EINVAL;
  if (runtime->recorder() == nullptr) return WEIR_ENOTSUP;
  if (runtime->forked()) return WEIR_EFORKED;
  return runtime->recorder()->notify(queue, user) ? WEIR_OK : WEIR_ECLOSED;
}
