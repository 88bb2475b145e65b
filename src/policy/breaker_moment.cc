// SPDX-License-Identifier: MIT
#include "policy/breaker_moment.hh"

#include "engine/runtime.hh"

namespace weir {

void Moment::read_exact() {
  now_ns_ = runtime_->clock();
  known_ = Known::exact;
}

void Moment::read_coarse() {
  now_ns_ = runtime_->coarse_clock();
  known_ = Known::coarse;
}

bool Moment::forked() const { return runtime_->forked(); }

}  // namespace weir
