/* SPDX-License-Identifier: MIT */
/*
 * The fuzzer's door to the models: its bytes choose the options, the steps and the allocations that
 * fail. Built with clang -fsanitize=fuzzer; tests/steps/fuzz says how long it runs.
 */

#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct world world;
  memset(&world, 0, sizeof world);
  world.seed = world.random = 1;
  world.bytes = data;
  world.bytes_left = size;
  if (size == 0) return 0;
  if (episode(&world, 4000)) return 0;
  printf("WRONG: %s, step %llu\n", world.detail, (unsigned long long)world.step);
  abort();
}
