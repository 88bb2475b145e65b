// SPDX-License-Identifier: MIT
//
// The limiter's rates in their exact form, for as long as this object lives: takes the mutex and
// parks the bucket's word; at the end puts it back.

#pragma once

#include "policy/limiter.hh"

class weir_limiter::Exact {
 public:
  Exact(weir_limiter &limiter, int64_t now_ns)
      : limiter_(limiter), now_ns_(now_ns), lock_(limiter.mutex_) {
    if (limiter_.bucketed_) limiter_.bucket_.park(bucket_state());
  }
  Exact(const Exact &) = delete;
  Exact &operator=(const Exact &) = delete;
  ~Exact() {
    if (!limiter_.bucketed_) return;
    limiter_.bucket_.unpark(limiter_.rates_.rule(0), bucket_state(), now_ns_, changed_);
  }

  // The rule is not the one that was parked, since `now_ns`.
  void rule_changed(int64_t now_ns) {
    now_ns_ = now_ns;
    changed_ = true;
  }

 private:
  weir::BucketState &bucket_state() {
    return *static_cast<weir::BucketState *>(limiter_.rates_.at(limiter_.states_, 0));
  }

  weir_limiter &limiter_;
  int64_t now_ns_;
  weir::Lock lock_;
  bool changed_ = false;
};
