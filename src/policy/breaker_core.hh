// SPDX-License-Identifier: MIT
//
// The breaker's decisions, without a runtime: everything takes the time.
//
// All that a call in the closed state needs is one 64-bit word {life, windowed, state, failures}.
// A LIFE is the time between two changes of state. A permit of a judged state is its life; it uses
// no slot and a report of another life finds it stale. A trial's permit is {serial, place}; the
// place, one of half_open_max_calls, holds the permit and its lease.
//
//   from        to          when (what the word's next life means)
//   closed      open        failures in a row, or the window's rates; publishes refuse_until first
//   open        half-open   refuse_until has passed, found by whoever looks
//   half-open   closed      half_open_success_threshold trials succeeded (or ramping, same judging)
//               open        half_open_failures trials failed or hung; the next open time is longer
//   any         forced-open isolations > 0, or force
//               forced-closed, metrics-only    force
//               closed      reset, force, the last release
//   ramping     closed      ramp_up_ms have passed; the life goes on
//   metrics     tripped     what would have opened it was told once; the life goes on
//
// Invariants:
// - Life and state change under the mutex only. The failure count (consecutive mode), and tripped →
//   metrics, change by compare-and-swap without it, which fails on a change of life.
// - refuse_until_ns_ is published before the word that says open: no reader sees open with an older
//   deadline. Open: when it ends. Half-open: when the first lease runs out, if no place is free;
//   the past otherwise. Forced open: never. Before it, a refusal needs no mutex.
// - What time alone changes (open time over, leases run out) happens at its own time, also when it
//   is only found later: bring_up_to_date() replays it in order, at most once around.
// - A place that got a verdict stays used until the half-open period ends, so a period judges at
//   most half_open_max_calls, and that many verdicts always end it (a rule of the options).
// - The words that every call reads share no cache line with what calls write.

#pragma once

#include <sched.h>
#include <weir/breaker.h>
#include <weir/outcome.h>

#include <atomic>

#include "base/mutex.hh"
#include "policy/breaker_moment.hh"
#include "policy/breaker_options.hh"
#include "policy/breaker_window.hh"

namespace weir {

template <typename Change>
class ChangeRing;

// The states by the numbers of weir/breaker.h, and two that look like one of them from outside.
enum class BreakerState : uint8_t {
  closed = WEIR_BREAKER_CLOSED,
  open = WEIR_BREAKER_OPEN,
  half_open = WEIR_BREAKER_HALF_OPEN,
  forced_open = WEIR_BREAKER_FORCED_OPEN,
  forced_closed = WEIR_BREAKER_FORCED_CLOSED,
  metrics_only = WEIR_BREAKER_METRICS_ONLY,
  tripped = 6,  // metrics-only that has told
  ramping = 7,  // closed, admitting a share
};

constexpr uint32_t public_state(BreakerState state) {
  if (state == BreakerState::tripped) return WEIR_BREAKER_METRICS_ONLY;
  if (state == BreakerState::ramping) return WEIR_BREAKER_CLOSED;
  return static_cast<uint32_t>(state);
}

// The word, taken apart.
class BreakerWord {
 public:
  static constexpr uint32_t state_shift = 20;
  static constexpr uint32_t windowed_shift = 23;
  static constexpr uint32_t life_shift = 24;
  static constexpr uint64_t max_failures = (uint64_t{1} << state_shift) - 1;

  explicit constexpr BreakerWord(uint64_t bits) : bits_(bits) {}

  constexpr uint64_t bits() const { return bits_; }
  constexpr uint64_t failures() const { return bits_ & max_failures; }
  constexpr BreakerState state() const {
    return static_cast<BreakerState>(bits_ >> state_shift & 7);
  }
  constexpr bool windowed() const { return (bits_ >> windowed_shift & 1) != 0; }
  // Nothing but a life: closed, consecutive mode, no failure.
  constexpr bool bare() const { return (bits_ & ((uint64_t{1} << life_shift) - 1)) == 0; }
  constexpr uint64_t life() const { return bits_ >> life_shift; }
  // Bit 0 tells it from a trial's; life 0 is never used, so it is not 0.
  constexpr weir_permit permit() const { return life() << 1; }

  // The same life with another count or state.
  constexpr BreakerWord with_failures(uint64_t failures) const {
    return BreakerWord((bits_ & ~max_failures) | failures);
  }
  constexpr BreakerWord with_state(BreakerState state) const {
    return BreakerWord((bits_ & ~(uint64_t{7} << state_shift)) | static_cast<uint64_t>(state)
                                                                     << state_shift);
  }
  constexpr BreakerWord with_windowed(bool windowed) const {
    return BreakerWord((bits_ & ~(uint64_t{1} << windowed_shift)) | uint64_t{windowed}
                                                                        << windowed_shift);
  }
  // The next life. After 2^40 of them the first comes again, never 0.
  constexpr BreakerWord next(BreakerState state) const {
    uint64_t life = (bits_ >> life_shift) + 1;
    if (life >> (64 - life_shift) != 0) life = 1;
    return BreakerWord(life << life_shift | (bits_ & uint64_t{1} << windowed_shift))
        .with_state(state);
  }

 private:
  uint64_t bits_;
};

// A place for a trial. Which are taken, out and expired is kept in masks beside the places.
struct TrialPlace {
  weir_permit permit;
  int64_t lease_ns;
};

// Why an acquire was refused, and when to come again (-1: nobody knows).
struct BreakerRefusal {
  uint32_t reason = WEIR_REJECTION_NONE;
  int64_t retry_after_ns = -1;
  int64_t at_ns = 0;
  double share = 0;     // ramping up: what passes now
  uint32_t trials = 0;  // half-open: what a period judges; see explain()
};

// What opened it. Threshold and cause are those of weir_rejection.
struct Opening {
  CallCounts counts;
  double threshold = 0;
  uint32_t cause = 0;
};

// What a snapshot holds.
struct BreakerImage {
  BreakerState state = BreakerState::closed;  // closed, open or half-open
  BreakerState forced = BreakerState::closed;
  uint32_t isolations = 0;
  uint32_t failures = 0;  // in a row
  int64_t open_remaining_ns = 0;
  double stretch = 1.0;
  CallCounts opened_by;
};

class BreakerCore {
 public:
  using Ring = ChangeRing<weir_breaker_change>;

  BreakerCore() = default;
  BreakerCore(const BreakerCore &) = delete;
  BreakerCore &operator=(const BreakerCore &) = delete;

  // Once, before use: takes the options' numbers and memory. False without memory.
  bool begin(Heap *heap, const weir_breaker_options &options);
  // Frees it. `begin` need not have succeeded.
  void end(Heap *heap);
  // Where changes go; nullable, once, before use.
  void announce_to(Ring *ring) { ring_ = ring; }
  Ring *ring() const { return ring_; }
  Mutex &mutex() { return mutex_; }

  // ---- deciding (breaker_core.cc) ----

  weir_status acquire(weir_permit &permit, BreakerRefusal &refusal, Moment &moment) {
    BreakerWord word(word_.load(std::memory_order_acquire));
    if (word.state() != BreakerState::closed) return acquire_otherwise(permit, refusal, moment);
    permit = word.permit();
    return WEIR_OK;
  }

  // `class_` and `elapsed_ns` were checked. Any thread.
  weir_status report(weir_permit permit, uint32_t class_, int64_t elapsed_ns, Moment &moment) {
    if (!changes_nothing(permit, class_, elapsed_ns)) {
      return report_otherwise(permit, class_, elapsed_ns, moment);
    }
    stripe().succeeded.fetch_add(1, std::memory_order_relaxed);
    return WEIR_OK;
  }

  // The same on the engine's thread, which counts by itself: no atomic read-modify-write.
  weir_status report_on_engine(weir_permit permit, uint32_t class_, int64_t elapsed_ns,
                               Moment &moment) {
    if (!changes_nothing(permit, class_, elapsed_ns)) {
      return report_otherwise(permit, class_, elapsed_ns, moment);
    }
    uint64_t succeeded = engine_succeeded_.load(std::memory_order_relaxed);
    engine_succeeded_.store(succeeded + 1, std::memory_order_relaxed);
    return WEIR_OK;
  }

  // Current, not just the last one set.
  uint32_t state(Moment &moment);
  // What a refusal shows. Of a half-open breaker this corrects `refusal`, under the mutex: when its
  // period is over if nothing is reported any more, and the open time that follows.
  Opening explain(BreakerRefusal &refusal);
  void get_stats(weir_breaker_stats &stats, Moment &moment);

  // ---- by hand (breaker_hand.cc) ----

  weir_status isolate(Moment &moment);
  weir_status release(Moment &moment);
  void force(BreakerState state, Moment &moment);
  void reset(Moment &moment);
  bool set_options(Heap *heap, const weir_breaker_options &options, Moment &moment);
  BreakerImage image(Moment &moment);
  void restore(const BreakerImage &image, Moment &moment);

 private:
  // Holds the mutex; wakes the listeners of what was announced after it has let go.
  class Section {
   public:
    explicit Section(BreakerCore &core) : core_(core) { core_.mutex_.lock(); }
    Section(const Section &) = delete;
    Section &operator=(const Section &) = delete;
    ~Section() {
      bool wake = core_.wake_;
      core_.wake_ = false;
      core_.mutex_.unlock();
      if (wake) core_.wake_listeners();
    }

   private:
    BreakerCore &core_;
  };
  // What two busy threads count without meeting: one for even processors, one for odd ones.
  struct Stripe {
    std::atomic<uint64_t> succeeded{0};
    std::atomic<uint64_t> rejected{0};
  };

  BreakerWord word() const { return BreakerWord(word_.load(std::memory_order_acquire)); }
  bool replace(BreakerWord from, BreakerWord to) {
    uint64_t expected = from.bits();
    return word_.compare_exchange_strong(expected, to.bits(), std::memory_order_acq_rel);
  }
  // A success in the closed state, in consecutive mode, with no failure counted: then the word is
  // the life and nothing else.
  bool changes_nothing(weir_permit permit, uint32_t class_, int64_t elapsed_ns) const {
    uint64_t word = word_.load(std::memory_order_acquire);
    return word >> (BreakerWord::life_shift - 1) == permit && BreakerWord(word).bare() &&
           class_ == WEIR_CLASS_SUCCESS &&
           elapsed_ns <= slow_call_ns_.load(std::memory_order_relaxed);
  }
  Stripe &stripe() { return (sched_getcpu() & 1) != 0 ? odd_ : even_; }

  // breaker_core.cc
  weir_status acquire_otherwise(weir_permit &permit, BreakerRefusal &refusal, Moment &moment);
  weir_status acquire_ramping(BreakerWord word, weir_permit &permit, BreakerRefusal &refusal,
                              Moment &moment);
  weir_status refuse(uint32_t reason, int64_t until_ns, BreakerRefusal &refusal, Moment &moment);
  weir_status report_otherwise(weir_permit permit, uint32_t class_, int64_t elapsed_ns,
                               Moment &moment);
  bool count_in_a_row(BreakerWord word, bool failed, Moment &moment);
  bool count_in_window(BreakerWord word, bool failed, bool slow, Moment &moment);
  void judge_window(BreakerWord word, Moment &moment);
  void count_recorded(bool failed, bool slow);
  weir_status count_stale(weir_status status);

  // Under the mutex; breaker_states.cc
  void publish_opening(int64_t until_ns, const CallCounts &counts, uint32_t cause);
  double threshold_of(uint32_t cause) const;
  bool trip(BreakerWord word, CallCounts counts, uint32_t reason, int64_t now_ns);
  void begin_half_open();
  void reopen(int64_t now_ns);
  void close(int64_t now_ns);
  void enter(BreakerState state);
  void forget_trials();
  void bring_up_to_date(int64_t now_ns);
  uint32_t first_to_expire(uint32_t among) const;
  int64_t refused_until() const;
  uint32_t free_place() const;
  void publish_free_places();
  weir_status begin_trial(weir_permit &permit, BreakerRefusal &refusal, Moment &moment);
  weir_status report_trial(weir_permit permit, uint32_t class_, bool slow, Moment &moment);
  void judge_trial(bool failed, int64_t at_ns);
  void announce(uint32_t from, uint32_t reason, const CallCounts &counts, int64_t at_ns);
  CallCounts opened_by() const { return opening().counts; }
  Opening opening() const;
  CallCounts trial_counts() const;
  CallCounts current_counts() const;
  int64_t open_time_ns(double stretch) const;
  uint64_t missed_changes() const;
  void wake_listeners();  // without the mutex

  // Under the mutex; breaker_hand.cc
  BreakerState manual_state() const {
    return isolations_ > 0 ? BreakerState::forced_open : forced_;
  }
  void start_anew(int64_t now_ns);
  void take_numbers(const weir_breaker_options &options);
  void take_window(CallWindow *&window);
  void take_places(TrialPlace *&places, uint32_t &count);
  void restore_automatic(const BreakerImage &image, int64_t now_ns);

  // ---- counters, and what is read rarely: also the distance between the busy lines ----
  Stripe even_;
  std::atomic<uint64_t> engine_succeeded_{0};
  std::atomic<uint64_t> failed_{0};
  std::atomic<uint64_t> slow_{0};
  std::atomic<uint64_t> ignored_{0};
  std::atomic<uint64_t> stale_{0};
  Mutex mutex_;
  BreakerRules rules_;

  // ---- read by every call, written by transitions and failures ----
  std::atomic<uint64_t> word_{BreakerWord(0).next(BreakerState::closed).bits()};
  std::atomic<int64_t> refuse_until_ns_{INT64_MIN};
  std::atomic<int64_t> slow_call_ns_{never_ns};
  std::atomic<int64_t> ramp_up_ns_{0};
  std::atomic<int64_t> ramp_from_ns_{0};
  std::atomic<uint32_t> failure_threshold_{0};
  std::atomic<uint32_t> slice_ms_{0};  // of a time window, rounded down; 0: another mode

  // ---- under the mutex, unless atomic ----
  std::atomic<uint64_t> opened_calls_{0};
  std::atomic<uint64_t> opened_failures_{0};
  std::atomic<uint64_t> opened_slow_calls_{0};  // and the cause, see opening()
  std::atomic<uint64_t> opened_threshold_{0};   // a double's bits
  std::atomic<uint64_t> ramp_credit_{0};
  double stretch_ = 1.0;  // of the open time, by reopenings
  uint64_t times_opened_ = 0;
  uint64_t last_serial_ = 0;
  CallWindow *window_ = nullptr;
  TrialPlace *places_ = nullptr;
  Ring *ring_ = nullptr;
  uint32_t taken_ = 0;    // places out or judged
  uint32_t out_ = 0;      // of these: not yet judged
  uint32_t expired_ = 0;  // lease ran out; kept until the place is taken again
  uint32_t isolations_ = 0;
  uint8_t place_count_ = 0;
  uint8_t trial_successes_ = 0;
  uint8_t trial_failures_ = 0;
  bool wake_ = false;  // the ring has to be posted after unlocking
  BreakerState forced_ = BreakerState::closed;
  Stripe odd_;
};

}  // namespace weir
