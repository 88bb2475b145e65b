// SPDX-License-Identifier: MIT
#include "engine/completions.hh"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/time.hh"
#include "engine/options.hh"
#include "engine/runtime.hh"
#include "engine/value.hh"

using weir::Lock;
using weir::Record;

[[gnu::cold]] weir_completions::weir_completions(weir_runtime *runtime)
    : Handle(runtime, weir::end_handle<weir_completions>), closed_record_(nullptr) {}

weir_completions::~weir_completions() {
  runtime()->remove_queue(*this);
  if (descriptor != -1) ::close(descriptor);
}

void weir_completions::user_unref() {
  if (users_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (runtime()->forked()) return;  // the mutex may be held by a thread that is not here
  {
    Lock lock(mutex_);
    ended_ = true;
  }
  while (Record *record = pop_given_up()) {
    if (record->drained != nullptr) record->drained(*record, false);
  }
  unref();
}

// A record without `drained` may be gone as soon as the mutex is released: it is only dropped.
Record *weir_completions::pop_given_up() {
  Lock lock(mutex_);
  while (Record *record = records_.pop_front()) {
    record->queued = false;
    if (record->drained != nullptr) return record;
  }
  return nullptr;
}

void weir_completions::post(Record &record) {
  bool edge = false;
  if (!enqueue(record, edge)) {
    if (record.drained != nullptr) record.drained(record, false);
    return;
  }
  if (edge && notify) notify();
}

// False if nobody will drain it.
bool weir_completions::enqueue(Record &record, bool &edge) {
  if (runtime()->forked()) return false;
  Lock lock(mutex_);
  if (ended_) return false;
  if (record.queued) return true;
  edge = records_.empty();
  record.queued = true;
  records_.push_back(&record);
  if (waiters_ != 0) condition_.wake_all();
  if (edge && descriptor != -1) signal();
  return true;
}

bool weir_completions::revoke(Record &record) {
  Lock lock(mutex_);
  if (!record.queued) return false;
  record.queued = false;
  records_.remove(&record);
  return true;
}

void weir_completions::signal() const {
  uint64_t one = 1;
  // Can only fail when the counter is full, and then the descriptor is readable already.
  [[maybe_unused]] ssize_t written = write(descriptor, &one, sizeof(one));
}

void weir_completions::clear_descriptor() const {
  uint64_t count = 0;
  [[maybe_unused]] ssize_t got = read(descriptor, &count, sizeof(count));
}

size_t weir_completions::drain(weir_record *records, size_t record_size, size_t capacity) {
  weir::List<Record> told;
  size_t count = 0;
  bool left;
  {
    Lock lock(mutex_);
    if (descriptor != -1) clear_descriptor();
    count = pop(records, record_size, capacity, told);
    left = !records_.empty();
    if (left && descriptor != -1) signal();
  }
  if (left && count > 0 && notify) notify();
  // The last of these may hold the last reference of this queue.
  while (Record *record = told.pop_front()) record->drained(*record, true);
  return count;
}

// Copies records out; those that want to know go to `told`. Under the mutex.
size_t weir_completions::pop(weir_record *records, size_t record_size, size_t capacity,
                             weir::List<Record> &told) {
  auto *target = reinterpret_cast<unsigned char *>(records);
  size_t known = std::min(record_size, sizeof(weir_record));
  size_t count = 0;
  for (; count < capacity; ++count, target += record_size) {
    Record *record = records_.pop_front();
    if (record == nullptr) break;
    record->queued = false;
    std::memcpy(target, &record->content, known);
    std::memset(target + known, 0, record_size - known);
    if (record->drained != nullptr && record->tell == Record::Tell::always) told.push_back(record);
  }
  return count;
}

size_t weir_completions::wait(weir_record *records, size_t record_size, size_t capacity,
                              int64_t timeout_ms) {
  int64_t until = weir::deadline_after(weir::monotonic_now(), weir::ms_to_ns(timeout_ms));
  while (true) {
    // Another waiter may have been quicker: then there is still time.
    size_t count = drain(records, record_size, capacity);
    if (count > 0 || !wait_for_record(until)) return count;
  }
}

// False if the time is over and there is none.
bool weir_completions::wait_for_record(int64_t until_ns) {
  Lock lock(mutex_);
  ++waiters_;
  bool in_time = true;
  while (in_time && records_.empty()) in_time = condition_.wait_until(mutex_, until_ns);
  --waiters_;
  return !records_.empty();
}

void weir_completions::runtime_closed() {
  if (closed_told_) return;
  closed_told_ = true;
  closed_record_.content.kind = WEIR_RECORD_CLOSED;
  post(closed_record_);
}

namespace weir {
namespace {

constexpr weir_completions_options default_completions_options = WEIR_COMPLETIONS_OPTIONS_INIT;

weir_status check_drain(const weir_completions *queue, const weir_record *records,
                        size_t record_size, size_t capacity) {
  bool legal = records != nullptr && record_size >= sizeof(uint64_t) &&
               record_size % sizeof(uint64_t) == 0 && capacity > 0;
  return legal ? usable(queue) : weir_status{WEIR_EINVAL};
}

weir_status open_queue(weir_completions &queue, const weir_completions_options &options) {
  if (!queue.set_name(options.name)) return WEIR_ENOMEM;
  if (options.with_fd == 0) return WEIR_OK;
  queue.descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return queue.descriptor == -1 ? WEIR_ENOTSUP : WEIR_OK;
}

}  // namespace
}  // namespace weir

[[gnu::cold]] void weir_completions_options_init(weir_completions_options *options, size_t size) {
  weir::init_options(options, size, weir::default_completions_options);
}

[[gnu::cold]] weir_status weir_completions_new(weir_runtime *runtime,
                                               const weir_completions_options *options,
                                               weir_completions **out, weir_error **error) {
  if (out != nullptr) *out = nullptr;
  weir::Heap *heap = weir::heap_of(runtime);
  weir_completions_options read = weir::default_completions_options;
  weir_status status = weir::read_options(read, options, "completions", heap, error);
  if (status != WEIR_OK) return status;
  weir::Callback<weir_notify_fn> notify(read.notify, read.notify_data, read.notify_free_data);
  weir::Check check("completions", heap, error);
  check.required("runtime", runtime).required("out", out).range("with_fd", read.with_fd, 0, 1);
  if (!check.ok()) return check.status();
  if (runtime->forked()) {
    return weir::report_status(error, heap, WEIR_EFORKED, "completions");
  }
  auto *queue = weir::make_handle<weir_completions>(heap, runtime);
  if (queue == nullptr) return weir::report_no_memory(error, heap, "completions");
  queue->notify = static_cast<weir::Callback<weir_notify_fn> &&>(notify);
  status = weir::open_queue(*queue, read);
  if (status != WEIR_OK) {
    queue->user_unref();
    return weir::report_status(error, heap, status, "completions");
  }
  runtime->add_queue(*queue);
  *out = queue;
  return WEIR_OK;
}

weir_completions *weir_completions_ref(weir_completions *queue) {
  if (queue != nullptr) queue->user_ref();
  return queue;
}

void weir_completions_unref(weir_completions *queue) {
  if (queue != nullptr) queue->user_unref();
}

size_t weir_completions_drain(weir_completions *queue, weir_record *records, size_t record_size,
                              size_t capacity) {
  if (weir::check_drain(queue, records, record_size, capacity) != WEIR_OK) return 0;
  return queue->drain(records, record_size, capacity);
}

weir_status weir_completions_wait(weir_completions *queue, weir_record *records, size_t record_size,
                                  size_t capacity, int64_t timeout_ms, size_t *count) {
  if (count == nullptr) return WEIR_EINVAL;
  *count = 0;
  weir_status status = weir::check_drain(queue, records, record_size, capacity);
  if (status != WEIR_OK) return status;
  if (timeout_ms < WEIR_FOREVER) return WEIR_EINVAL;
  bool may_wait = !queue->runtime()->on_thread();
  *count = queue->wait(records, record_size, capacity, may_wait ? timeout_ms : 0);
  if (*count > 0) return WEIR_OK;
  return may_wait ? WEIR_ETIMEDOUT : WEIR_ETHREAD;
}

int weir_completions_fd(weir_completions *queue) {
  return queue == nullptr ? -1 : queue->descriptor;
}
