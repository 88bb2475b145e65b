// SPDX-License-Identifier: MIT
//
// Runs that wait for a limiter. The links are in the waiting layers' states: nothing is allocated
// and queueing cannot fail. The engine's thread only.
//
// A queue is a list of levels in the order of their priority, at most 64, each a ring of waiters in
// the order they came. The level's links and sum are in its first waiter, the leader. So every
// operation is O(levels), and O(1) for a fifo, which has one.

#pragma once

#include "base/heap.hh"
#include "engine/layer.hh"

namespace weir {

struct Obligation;

struct Waiter {
  Waiter *next;  // in the ring of its level
  Waiter *previous;
  uint32_t permits;
  uint32_t priority;
  // The leader's:
  bool leads;
  Waiter *next_level;
  Waiter *previous_level;
  int64_t level_permits;
};

class WaitQueue {
 public:
  void begin() { *this = WaitQueue(); }

  bool empty() const { return first_ == nullptr; }
  Waiter *first() const { return first_; }
  uint64_t count() const { return count_; }

  void push(Waiter &waiter);
  void remove(Waiter &waiter);
  // What those ask for who would be before a newcomer of `priority`.
  int64_t permits_before(uint32_t priority) const;

 private:
  void join(Waiter &leader, Waiter &waiter);
  void lead(Waiter &waiter, Waiter *previous_level, Waiter *next_level);
  Waiter *leader_of(const Waiter &waiter) const;

  Waiter *first_ = nullptr;
  uint64_t count_ = 0;
};

// The queue of one key that is waited for. It lives in the state of one of its waiters, and moves
// on when that one leaves.
struct KeyQueue {
  WaitQueue queue;
  uint64_t hash;
  KeyQueue *next;         // in the chain of the index
  KeyQueue *next_kicked;  // among those that a released permit wants served
  bool kicked;
};

enum class LimiterPhase : uint8_t {
  waiting,  // in a queue
  granted,  // has its permits, on its way to start
  expired,  // was found too late; on its way out
  refused,  // asks for more than a change of options left; on its way out
  running,  // its inside is active
};

struct LimiterState : Layer, Waiter {
  LimiterPhase phase;
  int64_t expires_ns;      // the queue's timeout
  int64_t started_ns;      // waiting: since when; adaptive: since when the inside runs
  uint64_t hash;           // of the key; 0 without keys
  uint64_t permit;         // granted: to be given back or handed on
  uint32_t reason;         // refused: WEIR_REJECTION_*
  Obligation *obligation;  // running: holds the permit; nullable
  KeyQueue home;           // its key's queue may live here
};

// The queues of all keys that are waited for, by hash, and which of them are to be served. Changed
// by the engine's thread under the limiter's mutex; others look, and kick, under it.
class KeyQueues {
 public:
  explicit KeyQueues(Heap *heap) : heap_(heap) {}
  KeyQueues(const KeyQueues &) = delete;
  KeyQueues &operator=(const KeyQueues &) = delete;
  ~KeyQueues();

  // For about `count` keys that are waited for at once. False without memory.
  bool init(uint64_t count);

  KeyQueue *find(uint64_t hash);
  // An empty queue for a key that had none, in `home`.
  KeyQueue &add(KeyQueue &home, uint64_t hash);
  void remove(KeyQueue &queue);
  // `queue` goes on living in `home`.
  void move(KeyQueue &queue, KeyQueue &home);

  void kick(KeyQueue &queue);
  void kick_all();
  // One that was kicked, in no particular order; NULL if there is none.
  KeyQueue *take_kicked();

 private:
  KeyQueue *&head(uint64_t hash) { return heads_[hash & (head_count_ - 1)]; }
  KeyQueue **place_of(KeyQueue &queue);
  KeyQueue **kicked_place_of(KeyQueue &queue);

  Heap *heap_;
  KeyQueue **heads_ = nullptr;
  uint64_t head_count_ = 0;
  KeyQueue *kicked_ = nullptr;
};

}  // namespace weir
