// SPDX-License-Identifier: MIT
//
// Notices that the process is a fork of the one that made this object, without a system call: a
// page that the kernel wipes in the child (MADV_WIPEONFORK, Linux 4.14); without it, by process id.

#pragma once

#include <sys/types.h>

namespace weir {

class ForkSentinel {
 public:
  ForkSentinel();
  ForkSentinel(const ForkSentinel &) = delete;
  ForkSentinel &operator=(const ForkSentinel &) = delete;
  ~ForkSentinel();

  bool forked() const { return page_ != nullptr ? *page_ == 0 : by_process_id(); }

 private:
  bool by_process_id() const;

  volatile char *page_ = nullptr;
  pid_t process_;
};

}  // namespace weir
