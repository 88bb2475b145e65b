/* SPDX-License-Identifier: MIT */
/*
 * Search as you type, on the program's own libuv loop: a search begins when the keys have paused
 * for 300 ms. Each key is a call, and a call that a later key replaced settles as superseded and is
 * ignored; so does the one whose search is going on when the next is due, which is told to stop.
 */

#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <uv.h>

#include <weir/weir.h>

/* ---- the search: slow and blocking, so it has a thread of the pool ---- */

static const char *const titles[] = {"weather", "weaver", "web", "weir", "weird", "welcome"};

static weir_status search(void *data, const weir_attempt *attempt, weir_value **value,
                          weir_error **error) {
  const char *text = weir_value_data(attempt->input);
  size_t size = weir_value_size(attempt->input);
  char found[128] = "";
  (void)data, (void)error;
  nanosleep(&(struct timespec){.tv_nsec = 600 * 1000 * 1000}, NULL);
  for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) {
    if (strncmp(titles[i], text, size) == 0) strcat(strcat(found, " "), titles[i]);
  }
  return weir_value_new_bytes(attempt->runtime, found, strlen(found), value);
}

/* ---- the box one types into, and the list below it ---- */

static const char text[] = "weir";
static const uint64_t pauses_ms[] = {0, 80, 80, 350}; /* "wei" is being searched for: go on */

enum { KEYS = sizeof text - 1 };

struct box {
  uv_timer_t keyboard;
  weir_runtime *runtime;
  weir_debounce *typing;
  int typed;
  int superseded;
  int shown;
  char list[128];
};

static void on_found(void *data, weir_call *call, const weir_outcome *outcome) {
  struct box *box = data;
  (void)call;
  if (outcome->status == WEIR_ESUPERSEDED) {
    box->superseded++; /* a later key took its place */
  } else if (outcome->status == WEIR_OK) {
    box->shown++;
    snprintf(box->list, sizeof box->list, "%.*s", (int)weir_value_size(outcome->value),
             (const char *)weir_value_data(outcome->value));
    printf("found:%s\n", box->list);
  }
}

/* One key more. The call keeps what it needs of the text. */
static void on_key(uv_timer_t *keyboard) {
  struct box *box = keyboard->data;
  weir_value *typed = NULL;
  printf("typed: %.*s\n", ++box->typed, text);
  if (weir_value_new_bytes(box->runtime, text, (size_t)box->typed, &typed) == WEIR_OK) {
    weir_debounce_call(box->typing, NULL, 0, typed, on_found, box, NULL, NULL, NULL);
    weir_value_unref(typed);
  }
  if (box->typed < KEYS) {
    uv_timer_start(keyboard, on_key, pauses_ms[box->typed], 0);
  } else {
    uv_close((uv_handle_t *)keyboard, NULL);
  }
}

static weir_status make_typing(struct box *box, weir_error **error) {
  weir_operation *operation = NULL;
  weir_debounce_options options = WEIR_DEBOUNCE_OPTIONS_INIT;
  options.wait_ms = 300;
  options.overlap = WEIR_OVERLAP_CANCEL; /* what is being searched for is out of date */
  options.name = "search";
  weir_status status =
      weir_operation_new_blocking(box->runtime, search, NULL, NULL, &operation, error);
  if (status == WEIR_OK) {
    status = weir_debounce_new(box->runtime, operation, &options, &box->typing, error);
  }
  weir_operation_unref(operation);
  return status;
}

int main(void) {
  uv_loop_t *loop = uv_default_loop();
  struct box box = {.typed = 0};
  weir_error *error = NULL;
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.driver = WEIR_DRIVER_UV;
  options.loop = loop;
  if (weir_runtime_new(&options, &box.runtime, &error) != WEIR_OK ||
      make_typing(&box, &error) != WEIR_OK) {
    fprintf(stderr, "%s\n", weir_error_message(error));
    return 1;
  }
  box.keyboard.data = &box;
  uv_timer_init(loop, &box.keyboard);
  uv_timer_start(&box.keyboard, on_key, pauses_ms[0], 0);
  uv_run(loop, UV_RUN_DEFAULT);

  weir_pacing_stats stats = {.size = sizeof stats};
  weir_debounce_get_stats(box.typing, &stats);
  printf("%d keys, %d searches, %d superseded, %d shown\n", box.typed, (int)stats.runs,
         box.superseded, box.shown);
  int good = box.superseded + box.shown == KEYS && stats.runs < KEYS &&
             strcmp(box.list, " weir weird") == 0;

  weir_debounce_unref(box.typing);
  weir_runtime_unref(box.runtime); /* begins closing ... */
  uv_run(loop, UV_RUN_DEFAULT);    /* ... which ends on the loop */
  return good && uv_loop_close(loop) == 0 ? 0 : 1;
}
