/* SPDX-License-Identifier: MIT */
/*
 * Documents that save themselves: two seconds after the last edit, after fifteen at the latest when
 * the edits do not pause, and at once when the program ends. One debounce does it for all of them,
 * keyed by the document's name. The clock is virtual, so that a minute passes in a blink; in your
 * program the runtime has a real clock and the operation begins a real write.
 */

#include <stdio.h>
#include <string.h>

#include <weir/testing.h>
#include <weir/weir.h>

struct document {
  const char *name;
  char text[32];
  char disk[32]; /* what a crash would leave */
  int edits;
  int saves;
  int unsaved; /* edits */
  int64_t unsaved_since_ms;
  int64_t unsaved_longest_ms;
};

struct desk {
  weir_runtime *runtime;
  weir_debounce *autosave;
  int64_t begun_ns;
  struct document documents[2];
};

static int64_t now_ms(const struct desk *desk) {
  return (weir_runtime_now(desk->runtime) - desk->begun_ns) / 1000000;
}

static struct document *find(struct desk *desk, const void *name, size_t size) {
  struct document *document = desk->documents;
  while (strlen(document->name) != size || memcmp(document->name, name, size) != 0) document++;
  return document;
}

/* ---- saving: the attempt has the key, and as input what was last to be saved ---- */

static void save(void *data, weir_attempt *attempt) {
  struct desk *desk = data;
  struct document *document = find(desk, attempt->key, attempt->key_size);
  int64_t waited_ms = now_ms(desk) - document->unsaved_since_ms;
  snprintf(document->disk, sizeof document->disk, "%.*s", (int)weir_value_size(attempt->input),
           (const char *)weir_value_data(attempt->input));
  printf("%5.1f s: saved the %-6s (%2d edits were unsaved, for up to %4.1f s)\n",
         (double)now_ms(desk) / 1e3, document->name, document->unsaved, (double)waited_ms / 1e3);
  if (waited_ms > document->unsaved_longest_ms) document->unsaved_longest_ms = waited_ms;
  document->unsaved = 0;
  document->saves++;
  weir_complete(attempt->runtime, attempt->token, NULL);
}

/* ---- editing: each edit is a touch, which asks for no settlement ---- */

static void edit(struct desk *desk, struct document *document) {
  weir_value *text = NULL;
  snprintf(document->text, sizeof document->text, "%s, edit %d", document->name, ++document->edits);
  if (document->unsaved++ == 0) document->unsaved_since_ms = now_ms(desk);
  if (weir_value_new_bytes(desk->runtime, document->text, strlen(document->text), &text) ==
      WEIR_OK) {
    weir_debounce_touch(desk->autosave, document->name, strlen(document->name), text);
    weir_value_unref(text);
  }
}

/* The novel is written all the time, the letter for five seconds, and a last word at the end. */
static void work(struct desk *desk) {
  struct document *novel = &desk->documents[0];
  struct document *letter = &desk->documents[1];
  for (int tick = 0; tick < 110; tick++) {
    edit(desk, novel);
    if (tick >= 20 && tick < 30) edit(desk, letter);
    weir_testing_advance(desk->runtime, 500);
  }
  edit(desk, letter);
}

static void save_all(struct desk *desk) {
  for (struct document *document = desk->documents; document < desk->documents + 2; document++) {
    weir_debounce_flush(desk->autosave, document->name, strlen(document->name));
  }
  weir_testing_run_until_idle(desk->runtime);
}

static weir_status make_autosave(struct desk *desk, weir_error **error) {
  weir_operation *operation = NULL;
  weir_debounce_options options = WEIR_DEBOUNCE_OPTIONS_INIT;
  options.wait_ms = 2000;
  options.max_wait_ms = 15000;
  options.name = "autosave";
  weir_status status = weir_operation_new(desk->runtime, save, desk, NULL, &operation, error);
  if (status == WEIR_OK) {
    status = weir_debounce_new(desk->runtime, operation, &options, &desk->autosave, error);
  }
  weir_operation_unref(operation);
  return status;
}

static int is_safe(const struct document *document) {
  return strcmp(document->disk, document->text) == 0 && document->unsaved_longest_ms <= 15000;
}

int main(void) {
  struct desk desk = {.documents = {{.name = "novel"}, {.name = "letter"}}};
  weir_error *error = NULL;
  int good = 0;
  if (weir_testing_runtime_new(1, &desk.runtime) == WEIR_OK &&
      make_autosave(&desk, &error) == WEIR_OK) {
    desk.begun_ns = weir_runtime_now(desk.runtime);
    work(&desk);
    save_all(&desk);
    printf("%d edits, %d saves\n", desk.documents[0].edits + desk.documents[1].edits,
           desk.documents[0].saves + desk.documents[1].saves);
    good = is_safe(&desk.documents[0]) && is_safe(&desk.documents[1]) &&
           desk.documents[0].saves == 4 && desk.documents[1].saves == 2;
  }
  if (error != NULL) fprintf(stderr, "%s\n", weir_error_message(error));
  weir_error_unref(error);
  weir_debounce_unref(desk.autosave);
  weir_runtime_unref(desk.runtime);
  return good ? 0 : 1;
}
