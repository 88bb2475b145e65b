/* SPDX-License-Identifier: MIT */
/* Where chance comes from: a seeded generator, or a fuzzer's bytes. */

#include "model.h"

#include <stdio.h>

void wrong(struct world *world, const char *what, int64_t a, int64_t b) {
  if (world->problem != NULL) return;
  world->problem = what;
  snprintf(world->detail, sizeof world->detail, "%s (%lld, %lld) at %lld ns", what, (long long)a,
           (long long)b, (long long)(world->ended ? 0 : world_now(world)));
  if (world->ended) return;
  weir_recorder_dump(world->runtime, world->decisions, sizeof world->decisions, NULL);
}

void mix(struct world *world, uint64_t event) {
  world->hash = (world->hash ^ event) * UINT64_C(0x9E3779B97F4A7C15);
  world->hash ^= world->hash >> 29;
}

static uint64_t next_byte(struct world *world) {
  if (world->bytes_left == 0) return 0;
  world->bytes_left--;
  return *world->bytes++;
}

/* Steele, Lea & Flood, SplitMix64 (2014). */
uint64_t draw(struct world *world) {
  uint64_t z = world->random += UINT64_C(0x9E3779B97F4A7C15);
  z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
  return z ^ z >> 31;
}

uint64_t below(struct world *world, uint64_t bound) {
  if (world->bytes == NULL) return (uint64_t)((unsigned __int128)draw(world) * bound >> 64);
  uint64_t value = next_byte(world);
  for (uint64_t reach = 256; reach < bound && reach < UINT64_C(1) << 32; reach *= 256) {
    value = value * 256 + next_byte(world);
  }
  return value % bound;
}

int64_t world_now(const struct world *world) {
  return world->runtime == NULL ? 0 : weir_runtime_now(world->runtime);
}

int episode(struct world *world, uint64_t steps) {
  if (!world_open(world)) {
    world->step++; /* no memory: only that nothing is left was to be seen */
    return world->problem == NULL;
  }
  while (world->problem == NULL && world->step < steps &&
         (world->bytes == NULL || world->bytes_left > 0)) {
    world->step++;
    take_step(world);
  }
  if (world->problem == NULL) world_close(world, 1);
  return world->problem == NULL;
}
