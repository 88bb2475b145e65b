/* SPDX-License-Identifier: MIT */
/*
 * model [--scarce] [--steps N] [--seed S] [--episode S]: episode after episode until N steps are
 * done (default two million). What goes wrong is printed with the seed that replays it, and the
 * exit status is 1. Equal seeds and steps print equal hashes. --scarce lets allocations fail in
 * every episode instead of one in three.
 */

#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The library keeps the memory that it has needed once: what lacks it is found early. */
enum { EPISODE_STEPS = 3000, SCARCE_STEPS = 500 };

struct total {
  uint64_t steps, episodes, injected, gets, hash;
};

static int one_episode(struct world *world, int scarce, uint64_t seed) {
  memset(world, 0, sizeof *world);
  world->scarce = scarce;
  world->seed = world->random = seed;
  if (episode(world, scarce ? SCARCE_STEPS : EPISODE_STEPS)) return 1;
  printf("WRONG: %s\nseed %llu, step %llu\nreplay: model%s --episode %llu\n%s", world->detail,
         (unsigned long long)seed, (unsigned long long)world->step, scarce ? " --scarce" : "",
         (unsigned long long)seed, world->decisions);
  return 0;
}

static int run_episodes(struct total *total, int scarce, uint64_t seed, uint64_t steps) {
  static struct world world;
  uint64_t state = seed;
  int good = 1;
  while (good && total->steps < steps) {
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    good = one_episode(&world, scarce, state | 1);
    total->steps += world.step;
    total->episodes++;
    total->injected += world.injected;
    total->gets += world.calls;
    total->hash = (total->hash ^ world.hash) * UINT64_C(0x100000001B3);
  }
  return good;
}

static int replay(int scarce, uint64_t seed) {
  static struct world world;
  int good = one_episode(&world, scarce, seed);
  printf("%llu steps, hash %016llx\n", (unsigned long long)world.step,
         (unsigned long long)world.hash);
  return !good;
}

static double seconds_since(const struct timespec *begun) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)(now.tv_sec - begun->tv_sec) + (double)(now.tv_nsec - begun->tv_nsec) / 1e9;
}

int main(int argc, char **argv) {
  uint64_t steps = 2000000;
  uint64_t seed = 1;
  int scarce = 0;
  for (int i = 1; i < argc; i++) {
    int more = i + 1 < argc;
    if (strcmp(argv[i], "--steps") == 0 && more)
      steps = strtoull(argv[++i], NULL, 10);
    else if (strcmp(argv[i], "--seed") == 0 && more)
      seed = strtoull(argv[++i], NULL, 10);
    else if (strcmp(argv[i], "--scarce") == 0)
      scarce = 1;
    else if (strcmp(argv[i], "--episode") == 0 && more)
      return replay(scarce, strtoull(argv[++i], NULL, 10));
    else
      return fprintf(stderr, "usage: model [--scarce] [--steps N] [--seed S] [--episode S]\n"), 2;
  }
  struct total total = {0};
  struct timespec begun;
  clock_gettime(CLOCK_MONOTONIC, &begun);
  int good = run_episodes(&total, scarce, seed, steps);
  double seconds = seconds_since(&begun);
  printf(
      "%llu steps in %llu episodes, %llu gets, %llu failed allocations, seed %llu, hash %016llx\n",
      (unsigned long long)total.steps, (unsigned long long)total.episodes,
      (unsigned long long)total.gets, (unsigned long long)total.injected, (unsigned long long)seed,
      (unsigned long long)total.hash);
  printf("%.1f s, %.2f million steps a second\n", seconds, (double)total.steps / 1e6 / seconds);
  return !good;
}
