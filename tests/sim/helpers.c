/* SPDX-License-Identifier: MIT */
/* --threads: two more threads complete and cancel while the main one runs and processes. */

#include "sim.h"

#include <sched.h>
#include <stdlib.h>

enum { HELPERS = 2 };

struct helper {
  struct world *world;
  pthread_t thread;
  uint64_t random;
};

static struct helper helpers[HELPERS];
static _Atomic int helpers_stop;

static uint64_t helper_draw(struct helper *helper) {
  helper->random ^= helper->random << 13;
  helper->random ^= helper->random >> 7;
  helper->random ^= helper->random << 17;
  return helper->random;
}

static void help_complete(struct helper *helper) {
  struct world *world = helper->world;
  struct sim_attempt *attempt = &world->attempts[helper_draw(helper) % MAX_ATTEMPTS];
  int was = model_claim(attempt);
  if (was == ATTEMPT_FREE) return;
  weir_status status = model_complete(attempt, was, helper_draw(helper));
  MUST(world, status == WEIR_OK || status == WEIR_ENOMEM, status, was);
}

static void help_cancel(struct helper *helper) {
  struct world *world = helper->world;
  struct sim_run *run = &world->runs[helper_draw(helper) % MAX_RUNS];
  weir_call *call = NULL;
  pthread_mutex_lock(&world->mutex);
  if (run->in_use && run->call != NULL) {
    if (!run->settled) run->cancelled = 1;
    call = weir_call_ref(run->call);
  }
  pthread_mutex_unlock(&world->mutex);
  if (call == NULL) return;
  weir_call_cancel(call);
  weir_call_unref(call);
}

static void *help(void *data) {
  struct helper *helper = data;
  while (!atomic_load(&helpers_stop)) {
    if (helper_draw(helper) % 16 == 0) {
      help_cancel(helper);
    } else {
      help_complete(helper);
    }
    if (helper_draw(helper) % 64 == 0) sched_yield();
  }
  return NULL;
}

void helpers_begin(struct world *world) {
  atomic_store(&helpers_stop, 0);
  for (size_t i = 0; i < HELPERS; i++) {
    helpers[i] = (struct helper){.world = world, .random = world->seed * 2 + 2 * i + 1};
    if (pthread_create(&helpers[i].thread, NULL, help, &helpers[i]) != 0) abort();
  }
}

void helpers_end(struct world *world) {
  (void)world;
  atomic_store(&helpers_stop, 1);
  for (size_t i = 0; i < HELPERS; i++) pthread_join(helpers[i].thread, NULL);
}
