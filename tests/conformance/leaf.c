/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "table.h"

/* The user's functions, which weir calls or tells of by records of a completion queue. An attempt
 * takes its fate from the table and waits on the agenda, in the order of begins; its entry is on
 * the agenda until it completes, and lives until the attempt is over (the slot's free_data; by
 * queue: its completion). */

static void note(const struct world *world, cJSON *list, cJSON *value) {
  cJSON *entry = cJSON_CreateObject();
  cJSON_AddNumberToObject(entry, "event", (double)world->event);
  cJSON_AddItemToObject(entry, "value", value);
  cJSON_AddItemToArray(list, entry);
}

static void leave_agenda(struct entry *entry) {
  struct entry **at = &entry->world->agenda;
  if (!entry->on_agenda) return;
  while (*at != entry) at = &(*at)->next;
  *at = entry->next;
  entry->on_agenda = 0;
}

static void join_agenda(struct entry *entry) {
  struct entry **at = &entry->world->agenda;
  while (*at != NULL) at = &(*at)->next;
  *at = entry;
  entry->on_agenda = 1;
}

static void free_entry(void *data) {
  struct entry *entry = data;
  leave_agenda(entry);
  cJSON_Delete(entry->result);
  free(entry);
}

static weir_completion completion_of(struct world *world, const cJSON *fate) {
  weir_completion completion = WEIR_COMPLETION_INIT;
  const char *class_ = text_field(fate, "class", NULL);
  if (class_ != NULL) completion.class_ = (uint32_t)number_of(world, class_words, class_);
  completion.final = (uint32_t)flag_field(fate, "final", 0);
  completion.retry_after_ms = number_field(fate, "retry_after_ms", WEIR_OFF);
  return completion;
}

/* The entry may be gone when this, or stop_entry, returns. */
static void complete_entry(struct entry *entry) {
  struct world *world = entry->world;
  const cJSON *fate = entry->fate, *failure = cJSON_GetObjectItemCaseSensitive(fate, "error");
  weir_completion completion = completion_of(world, fate);
  const cJSON *result =
      entry->result != NULL ? entry->result : cJSON_GetObjectItemCaseSensitive(fate, "value");
  weir_value *value = failure != NULL ? NULL : value_from(world, result);
  weir_error *error = failure == NULL ? NULL : error_from(world, failure);
  leave_agenda(entry);
  weir_complete_with(world->runtime, entry->token, value, error, &completion);
  if (world->queue != NULL) free_entry(entry);
}

static void stop_entry(void *data, uint32_t reason) {
  struct entry *entry = data;
  struct world *world = entry->world;
  (void)reason;
  if (!entry->on_agenda) return;
  note(world, entry->leaf->stops, cJSON_CreateNumber((double)now_ms(world)));
  if (strcmp(text_field(entry->fate, "on_cancel", "finish"), "ignore") == 0) return;
  leave_agenda(entry);
  weir_fail(world->runtime, entry->token, WEIR_DOMAIN_USER, 0, "told to stop");
  if (world->queue != NULL) free_entry(entry);
}

static const cJSON *fate_of(const struct leaf *leaf, const weir_attempt *attempt) {
  uint64_t position = attempt->number - 1;
  uint64_t count = (uint64_t)cJSON_GetArraySize(leaf->fates);
  if (strcmp(leaf->by, "start") == 0) position = leaf->started;
  if (strcmp(leaf->by, "index") == 0) position = attempt->index;
  return cJSON_GetArrayItem(leaf->fates, (int)(position < count ? position : count - 1));
}

static cJSON *scope_value(weir_scope *scope, const char *key) {
  int64_t number;
  weir_value *value = NULL;
  if (weir_scope_get_int64(scope, key, &number) == WEIR_OK) {
    return cJSON_CreateNumber((double)number);
  }
  weir_scope_get_value(scope, key, &value);
  cJSON *json = value_to_json(value);
  weir_value_unref(value);
  return json;
}

/* By the number of starts the fate would depend on which of two starts within one event is first,
 * which no rule says. */
static void check_fate(struct leaf *leaf, const cJSON *fate) {
  struct world *world = leaf->world;
  if (strcmp(leaf->by, "start") == 0 && leaf->last != NULL && leaf->last != fate &&
      leaf->last_event == world->event) {
    problem(world, "two starts of '%s' within one event have different fates", leaf->name);
  }
  leaf->last = fate;
  leaf->last_event = world->event;
}

static struct entry *begin_attempt(struct leaf *leaf, const weir_attempt *attempt) {
  struct world *world = leaf->world;
  struct entry *entry = calloc(1, sizeof(*entry));
  const cJSON *fate = fate_of(leaf, attempt);
  const char *key = text_field(fate, "scope_value", NULL);
  check_fate(leaf, fate);
  leaf->started++;
  entry->world = world;
  entry->leaf = leaf;
  entry->token = attempt->token;
  entry->fate = fate;
  entry->due_ms = now_ms(world) + number_field(fate, "after_ms", 0);
  if (flag_field(fate, "never", 0)) entry->due_ms = INT64_MAX;
  if (flag_field(fate, "echo", 0)) entry->result = value_to_json(attempt->input);
  if (key != NULL) entry->result = scope_value(attempt->scope, key);
  note(world, leaf->starts, cJSON_CreateNumber((double)now_ms(world)));
  note(world, leaf->inputs, value_to_json(attempt->input));
  join_agenda(entry);
  return entry;
}

static void start_leaf(void *data, weir_attempt *attempt) {
  attempt->data = begin_attempt(data, attempt);
  attempt->free_data = free_entry;
  attempt->on_cancel = stop_entry;
}

weir_status build_leaf(struct world *world, const char *name, const cJSON *def,
                       weir_operation **operation, weir_error **error) {
  struct leaf *leaf = calloc(1, sizeof(*leaf));
  leaf->world = world;
  strncpy(leaf->name, name, sizeof(leaf->name) - 1);
  leaf->fates = cJSON_GetObjectItemCaseSensitive(def, "attempts");
  leaf->by = text_field(def, "by", "attempt");
  leaf->starts = cJSON_CreateArray();
  leaf->inputs = cJSON_CreateArray();
  leaf->stops = cJSON_CreateArray();
  leaf->next = world->leaves;
  world->leaves = leaf;
  if (world->queue != NULL) {
    return weir_operation_new_queued(world->queue, (uint64_t)(uintptr_t)leaf, operation, error);
  }
  return weir_operation_new(world->runtime, start_leaf, leaf, NULL, operation, error);
}

/* ---- by completion queue ---- */

static void take_start(struct world *world, const weir_record *record) {
  weir_attempt attempt = {.size = sizeof(attempt)};
  if (weir_attempt_get(world->runtime, record->object, &attempt, NULL) != WEIR_OK) {
    problem(world, "a drained START is of no attempt");
  } else {
    begin_attempt((struct leaf *)(uintptr_t)record->user, &attempt);
  }
  weir_value_unref((weir_value *)(uintptr_t)record->detail);
}

static void take_cancel(struct world *world, const weir_record *record) {
  struct entry *entry = world->agenda;
  while (entry != NULL && entry->token != record->object) entry = entry->next;
  if (entry != NULL) stop_entry(entry, record->number);
}

/* A host's tasks need not begin in the order of their records: these begin the other way round. */
int drain(struct world *world) {
  weir_record records[64];
  size_t count = weir_completions_drain(world->queue, records, sizeof(records[0]), 64);
  for (size_t i = count; i-- > 0;) {
    if (records[i].kind == WEIR_RECORD_START) take_start(world, &records[i]);
  }
  for (size_t i = 0; i < count; i++) {
    if (records[i].kind == WEIR_RECORD_CANCEL) take_cancel(world, &records[i]);
  }
  return count > 0;
}

/* ---- the agenda ---- */

int64_t agenda_next_ms(const struct world *world) {
  int64_t next = INT64_MAX;
  for (const struct entry *entry = world->agenda; entry != NULL; entry = entry->next) {
    if (entry->due_ms < next) next = entry->due_ms;
  }
  return next;
}

int complete_due(struct world *world, int64_t time_ms) {
  struct entry *chosen = NULL;
  for (struct entry *entry = world->agenda; entry != NULL; entry = entry->next) {
    if (entry->due_ms > time_ms) continue;
    if (chosen == NULL || world->manner == REVERSED) chosen = entry;
  }
  if (chosen != NULL) complete_entry(chosen);
  return chosen != NULL;
}

void complete_all(struct world *world) {
  while (world->agenda != NULL) complete_entry(world->agenda);
}
