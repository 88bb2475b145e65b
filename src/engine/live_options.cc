// SPDX-License-Identifier: MIT
#include "engine/live_options.hh"

#include "engine/runtime.hh"

namespace weir {

void LiveSetBase::retire(weir_runtime &runtime) {
  runtime.retain_shell();
  runtime.post(*this);
}

void LiveSetBase::retire_task(weir_runtime &runtime, Task &task) {
  auto &set = static_cast<LiveSetBase &>(task);
  set.retired_ = true;
  if (set.users_ == 0) {
    set.end();  // callbacks' data goes with it
    runtime.user_ran();
  }
  runtime.release_shell();
}

}  // namespace weir
