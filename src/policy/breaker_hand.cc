// SPDX-License-Identifier: MIT
//
// What people and programs do to a breaker by hand: isolate, force, reset, other options, and
// taking a state along to another process.

#include "policy/breaker_core.hh"

namespace weir {
namespace {

bool judges_window(const weir_breaker_options &options) {
  return options.mode != WEIR_BREAKER_CONSECUTIVE;
}

CallWindow *make_call_window(Heap *heap, const weir_breaker_options &options) {
  if (options.mode == WEIR_BREAKER_COUNT_WINDOW) {
    return CallWindow::of_calls(heap, options.window_size);
  }
  return CallWindow::of_time(heap, ms_to_ns(options.window_ms) / CallWindow::slices);
}

size_t trial_places_size(uint32_t count) { return count * sizeof(TrialPlace); }

TrialPlace *make_trial_places(Heap *heap, uint32_t count) {
  auto *places = static_cast<TrialPlace *>(heap->allocate(trial_places_size(count)));
  for (uint32_t i = 0; places != nullptr && i < count; ++i) places[i] = {};
  return places;
}

// What a set of options needs, had before anything changes.
struct BreakerParts {
  CallWindow *window = nullptr;
  TrialPlace *places = nullptr;
  uint32_t place_count = 0;

  bool make(Heap *heap, const weir_breaker_options &options) {
    place_count = options.half_open_max_calls;
    places = make_trial_places(heap, place_count);
    if (judges_window(options)) window = make_call_window(heap, options);
    return places != nullptr && (window != nullptr || !judges_window(options));
  }
  void free(Heap *heap) const {
    if (window != nullptr) window->free(heap);
    if (places != nullptr) heap->free(places, trial_places_size(place_count));
  }
};

}  // namespace

// ---- options ----

bool BreakerCore::begin(Heap *heap, const weir_breaker_options &options) {
  BreakerParts parts;
  if (!parts.make(heap, options)) {
    parts.free(heap);
    return false;
  }
  window_ = parts.window;
  places_ = parts.places;
  place_count_ = static_cast<uint8_t>(parts.place_count);
  take_numbers(options);
  word_.store(word().with_windowed(window_ != nullptr).bits(), std::memory_order_release);
  return true;
}

void BreakerCore::end(Heap *heap) { BreakerParts{window_, places_, place_count_}.free(heap); }

void BreakerCore::take_numbers(const weir_breaker_options &options) {
  rules_ = breaker_rules(options);
  slow_call_ns_.store(ms_to_ns(options.slow_call_ms), std::memory_order_relaxed);
  int64_t slice_ns = window_ == nullptr ? 0 : window_->slice_ns();
  slice_ms_.store(static_cast<uint32_t>(slice_ns / ns_per_ms), std::memory_order_relaxed);
  ramp_up_ns_.store(options.ramp_up_ms == WEIR_OFF ? 0 : ms_to_ns(options.ramp_up_ms),
                    std::memory_order_relaxed);
  failure_threshold_.store(options.failure_threshold, std::memory_order_relaxed);
}

bool BreakerCore::set_options(Heap *heap, const weir_breaker_options &options, Moment &moment) {
  BreakerParts parts;  // and afterwards what is no longer needed
  if (!parts.make(heap, options)) {
    parts.free(heap);
    return false;
  }
  int64_t now_ns = moment.exact();
  {
    Section section(*this);
    bring_up_to_date(now_ns);
    take_window(parts.window);
    if (options.half_open_max_calls != rules_.half_open_max_calls ||
        options.half_open_success_threshold != rules_.half_open_success_threshold ||
        options.half_open_failures != rules_.half_open_failures) {
      take_places(parts.places, parts.place_count);
    }
    take_numbers(options);
  }
  parts.free(heap);
  return true;
}

// Takes `window` if it judges other calls than the one there is; leaves there what is to be freed.
void BreakerCore::take_window(CallWindow *&window) {
  if (window != nullptr && window_ != nullptr && window->same_shape(*window_)) return;
  if (window == nullptr && window_ == nullptr) return;
  if (window_ != nullptr) {
    const CallCounts &recorded = window_->recorded();
    even_.succeeded.fetch_add(recorded.calls - recorded.failures, std::memory_order_relaxed);
    failed_.fetch_add(recorded.failures, std::memory_order_relaxed);
    slow_.fetch_add(recorded.slow_calls, std::memory_order_relaxed);
  }
  CallWindow *old = window_;
  window_ = window;
  window = old;
  BreakerWord word = this->word();
  while (!replace(word, word.with_windowed(window_ != nullptr).with_failures(0))) {
    word = this->word();
  }
}

// Other rules for trials: a half-open period begins again, and trials that are out are void.
void BreakerCore::take_places(TrialPlace *&places, uint32_t &count) {
  TrialPlace *old = places_;
  uint32_t old_count = place_count_;
  places_ = places;
  place_count_ = static_cast<uint8_t>(count);
  places = old;
  count = old_count;
  expired_ = 0;
  if (word().state() != BreakerState::half_open) return;
  forget_trials();
  refuse_until_ns_.store(INT64_MIN, std::memory_order_release);
}

// ---- manual states ----

weir_status BreakerCore::isolate(Moment &moment) {
  int64_t now_ns = moment.exact();
  Section section(*this);
  if (isolations_ == UINT32_MAX) return WEIR_EFULL;
  ++isolations_;
  start_anew(now_ns);
  return WEIR_OK;
}

weir_status BreakerCore::release(Moment &moment) {
  int64_t now_ns = moment.exact();
  Section section(*this);
  if (isolations_ == 0) return WEIR_EINVAL;
  --isolations_;
  start_anew(now_ns);
  return WEIR_OK;
}

void BreakerCore::force(BreakerState state, Moment &moment) {
  int64_t now_ns = moment.exact();
  Section section(*this);
  forced_ = state;
  start_anew(now_ns);
}

void BreakerCore::reset(Moment &moment) {
  int64_t now_ns = moment.exact();
  Section section(*this);
  start_anew(now_ns);
}

// Into the state that is asked for by hand, or closed: with no calls, no trials, no reopenings.
void BreakerCore::start_anew(int64_t now_ns) {
  bring_up_to_date(now_ns);
  uint32_t from = public_state(word().state());
  CallCounts counts = current_counts();
  stretch_ = 1.0;
  if (window_ != nullptr) window_->clear();
  enter(manual_state());
  if (from != public_state(word().state())) {
    announce(from, WEIR_BREAKER_BY_HAND, counts, now_ns);
  }
}

// ---- snapshots ----

BreakerImage BreakerCore::image(Moment &moment) {
  int64_t now_ns = moment.exact();
  Section section(*this);
  bring_up_to_date(now_ns);
  BreakerWord word = this->word();
  BreakerImage image;
  if (word.state() == BreakerState::open || word.state() == BreakerState::half_open) {
    image.state = word.state();
    image.opened_by = opened_by();
  }
  if (word.state() == BreakerState::open) {
    int64_t until_ns = refuse_until_ns_.load(std::memory_order_relaxed);
    image.open_remaining_ns = until_ns == never_ns ? never_ns : saturating_sub(until_ns, now_ns);
  }
  image.forced = forced_;
  image.isolations = isolations_;
  image.failures = static_cast<uint32_t>(word.failures());
  image.stretch = stretch_;
  return image;
}

void BreakerCore::restore(const BreakerImage &image, Moment &moment) {
  int64_t now_ns = moment.exact();
  Section section(*this);
  bring_up_to_date(now_ns);
  uint32_t from = public_state(word().state());
  isolations_ = image.isolations;
  forced_ = image.forced;
  stretch_ = image.stretch;
  if (window_ != nullptr) window_->clear();
  if (manual_state() != BreakerState::closed) {
    enter(manual_state());
  } else {
    restore_automatic(image, now_ns);
  }
  CallCounts counts = current_counts();
  if (from != public_state(word().state())) {
    announce(from, WEIR_BREAKER_BY_HAND, counts, now_ns);
  }
}

// One that was open is half-open if its time is over.
void BreakerCore::restore_automatic(const BreakerImage &image, int64_t now_ns) {
  if (image.state != BreakerState::closed) {
    bool open = image.state == BreakerState::open && image.open_remaining_ns > 0;
    int64_t until_ns = open ? deadline_after(now_ns, image.open_remaining_ns) : INT64_MIN;
    publish_opening(until_ns, image.opened_by, WEIR_BREAKER_BY_HAND);
    enter(open ? BreakerState::open : BreakerState::half_open);
    return;
  }
  uint64_t most = failure_threshold_.load(std::memory_order_relaxed) - 1;
  uint64_t failures = image.failures < most ? image.failures : most;
  enter(BreakerState::closed);
  if (window_ == nullptr) {
    BreakerWord word = this->word();
    replace(word, word.with_failures(failures));
  }
}

}  // namespace weir
