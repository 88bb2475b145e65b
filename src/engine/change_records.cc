// SPDX-License-Identifier: MIT
#include "engine/change_records.hh"

#include "engine/runtime.hh"

namespace weir {

ChangeRecords *ChangeRecords::create(weir_completions *queue, uint64_t user) {
  return queue->heap()->make<ChangeRecords>(queue, user);
}

void ChangeRecords::release() {
  if (count_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  weir_completions *queue = queue_;
  queue->heap()->destroy(this);
  queue->unref();
}

void ChangeRecords::put(uint64_t sequence, int32_t reason, uint16_t states) {
  {
    Lock lock(mutex_);
    if (waiting_ == capacity) {
      first_ = (first_ + 1) % capacity;
      --waiting_;
    }
    entries_[(first_ + waiting_) % capacity] = {sequence, reason, states};
    ++waiting_;
    if (in_queue_ || !load_next()) return;
  }
  count_.fetch_add(1, std::memory_order_relaxed);
  queue_->post(*this);
}

// Under the mutex: fills the record with the oldest that waits, if any. After CLOSED nothing comes.
bool ChangeRecords::load_next() {
  in_queue_ = waiting_ > 0 && queue_->runtime()->life() < Life::grace;
  if (!in_queue_) return false;
  const Entry &entry = entries_[first_];
  content.user = user_;
  content.object = entry.sequence;
  content.detail = entry.sequence - last_sequence_ - 1;
  content.status = entry.reason;
  content.number = entry.states;
  content.kind = WEIR_RECORD_EVENT;
  last_sequence_ = entry.sequence;
  first_ = (first_ + 1) % capacity;
  --waiting_;
  return true;
}

// A record that the queue gave up ends the row: nobody is left who could drain another.
void ChangeRecords::on_drained(Record &record, bool kept) {
  ChangeRecords &self = static_cast<ChangeRecords &>(record);
  bool next = false;
  if (kept) {
    Lock lock(self.mutex_);
    next = self.load_next();
  }
  if (next) {
    self.queue_->post(self);
  } else {
    self.release();
  }
}

}  // namespace weir
