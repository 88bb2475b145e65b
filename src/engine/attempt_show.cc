// SPDX-License-Identifier: MIT
//
// What a host that drains START records may ask of an attempt. Reads, on any thread, what the
// engine's thread gives up when the attempt is over: see Attempt::readers in engine/attempt.hh.

#include "base/short_lock.hh"
#include "base/time.hh"
#include "engine/attempt.hh"
#include "engine/options.hh"
#include "engine/run.hh"
#include "engine/runtime.hh"

namespace weir {
namespace {

// The one who counts himself in `readers`, while he reads.
class Reader {
 public:
  explicit Reader(Attempt &attempt) : attempt_(attempt) {
    attempt_.readers.fetch_add(1, std::memory_order_seq_cst);
  }
  Reader(const Reader &) = delete;
  Reader &operator=(const Reader &) = delete;
  ~Reader() { attempt_.readers.fetch_sub(1, std::memory_order_release); }

  // Whether `token` is the attempt's, which has begun and is not completed.
  bool finds(weir_token token) const {
    uint64_t state = attempt_.state.load(std::memory_order_seq_cst);
    if (state >> 32 != token >> 32) return false;
    auto phase = static_cast<AttemptPhase>(state & UINT32_MAX);
    return phase == AttemptPhase::started || phase == AttemptPhase::orphan;
  }

 private:
  Attempt &attempt_;
};

int64_t remaining_until(int64_t deadline_ns, const weir_runtime &runtime) {
  if (deadline_ns == never_ns) return never_ns;
  int64_t left = deadline_ns - runtime.clock();
  return left < 0 ? 0 : left;
}

}  // namespace

weir_status Attempt::show(weir_token token, weir_attempt &shown, weir_outcome *failed_before) {
  constexpr weir_outcome nothing = WEIR_OUTCOME_INIT;
  Reader reader(*this);
  if (!reader.finds(token)) return WEIR_ESTALE;
  if (queue == nullptr) return WEIR_ENOTSUP;
  const weir_outcome *kept = failed == nullptr ? nullptr : &failed->outcome;
  if (failed_before != nullptr) {
    weir_status status = write_sized(failed_before, kept == nullptr ? nothing : *kept);
    if (status != WEIR_OK) return status;
    if (kept != nullptr) kept = failed_before;
  }
  const RunRequest &request = run->request();
  weir_attempt filled = {};
  filled.number = number;
  filled.token = token;
  filled.runtime = &run->runtime();
  filled.input = request.input;
  filled.context = request.context;
  filled.remaining_ns = remaining_until(deadline_ns, run->runtime());
  filled.key = request.key;
  filled.key_size = request.key_size;
  filled.index = request.index;
  filled.failed = kept;
  filled.scope = request.scope;
  filled.shared = request.shared ? 1 : 0;
  return write_sized(&shown, filled);
}

void Attempt::end_show(Heap *heap) {
  for (uint32_t round = 0; readers.load(std::memory_order_seq_cst) != 0; ++round) {
    ShortLock::wait(round);
  }
  if (failed != nullptr) failed->give_back();
  heap->destroy(failed);
  failed = nullptr;
}

}  // namespace weir

weir_status weir_attempt_get(weir_runtime *runtime, weir_token token, weir_attempt *attempt,
                             weir_outcome *failed) {
  if (runtime == nullptr || attempt == nullptr) return WEIR_EINVAL;
  if (runtime->forked()) return WEIR_EFORKED;
  weir::Attempt *found = runtime->attempts().find(token);
  return found == nullptr ? weir_status{WEIR_ESTALE} : found->show(token, *attempt, failed);
}
