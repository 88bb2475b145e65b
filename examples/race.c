/* SPDX-License-Identifier: MIT */
/*
 * Fetch from two regions at once: the first answer wins, after 5 seconds nobody waits any longer,
 * and when both fail, both reasons are shown. Three runs: the nearer region answers; both are slow;
 * both fail. (The regions are timers here; a real one would send a request and complete its token
 * when the response is there. Time is divided by 50 so that the example ends soon.)
 */

#include <stdio.h>

#include <weir/weir.h>

enum { FASTER = 50 };

/* A region that answers after `ms` with `body`, or fails. */
static weir_operation *region(weir_runtime *runtime, int64_t ms, const char *body) {
  weir_operation *made = NULL;
  weir_value *value = NULL;
  weir_error *failure = NULL;
  if (body != NULL) {
    weir_value_new_bytes(runtime, body, 7, &value);
  } else {
    weir_error_new(runtime, WEIR_DOMAIN_HTTP, 503, "overloaded", &failure);
  }
  weir_sleep_new(runtime, ms / FASTER, body != NULL ? WEIR_OK : WEIR_EFAILED, value, failure, &made,
                 NULL);
  weir_value_unref(value);
  weir_error_unref(failure);
  return made;
}

/* Two regions, and a sleep that ends the race when it is over. Takes the references. */
static weir_operation *fetch_from(weir_runtime *runtime, weir_operation *eu, weir_operation *us) {
  static const uint8_t decisive[] = {0, 0, 1};
  weir_operation *race = NULL;
  weir_operation *deadline = NULL;
  weir_sleep_new(runtime, 5000 / FASTER, WEIR_ETIMEDOUT, NULL, NULL, &deadline, NULL);
  weir_operation *racers[] = {eu, us, deadline};
  weir_race_options options = WEIR_RACE_OPTIONS_INIT;
  options.decisive = decisive;
  options.name = "regions";
  weir_error *error = NULL;
  if (weir_race_new(runtime, racers, 3, &options, &race, &error) != WEIR_OK) {
    fprintf(stderr, "%s\n", weir_error_message(error));
    weir_error_unref(error);
  }
  for (size_t i = 0; i < 3; i++) weir_operation_unref(racers[i]);
  return race;
}

static weir_status show(const char *what, weir_operation *fetch) {
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  char line[256];
  weir_status status = weir_run_wait(fetch, NULL, WEIR_FOREVER, &outcome, NULL);
  weir_operation_unref(fetch);
  if (status != WEIR_OK) return status;
  weir_outcome_describe(&outcome, line, sizeof line);
  printf("%s: %s\n", what, line);
  if (outcome.value != NULL) printf("  %.7s\n", (const char *)weir_value_data(outcome.value));
  for (size_t i = 0; i < weir_error_count(outcome.error); i++) {
    size_t index = 0;
    const weir_error *cause = weir_error_at(outcome.error, i, &index);
    printf("  region %zu: %s\n", index, weir_error_message(cause));
  }
  status = outcome.status;
  weir_outcome_release(&outcome);
  return status;
}

int main(void) {
  weir_runtime *runtime = NULL;
  if (weir_runtime_new(NULL, &runtime, NULL) != WEIR_OK) return 1;
  weir_operation *near =
      fetch_from(runtime, region(runtime, 900, "from eu"), region(runtime, 3000, "from us"));
  weir_operation *slow =
      fetch_from(runtime, region(runtime, 60000, "from eu"), region(runtime, 70000, "from us"));
  weir_operation *down =
      fetch_from(runtime, region(runtime, 1000, NULL), region(runtime, 1000, NULL));
  int as_expected = show("eu is near", near) == WEIR_OK;
  as_expected &= show("both are slow", slow) == WEIR_ETIMEDOUT;
  as_expected &= show("both fail", down) == WEIR_EAGGREGATE;
  weir_runtime_close_wait(runtime, WEIR_FOREVER);
  weir_runtime_unref(runtime);
  return as_expected ? 0 : 1;
}
