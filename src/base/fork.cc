// SPDX-License-Identifier: MIT
#include "base/fork.hh"

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>

namespace weir {
namespace {

size_t page_size() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

}  // namespace

ForkSentinel::ForkSentinel() : process_(getpid()) {
  void *page =
      mmap(nullptr, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return;
  if (madvise(page, page_size(), MADV_WIPEONFORK) != 0) {
    munmap(page, page_size());
    return;
  }
  page_ = static_cast<volatile char *>(page);
  *page_ = 1;
}

ForkSentinel::~ForkSentinel() {
  if (page_ != nullptr) munmap(const_cast<char *>(page_), page_size());
}

bool ForkSentinel::by_process_id() const { return getpid() != process_; }

}  // namespace weir
