/* SPDX-License-Identifier: MIT */
/*
 * User profiles, cached. Three equal calls load once; for a minute (here a second) the profile
 * comes from the cache; after that it is loaded anew, and when the backend is down then, what is
 * out of date still serves. The program's own libuv loop; the backend's client library blocks, so
 * the loader runs on a thread of the pool.
 */

#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <uv.h>

#include <weir/weir.h>

enum { TTL_MS = 1000 };

static void wait_ms(long ms) {
  nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* ---- the backend, and the loader: the attempt has the key ---- */

struct backend {
  int down;
  int requests;
};

static weir_status load_profile(void *data, const weir_attempt *attempt, weir_value **value,
                                weir_error **error) {
  struct backend *backend = data;
  char profile[64];
  int number = ++backend->requests; /* one at a time here */
  wait_ms(20);
  if (backend->down) {
    weir_error_new(attempt->runtime, WEIR_DOMAIN_HTTP, 503, "down", error);
    return WEIR_EFAILED;
  }
  int size = snprintf(profile, sizeof profile, "%.*s, as of request %d", (int)attempt->key_size,
                      (const char *)attempt->key, number);
  return weir_value_new_bytes(attempt->runtime, profile, (size_t)size, value);
}

/* ---- the profiles ---- */

struct profiles {
  uv_loop_t *loop;
  weir_cache *cache;
  weir_operation *loader;
  char last[64]; /* what the last get gave */
};

static void on_profile(void *data, weir_call *call, const weir_outcome *outcome) {
  struct profiles *profiles = data;
  (void)call;
  if (outcome->status == WEIR_OK) {
    snprintf(profiles->last, sizeof profiles->last, "%.*s", (int)weir_value_size(outcome->value),
             (const char *)weir_value_data(outcome->value));
  } else {
    weir_outcome_describe(outcome, profiles->last, sizeof profiles->last);
  }
  printf("  %s\n", profiles->last);
}

/* Gets it so many times at once. */
static const char *get(struct profiles *profiles, const char *user, int times) {
  snprintf(profiles->last, sizeof profiles->last, "nothing");
  for (int i = 0; i < times; i++) {
    weir_cache_get(profiles->cache, user, strlen(user), profiles->loader, on_profile, profiles,
                   NULL, NULL, NULL);
  }
  uv_run(profiles->loop, UV_RUN_DEFAULT);
  return profiles->last;
}

static int demonstrate(struct profiles *profiles, struct backend *backend) {
  printf("three at once\n");
  int good = strcmp(get(profiles, "ada", 3), "ada, as of request 1") == 0;
  printf("once more\n");
  good &= strcmp(get(profiles, "ada", 1), "ada, as of request 1") == 0;

  printf("a minute later the backend is down\n");
  wait_ms(TTL_MS);
  backend->down = 1;
  good &= strcmp(get(profiles, "ada", 1), "ada, as of request 1") == 0; /* after request 2 */
  get(profiles, "grace", 1);                                            /* was never loaded */

  printf("it is up again\n");
  backend->down = 0;
  return good & (strcmp(get(profiles, "ada", 1), "ada, as of request 4") == 0);
}

int main(void) {
  struct backend backend = {0, 0};
  struct profiles profiles = {.loop = uv_default_loop()};
  weir_error *error = NULL;
  weir_runtime *runtime = NULL;
  weir_runtime_options attached = WEIR_RUNTIME_OPTIONS_INIT;
  attached.driver = WEIR_DRIVER_UV;
  attached.loop = profiles.loop;
  weir_cache_options options = WEIR_CACHE_OPTIONS_INIT; /* 1000 entries */
  options.ttl_ms = TTL_MS;
  options.stale_if_error_ms = 3600 * 1000;
  options.name = "profiles";

  if (weir_runtime_new(&attached, &runtime, &error) != WEIR_OK ||
      weir_cache_new(runtime, &options, &profiles.cache, &error) != WEIR_OK ||
      weir_operation_new_blocking(runtime, load_profile, &backend, NULL, &profiles.loader,
                                  &error) != WEIR_OK) {
    fprintf(stderr, "%s\n", weir_error_message(error));
    return 1;
  }
  int good = demonstrate(&profiles, &backend);

  weir_cache_stats stats = {.size = sizeof stats};
  weir_cache_get_stats(profiles.cache, &stats);
  printf("%d gets, %d requests, %d served out of date\n", (int)(stats.hits + stats.misses),
         backend.requests, (int)stats.stale_hits);

  weir_operation_unref(profiles.loader);
  weir_cache_unref(profiles.cache);
  weir_runtime_unref(runtime);           /* begins closing ... */
  uv_run(profiles.loop, UV_RUN_DEFAULT); /* ... which ends on the loop */
  return good && backend.requests == 4 && uv_loop_close(profiles.loop) == 0 ? 0 : 1;
}
