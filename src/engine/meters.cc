// SPDX-License-Identifier: MIT
#include "engine/meters.hh"

#include <weir/metrics.h>

#include <cstring>

#include "base/counter.hh"
#include "base/text.hh"
#include "base/utf8.hh"
#include "engine/operation.hh"
#include "engine/options.hh"
#include "engine/policy.hh"
#include "engine/runtime.hh"

namespace weir {
namespace {

constexpr size_t longest_label_key = 127;
constexpr size_t longest_label_value = 1023;

bool is_key_byte(char byte, bool first) {
  bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
  return letter || (!first && byte >= '0' && byte <= '9');
}

bool is_label_key(const char *key) {
  size_t size = 0;
  while (size <= longest_label_key && is_key_byte(key[size], size == 0)) ++size;
  return size > 0 && size <= longest_label_key && key[size] == '\0';
}

int compare_keys(const Label &a, const Label &b) {
  size_t shared = a.key_size < b.key_size ? a.key_size : b.key_size;
  int order = std::memcmp(a.text(), b.text(), shared);
  if (order != 0 || a.key_size == b.key_size) return order;
  return a.key_size < b.key_size ? -1 : 1;
}

// What weir's own samples say.
bool is_taken_key(const char *key) {
  constexpr char taken[][9] = {"le", "quantile", "runtime", "name", "kind", "result", "state"};
  for (const auto &word : taken) {
    if (std::strcmp(word, key) == 0) return true;
  }
  return false;
}

weir_status check_label(const char *key, const char *value, Heap *heap, weir_error **error) {
  return Check("label", heap, error)
      .required("key", key)
      .required("value", value)
      .rule(key == nullptr || is_label_key(key),
            "key must be [a-zA-Z_][a-zA-Z0-9_]* of at most 127 bytes (got '%.64s')", key)
      .rule(key == nullptr || key[0] != '_' || key[1] != '_',
            "key must not begin with two underscores (got '%.64s')", key)
      .rule(key == nullptr || !is_taken_key(key), "key '%.64s' is used by weir itself", key)
      .rule(value == nullptr || strnlen(value, longest_label_value + 1) <= longest_label_value,
            "value must be at most %zu bytes", longest_label_value)
      .rule(value == nullptr || is_utf8(value), "value must be UTF-8")
      .status();
}

}  // namespace

const int64_t Histogram::upper_ns[bounds] = {
    100'000,       250'000,       500'000,       1'000'000,     2'500'000,   5'000'000,
    10'000'000,    25'000'000,    50'000'000,    100'000'000,   250'000'000, 500'000'000,
    1'000'000'000, 2'500'000'000, 5'000'000'000, 10'000'000'000};

void Histogram::note(int64_t time_ns) {
  int bucket = 0;
  while (bucket < bounds && time_ns > upper_ns[bucket]) ++bucket;
  count_one(counts_[bucket]);
  sum_ns_.store(sum_ns_.load(std::memory_order_relaxed) + time_ns, std::memory_order_relaxed);
}

// ---- meters ----

void MeterBook::free_labels(Label *labels) {
  while (labels != nullptr) {
    Label *next = labels->next;
    heap_->free(labels, sizeof(Label) + labels->size + 1);
    labels = next;
  }
}

void MeterBook::free_meters(Meters *meters) {
  if (meters == nullptr) return;
  free_labels(meters->labels);
  if (meters->histograms != nullptr) heap_->free(meters->histograms, 2 * sizeof(Histogram));
  heap_->destroy(meters);
}

// Two threads may both give some: one's stay. False without memory.
bool MeterBook::give_meters(Handle &handle) {
  if (handle.meters() != nullptr) return true;
  auto *meters = heap_->make<Meters>();
  if (meters == nullptr) return false;
  if (measures_) {
    meters->histograms = static_cast<Histogram *>(heap_->allocate(2 * sizeof(Histogram)));
    if (meters->histograms == nullptr) {
      heap_->destroy(meters);
      return false;
    }
    new (meters->histograms) Histogram();
    new (meters->histograms + 1) Histogram();
  }
  if (!handle.take_meters(meters)) free_meters(meters);
  return true;
}

bool MeterBook::add(Handle &handle, Metered kind) {
  if (measures_ && !give_meters(handle)) return false;
  Lock lock(mutex_);
  if (!handle.set_listed()) return true;
  list(kind).push_back(&handle);
  return true;
}

void MeterBook::remove(Handle &handle) {
  if (!handle.is_listed()) return;
  Lock lock(mutex_);
  // Any list: an element knows its neighbours.
  lists_[0].remove(&handle);
}

// ---- labels ----

Label *MeterBook::make_label(const char *key, const char *value, size_t key_size) {
  TextWriter measured(nullptr, 0);
  print_escaped(measured, value);
  size_t size = key_size + measured.length() + sizeof("=\"\"") - 1;
  auto *label = static_cast<Label *>(heap_->allocate(sizeof(Label) + size + 1));
  if (label == nullptr) return nullptr;
  *label = {nullptr, static_cast<uint32_t>(size), static_cast<uint32_t>(key_size)};
  TextWriter text(label->text(), size + 1);
  text.print("%s=\"", key);
  print_escaped(text, value);
  text.print("\"");
  return label;
}

int32_t MeterBook::set_label(Handle *handle, const char *key, const char *value,
                             weir_error **error) {
  weir_status status = check_label(key, value, heap_, error);
  if (status != WEIR_OK) return status;
  Label *label = make_label(key, value, std::strlen(key));
  if (label == nullptr || (handle != nullptr && !give_meters(*handle))) {
    free_labels(label);
    return report_no_memory(error, heap_, "label");
  }
  {
    Lock lock(mutex_);
    Label **place = handle == nullptr ? &labels_ : &handle->meters()->labels;
    int order = -1;
    while (*place != nullptr && (order = compare_keys(**place, *label)) < 0) {
      place = &(*place)->next;
    }
    if (*place == nullptr || order != 0) {
      label->next = *place;
      *place = label;
      return WEIR_OK;
    }
  }
  free_labels(label);
  return report(error, heap_, WEIR_EEXISTS, "label.key '%.64s' is set already", key);
}

// ---- for the others ----

bool publish(Handle &handle, Metered kind) { return handle.runtime()->meters().add(handle, kind); }

void note_time(const Handle &handle, Measure measure, int64_t time_ns) {
  const Meters *meters = handle.meters();
  if (meters == nullptr || meters->histograms == nullptr) return;
  meters->histograms[static_cast<size_t>(measure)].note(time_ns);
}

int32_t set_label(Handle *handle, const char *key, const char *value, weir_error **error) {
  if (handle == nullptr) {
    return report(error, Heap::standard(), WEIR_EINVAL, "label: the handle must not be NULL");
  }
  if (handle->runtime()->forked()) return WEIR_EFORKED;
  return handle->runtime()->meters().set_label(handle, key, value, error);
}

}  // namespace weir
