/* SPDX-License-Identifier: MIT */
/*
 * An import of three users, in a scope of its own: it opens a connection and closes it again
 * whatever happens, all of it has two seconds, what it caches lives as long as the scope says, and
 * every line it logs begins with the scope's name.
 */

#include <stdio.h>
#include <string.h>

#include <weir/weir.h>

struct import {
  weir_runtime *runtime;
  weir_operation *store;
  weir_cache *users;
  int opened, stored, closed;
};

static void log_line(void *data, int32_t level, const char *subject, const char *message) {
  (void)data;
  (void)level;
  printf("%s: %s\n", subject, message);
}

/* ---- the resource ---- */

static void open_connection(void *data, weir_attempt *attempt) {
  struct import *import = data;
  import->opened++;
  weir_log(attempt->runtime, WEIR_LOG_INFO, "connection", "opened");
  weir_complete_bytes(attempt->runtime, attempt->token, "connection 1", 12);
}

/* Its input is what opening gave. */
static void close_connection(void *data, weir_attempt *attempt) {
  struct import *import = data;
  import->closed++;
  weir_log(attempt->runtime, WEIR_LOG_INFO, "connection", "closed");
  weir_complete(attempt->runtime, attempt->token, NULL);
}

/* ---- the work ---- */

/* The lifetime of what is cached: the scope's default, wherever the put comes from. */
static int64_t lifetime_ms(void *data, const weir_expiry *expiry) {
  int64_t ttl_ms = 300000;
  (void)expiry;
  weir_scope_get_int64(weir_scope_current((weir_runtime *)data), "ttl_ms", &ttl_ms);
  return ttl_ms;
}

static void store(void *data, weir_attempt *attempt) {
  struct import *import = data;
  weir_value *connection = NULL;
  if (weir_scope_get_value(attempt->scope, "connection", &connection) == WEIR_OK) {
    import->stored++;
    weir_cache_put(import->users, weir_value_data(attempt->input), weir_value_size(attempt->input),
                   connection);
  }
  weir_value_unref(connection);
  weir_log(attempt->runtime, WEIR_LOG_INFO, "store", (const char *)weir_value_data(attempt->input));
  weir_complete(attempt->runtime, attempt->token, NULL);
}

/* The body: starts its runs in the scope and leaves; the scope waits for them. */
static void import_users(void *data, weir_attempt *attempt) {
  static const char *const names[] = {"ada", "grace", "edsger"};
  struct import *import = data;
  for (int i = 0; i < 3; i++) {
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    options.scope = attempt->scope;
    if (weir_value_new_bytes(import->runtime, names[i], strlen(names[i]) + 1, &options.input) ==
        WEIR_OK) {
      weir_run(import->store, &options, NULL, NULL, NULL, NULL, NULL);
    }
    weir_value_unref(options.input);
  }
  weir_complete(attempt->runtime, attempt->token, NULL);
}

/* ---- putting it together ---- */

static void set_defaults(void *data, weir_attempt *attempt) {
  (void)data;
  weir_scope_set_int64(attempt->scope, "ttl_ms", 60000);
  weir_complete(attempt->runtime, attempt->token, NULL);
}

/* Defaults, connection, work: one after the other, in a scope. */
static weir_status make_import(struct import *import, weir_operation **out, weir_error **error) {
  weir_operation *made[6] = {NULL};
  weir_runtime *runtime = import->runtime;
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  options.name = "import";
  options.deadline_ms = 2000;
  weir_status status = weir_operation_new(runtime, set_defaults, NULL, NULL, &made[0], error);
  if (status == WEIR_OK) {
    status = weir_operation_new(runtime, open_connection, import, NULL, &made[3], error);
  }
  if (status == WEIR_OK) {
    status = weir_operation_new(runtime, close_connection, import, NULL, &made[4], error);
  }
  if (status == WEIR_OK) {
    status = weir_scope_resource(made[3], made[4], "connection", &made[1], error);
  }
  if (status == WEIR_OK) {
    status = weir_operation_new(runtime, import_users, import, NULL, &made[2], error);
  }
  if (status == WEIR_OK) status = weir_waterfall_new(runtime, made, 3, NULL, &made[5], error);
  if (status == WEIR_OK) status = weir_scope_operation(made[5], &options, out, error);
  for (int i = 0; i < 6; i++) weir_operation_unref(made[i]);
  return status;
}

int main(void) {
  struct import import = {0};
  weir_operation *operation = NULL;
  weir_error *error = NULL;
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.log = log_line;
  options.log_level = WEIR_LOG_INFO;
  weir_cache_options cache = WEIR_CACHE_OPTIONS_INIT;
  cache.expire = lifetime_ms;

  weir_status status = weir_runtime_new(&options, &import.runtime, &error);
  cache.expire_data = import.runtime;
  if (status == WEIR_OK) status = weir_cache_new(import.runtime, &cache, &import.users, &error);
  if (status == WEIR_OK) {
    status = weir_operation_new(import.runtime, store, &import, NULL, &import.store, &error);
  }
  if (status == WEIR_OK) status = make_import(&import, &operation, &error);
  if (status == WEIR_OK) {
    status = weir_run_wait(operation, NULL, WEIR_FOREVER, &outcome, &error);
  }
  if (status != WEIR_OK) {
    fprintf(stderr, "%s\n", weir_error_message(error));
    return 1;
  }

  char line[256];
  weir_outcome_describe(&outcome, line, sizeof line);
  printf("%s; %d opened, %d stored, %d closed\n", line, import.opened, import.stored,
         import.closed);
  int as_expected =
      outcome.status == WEIR_OK && import.opened == 1 && import.stored == 3 && import.closed == 1;
  weir_outcome_release(&outcome);
  weir_operation_unref(operation);
  weir_operation_unref(import.store);
  weir_cache_unref(import.users);
  weir_runtime_close_wait(import.runtime, WEIR_FOREVER);
  weir_runtime_unref(import.runtime);
  return as_expected ? 0 : 1;
}
