/* SPDX-License-Identifier: MIT */
/*
 * sim [--steps N] [--seed S] [--threads]: episode after episode until N steps are done (default ten
 * million). What goes wrong is printed with the seed that replays it, and the exit status is 1. The
 * hash of everything seen is printed at the end: equal seeds and steps give equal hashes.
 */

#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EPISODE_STEPS = 4000 };

void wrong(struct world *world, const char *what, int64_t a, int64_t b) {
  const char *none = NULL;
  if (!atomic_compare_exchange_strong(&world->problem, &none, what)) return;
  snprintf(world->detail, sizeof world->detail, "%s (%lld, %lld) at %lld ns", what, (long long)a,
           (long long)b, (long long)(world->ended ? 0 : world_now(world)));
  if (world->ended) return;
  weir_recorder_dump(world->runtime, world->decisions, sizeof world->decisions, NULL);
}

void mix(struct world *world, uint64_t event) {
  if (world->threaded) return;
  world->hash = (world->hash ^ event) * UINT64_C(0x9E3779B97F4A7C15);
  world->hash ^= world->hash >> 29;
}

/* Steele, Lea & Flood, SplitMix64 (2014). */
uint64_t draw(struct world *world) {
  uint64_t z = world->random += UINT64_C(0x9E3779B97F4A7C15);
  z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
  return z ^ z >> 31;
}

uint64_t below(struct world *world, uint64_t bound) {
  return (uint64_t)((unsigned __int128)draw(world) * bound >> 64);
}

int64_t world_now(const struct world *world) { return weir_runtime_now(world->runtime); }

struct total {
  uint64_t steps, episodes, injected, runs, hash;
  int problems;
};

/* One episode; returns whether all went well. */
static int episode(struct world *world, uint64_t seed, int threaded, uint64_t steps) {
  memset(world, 0, sizeof *world);
  world->seed = world->random = seed;
  world->threaded = threaded;
  pthread_mutex_init(&world->mutex, NULL);
  if (world_open(world)) {
    if (threaded) helpers_begin(world);
    while (world->problem == NULL && world->step < steps) {
      world->step++;
      take_step(world);
    }
    if (threaded) helpers_end(world);
  } else {
    world->step++; /* no memory for the policies: only that nothing is left is to be seen */
  }
  if (world->problem == NULL) world_close(world);
  pthread_mutex_destroy(&world->mutex);
  return world->problem == NULL;
}

static void report_problem(const struct world *world, int threaded) {
  printf("WRONG: %s\n", world->detail);
  printf("seed %llu, step %llu%s\n", (unsigned long long)world->seed,
         (unsigned long long)world->step, threaded ? ", with threads" : "");
  printf("replay: sim --episode %llu%s\n", (unsigned long long)world->seed,
         threaded ? " --threads" : "");
  printf("%s", world->decisions);
}

static void run_episodes(struct total *total, uint64_t seed, uint64_t steps, int threaded) {
  static struct world world;
  uint64_t state = seed;
  while (total->steps < steps && total->problems == 0) {
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    if (!episode(&world, state | 1, threaded, EPISODE_STEPS)) {
      total->problems = 1;
      report_problem(&world, threaded);
    }
    total->steps += world.step;
    total->episodes++;
    total->injected += world.injected;
    total->runs += world.accepted;
    total->hash = (total->hash ^ world.hash) * UINT64_C(0x100000001B3);
  }
}

static int replay(uint64_t seed, int threaded) {
  static struct world world;
  int good = episode(&world, seed, threaded, EPISODE_STEPS);
  if (!good) report_problem(&world, threaded);
  printf("%llu steps, hash %016llx\n", (unsigned long long)world.step,
         (unsigned long long)world.hash);
  return !good;
}

int main(int argc, char **argv) {
  uint64_t steps = 10000000;
  uint64_t seed = 1;
  uint64_t one = 0;
  int threaded = 0;
  for (int i = 1; i < argc; i++) {
    int more = i + 1 < argc;
    if (strcmp(argv[i], "--threads") == 0)
      threaded = 1;
    else if (strcmp(argv[i], "--steps") == 0 && more)
      steps = strtoull(argv[++i], NULL, 10);
    else if (strcmp(argv[i], "--seed") == 0 && more)
      seed = strtoull(argv[++i], NULL, 10);
    else if (strcmp(argv[i], "--episode") == 0 && more)
      one = strtoull(argv[++i], NULL, 10);
    else
      return fprintf(stderr, "usage: sim [--steps N] [--seed S] [--threads] [--episode S]\n"), 2;
  }
  if (one != 0) return replay(one, threaded);
  struct total total = {0};
  struct timespec began, ended;
  clock_gettime(CLOCK_MONOTONIC, &began);
  run_episodes(&total, seed, steps, threaded);
  clock_gettime(CLOCK_MONOTONIC, &ended);
  double seconds =
      (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9;
  printf(
      "%llu steps in %llu episodes, %llu runs, %llu failed allocations, seed %llu, hash %016llx\n",
      (unsigned long long)total.steps, (unsigned long long)total.episodes,
      (unsigned long long)total.runs, (unsigned long long)total.injected, (unsigned long long)seed,
      (unsigned long long)total.hash);
  printf("%.1f s, %.2f million steps a second\n", seconds, (double)total.steps / 1e6 / seconds);
  return total.problems;
}
