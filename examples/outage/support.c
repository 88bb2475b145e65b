/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void require(bool condition, const char *what) {
  if (!condition) {
    fprintf(stderr, "outage: cannot go on: %s failed (errno: %s)\n", what, strerror(errno));
    exit(2);
  }
}

void *allocate(size_t size) {
  void *memory = calloc(1, size > 0 ? size : 1);
  require(memory != NULL, "calloc");
  return memory;
}

void read_all(int descriptor, void *buffer, size_t size) {
  for (char *at = buffer; size > 0;) {
    ssize_t count = read(descriptor, at, size);
    require(count > 0 || (count < 0 && errno == EINTR), "read from the upstream");
    if (count > 0) {
      at += count;
      size -= (size_t)count;
    }
  }
}

void write_all(int descriptor, const void *buffer, size_t size) {
  for (const char *at = buffer; size > 0;) {
    ssize_t count = write(descriptor, at, size);
    require(count > 0 || (count < 0 && errno == EINTR), "write to the other process");
    if (count > 0) {
      at += count;
      size -= (size_t)count;
    }
  }
}
