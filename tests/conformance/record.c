/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "table.h"

/* What was seen, in the table's own form, and whether it is what was expected: an expected tree is
 * contained in the seen one. */

enum { MOST_SEEN = 1000 };

int64_t now_ms(const struct world *world) {
  return (weir_runtime_now(world->runtime) - world->start_ns) / MS;
}

static cJSON *cause_to_json(const weir_error *error, size_t index) {
  cJSON *json = cJSON_CreateObject();
  cJSON_AddNumberToObject(json, "index", (double)index);
  cJSON_AddStringToObject(json, "status", word_of(status_words, weir_error_status(error)));
  cJSON_AddItemToObject(json, "error", error_to_json(error));
  cJSON_AddStringToObject(json, "message", weir_error_message(error));
  return json;
}

static void add_error(cJSON *json, const weir_error *error) {
  cJSON *causes = cJSON_AddArrayToObject(json, "causes");
  if (error == NULL) return;
  cJSON_AddItemToObject(json, "error", error_to_json(error));
  cJSON_AddStringToObject(json, "message", weir_error_message(error));
  for (size_t i = 0; i < weir_error_count(error); i++) {
    size_t index = 0;
    const weir_error *cause = weir_error_at(error, i, &index);
    cJSON_AddItemToArray(causes, cause_to_json(cause, index));
  }
  if (weir_error_cause(error) != NULL) {
    cJSON_AddItemToObject(json, "cause", cause_to_json(weir_error_cause(error), 0));
  }
}

static void add_rejection(cJSON *json, const weir_rejection *rejection) {
  if (rejection == NULL) return;
  cJSON *object = cJSON_AddObjectToObject(json, "rejection");
  cJSON_AddStringToObject(object, "policy", word_of(policy_words, rejection->policy));
  cJSON_AddStringToObject(object, "name", rejection->name);
  cJSON_AddStringToObject(object, "reason", word_of(reason_words, rejection->reason));
}

static void add_statuses(cJSON *json, const weir_outcome *outcome) {
  cJSON *list = cJSON_AddArrayToObject(json, "statuses");
  uint32_t kept = WEIR_OUTCOME_STATUSES;
  for (uint32_t i = 0; i < outcome->attempts && i < kept; i++) {
    const char *word = word_of(status_words, outcome->statuses[i]);
    cJSON_AddItemToArray(list, cJSON_CreateString(word));
  }
}

static void add_number_or_off(cJSON *json, const char *name, int64_t number) {
  if (number < 0) {
    cJSON_AddStringToObject(json, name, "off");
  } else {
    cJSON_AddNumberToObject(json, name, (double)number);
  }
}

void record_settle(void *data, weir_call *call, const weir_outcome *outcome) {
  struct run *run = data;
  struct world *world = run->world;
  cJSON *json = cJSON_CreateObject();
  (void)call;
  run->settled++;
  world->in_flight--;
  cJSON_AddStringToObject(json, "run", run->label);
  cJSON_AddNumberToObject(json, "event", (double)world->event);
  cJSON_AddNumberToObject(json, "at_ms", (double)now_ms(world));
  cJSON_AddStringToObject(json, "status", word_of(status_words, outcome->status));
  cJSON_AddStringToObject(json, "channel", word_of(channel_words, outcome->channel));
  cJSON_AddItemToObject(json, "value", value_to_json(outcome->value));
  add_error(json, outcome->error);
  add_rejection(json, outcome->rejection);
  add_statuses(json, outcome);
  cJSON_AddNumberToObject(json, "attempts", outcome->attempts);
  cJSON_AddStringToObject(json, "stop_reason", word_of(stop_words, outcome->stop_reason));
  cJSON_AddStringToObject(json, "cancel_reason", word_of(cancel_words, outcome->cancel_reason));
  add_number_or_off(json, "retry_after_ms", outcome->retry_after_ms);
  cJSON_AddBoolToObject(json, "final", outcome->final != 0);
  cJSON_AddItemToArray(world->settled, json);
}

/* ---- comparing ---- */

static int contains(const cJSON *expected, const cJSON *seen);

static int contains_object(const cJSON *expected, const cJSON *seen) {
  const cJSON *field;
  /* A user's error is of the user's domain unless it says otherwise. */
  if (cJSON_GetObjectItemCaseSensitive(expected, "code") != NULL &&
      strcmp(text_field(expected, "domain", "user"), text_field(seen, "domain", "")) != 0) {
    return 0;
  }
  cJSON_ArrayForEach(field, expected) {
    if (!contains(field, cJSON_GetObjectItemCaseSensitive(seen, field->string))) return 0;
  }
  return 1;
}

static int contains(const cJSON *expected, const cJSON *seen) {
  if (seen == NULL) return 0;
  if (cJSON_IsObject(expected)) return cJSON_IsObject(seen) && contains_object(expected, seen);
  if (!cJSON_IsArray(expected)) return cJSON_Compare(expected, seen, 1);
  if (!cJSON_IsArray(seen) || cJSON_GetArraySize(expected) != cJSON_GetArraySize(seen)) return 0;
  for (int i = 0; i < cJSON_GetArraySize(expected); i++) {
    if (!contains(cJSON_GetArrayItem(expected, i), cJSON_GetArrayItem(seen, i))) return 0;
  }
  return 1;
}

static void tell_difference(struct world *world, const cJSON *expected, const cJSON *seen) {
  char *wanted = cJSON_PrintUnformatted(expected), *got = cJSON_PrintUnformatted(seen);
  problem(world, "expected %s\n    but saw %s", wanted == NULL ? "nothing more" : wanted,
          got == NULL ? "nothing more" : got);
  cJSON_free(wanted);
  cJSON_free(got);
}

/* Where in `seen` what is expected at `position` is: there, or with any_order at another place of
 * the same event that is not `taken`; -1 if nowhere. */
static int place_of(const struct world *world, const cJSON *expected, const cJSON *seen,
                    int position, const char *taken, const char *inside) {
  const cJSON *there = cJSON_GetArrayItem(seen, position);
  int64_t event = number_field(there, "event", -1);
  int any_order = world->manner == BY_QUEUE || flag_field(world->scenario, "any_order", 0);
  for (int i = any_order ? 0 : position; i < cJSON_GetArraySize(seen) && i < MOST_SEEN; i++) {
    const cJSON *candidate = cJSON_GetArrayItem(seen, i);
    const cJSON *value =
        inside == NULL ? candidate : cJSON_GetObjectItemCaseSensitive(candidate, inside);
    int here = number_field(candidate, "event", -1) == event && !taken[i];
    if (here && contains(expected, value)) return i;
    if (!any_order) break;
  }
  return -1;
}

/* -1: all are as expected; otherwise the first position that is not. */
static int first_difference(const struct world *world, const cJSON *expected, const cJSON *seen,
                            const char *inside) {
  char taken[MOST_SEEN] = {0};
  int wanted = cJSON_GetArraySize(expected), got = cJSON_GetArraySize(seen);
  for (int i = 0; i < wanted && i < got; i++) {
    int place = place_of(world, cJSON_GetArrayItem(expected, i), seen, i, taken, inside);
    if (place < 0) return i;
    taken[place] = 1;
  }
  if (wanted == got) return -1;
  return wanted < got ? wanted : got;
}

static void compare_settlements(struct world *world) {
  const cJSON *expect = cJSON_GetObjectItemCaseSensitive(world->scenario, "expect");
  int at = first_difference(world, expect, world->settled, NULL);
  if (at < 0) return;
  tell_difference(world, cJSON_GetArrayItem(expect, at), cJSON_GetArrayItem(world->settled, at));
}

static struct leaf *leaf_named(struct world *world, const char *name) {
  struct leaf *leaf = world->leaves;
  while (leaf != NULL && strcmp(leaf->name, name) != 0) leaf = leaf->next;
  return leaf;
}

static void compare_notes(struct world *world, const char *what, const cJSON *wanted,
                          const cJSON *notes) {
  if (first_difference(world, wanted, notes, "value") < 0) return;
  char *one = cJSON_PrintUnformatted(wanted), *other = cJSON_PrintUnformatted(notes);
  problem(world, "%s of '%s': expected %s, saw %s", what, wanted->string, one,
          other == NULL ? "none" : other);
  cJSON_free(one);
  cJSON_free(other);
}

static void compare_leaves(struct world *world, const char *what) {
  const cJSON *item;
  cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(world->scenario, what)) {
    const struct leaf *leaf = leaf_named(world, item->string);
    const cJSON *notes = leaf == NULL ? NULL : leaf->starts;
    if (leaf != NULL && strcmp(what, "inputs") == 0) notes = leaf->inputs;
    if (leaf != NULL && strcmp(what, "stops") == 0) notes = leaf->stops;
    compare_notes(world, what, item, notes);
  }
}

void compare(struct world *world) {
  compare_settlements(world);
  compare_leaves(world, "starts");
  compare_leaves(world, "inputs");
  compare_leaves(world, "stops");
}
