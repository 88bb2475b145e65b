/* SPDX-License-Identifier: MIT */
/* Scripted operations and the clock that serves them. An attempt's record lives in its script, and
 * a script lives until the fixture's end, so that on_cancel and free_data may come at any time. */

#include "support.h"

static const char *word_of(const struct script *script, uint32_t index) {
  size_t step = index < script->count ? index : script->count - 1;
  return script->words[step];
}

static int64_t mark(const char *word, char sign) {
  const char *found = strchr(word, sign);
  return found == NULL ? -1 : strtoll(found + 1, NULL, 10);
}

/* Carries out one word's completion. */
static weir_status complete_as(weir_runtime *runtime, weir_token token, const char *word) {
  weir_completion completion = WEIR_COMPLETION_INIT;
  completion.retry_after_ms = mark(word, '@') < 0 ? WEIR_OFF : mark(word, '@');
  completion.final = word[0] == 'F';
  if (mark(word, '/') >= 0) completion.class_ = (uint32_t)mark(word, '/');
  int64_t number = strtoll(word + 1, NULL, 10);
  weir_value *value = NULL;
  weir_error *error = NULL;
  switch (word[0]) {
    case 'v':
    case 'c':
      if (completion.class_ == WEIR_CLASS_NONE && completion.retry_after_ms == WEIR_OFF) {
        return weir_complete_bytes(runtime, token, &number, sizeof number);
      }
      if (weir_value_new_bytes(runtime, &number, sizeof number, &value) != WEIR_OK) break;
      return weir_complete_with(runtime, token, value, NULL, &completion);
    case 'f':
    case 'F':
      if (!completion.final && completion.retry_after_ms == WEIR_OFF &&
          completion.class_ == WEIR_CLASS_NONE) {
        return weir_fail(runtime, token, WEIR_DOMAIN_HTTP, number, "scripted");
      }
      if (weir_error_new(runtime, WEIR_DOMAIN_HTTP, number, "scripted", &error) != WEIR_OK) break;
      return weir_complete_with(runtime, token, NULL, error, &completion);
    case 'n':
      return weir_complete(runtime, token, NULL);
    default:
      break;
  }
  /* No memory for what the word says: the attempt fails and the test sees it. */
  return weir_fail(runtime, token, WEIR_DOMAIN_USER, -1, NULL);
}

static void complete_attempt(struct script_attempt *attempt, const char *word) {
  attempt->completed = 1;
  attempt->due_ns = 0;
  attempt->script->running--;
  attempt->complete_status = complete_as(attempt->script->fixture->runtime, attempt->token, word);
}

static void on_cancel(void *data, uint32_t reason) {
  struct script_attempt *attempt = data;
  attempt->cancels++;
  attempt->cancel_reason = reason;
  attempt->script->cancelled++;
  if (strcmp(attempt->script->words[attempt->step], "yield") == 0 && !attempt->completed) {
    attempt->completed = 1;
    attempt->script->running--;
    attempt->complete_status = weir_fail(attempt->script->fixture->runtime, attempt->token,
                                         WEIR_DOMAIN_USER, 0, "told to stop");
  }
}

static void free_slot(void *data) {
  struct script_attempt *attempt = data;
  attempt->slot_freed++;
  attempt->script->slots_freed++;
}

static void note_attempt(struct script_attempt *note, struct script *script, uint32_t index,
                         const weir_attempt *attempt) {
  *note = (struct script_attempt){
      .script = script,
      .token = attempt->token,
      .number = attempt->number,
      .at_ns = weir_runtime_now(attempt->runtime),
      .remaining_ns = attempt->remaining_ns,
      .input = value_number(attempt->input),
      .context = attempt->context,
      .step = index < script->count ? index : script->count - 1,
  };
}

static void start(void *data, weir_attempt *attempt) {
  struct script *script = data;
  uint32_t index = script->started++;
  const char *word = word_of(script, index);
  script->running++;
  if (script->running > script->max_running) script->max_running = script->running;
  if (script->on_start != NULL) script->on_start(script, attempt);
  if (index >= SCRIPT_ATTEMPTS) { /* no record is kept: it must not stay out */
    script->running--;
    complete_as(attempt->runtime, attempt->token, word);
    return;
  }
  struct script_attempt *note = &script->attempts[index];
  note_attempt(note, script, index, attempt);
  attempt->data = note;
  attempt->on_cancel = on_cancel;
  attempt->free_data = free_slot;
  if (mark(word, '+') >= 0) {
    note->due_ns = note->at_ns + mark(word, '+') * MS;
  } else if (strcmp(word, "hang") != 0 && strcmp(word, "yield") != 0) {
    complete_attempt(note, word);
  }
}

static void free_operation(void *data) { ((struct script *)data)->freed++; }

static void parse(struct script *script, const char *words) {
  char text[512];
  char *rest = NULL;
  snprintf(text, sizeof text, "%s", words);
  for (char *word = strtok_r(text, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
    if (script->count == COUNT_OF(script->words)) break;
    snprintf(script->words[script->count++], sizeof script->words[0], "%s", word);
  }
}

struct script *scripted(struct fixture *fx, const char *words) {
  struct script *script = calloc(1, sizeof *script);
  if (script == NULL) abort();
  script->fixture = fx;
  script->next = fx->scripts;
  fx->scripts = script;
  parse(script, words);
  weir_status status =
      weir_operation_new(fx->runtime, start, script, free_operation, &script->operation, NULL);
  if (status != WEIR_OK) script->operation = NULL;
  assert_int_equal(status, WEIR_OK);
  return script;
}

weir_status finish(struct script *script, size_t index, const char *word) {
  struct script_attempt *attempt = &script->attempts[index];
  if (index >= script->started || index >= SCRIPT_ATTEMPTS) return WEIR_ENOTFOUND;
  if (attempt->completed) { /* asked for twice on purpose */
    return complete_as(script->fixture->runtime, attempt->token, word);
  }
  complete_attempt(attempt, word);
  return attempt->complete_status;
}

size_t finish_all(struct script *script) {
  size_t finished = 0;
  for (size_t i = 0; i < script->started && i < SCRIPT_ATTEMPTS; i++) {
    if (script->attempts[i].completed) continue;
    complete_attempt(&script->attempts[i], "n");
    finished++;
  }
  return finished;
}

/* ---- the clock ------------------------------------------------------------------------------- */

int64_t now_ns(struct fixture *fx) { return weir_runtime_now(fx->runtime); }

/* The scripted attempt that is due first, no later than `until`; of equals the one started first.
 */
static struct script_attempt *first_due(struct fixture *fx, int64_t until) {
  struct script_attempt *first = NULL;
  for (struct script *script = fx->scripts; script != NULL; script = script->next) {
    size_t known = script->started < SCRIPT_ATTEMPTS ? script->started : SCRIPT_ATTEMPTS;
    for (size_t i = 0; i < known; i++) {
      struct script_attempt *attempt = &script->attempts[i];
      if (attempt->completed || attempt->due_ns == 0 || attempt->due_ns > until) continue;
      if (first == NULL || attempt->due_ns < first->due_ns) first = attempt;
    }
  }
  return first;
}

void advance_ns(struct fixture *fx, int64_t ns) {
  weir_testing_run_until_idle(fx->runtime); /* starts what waits: it may have a time of its own */
  int64_t until = now_ns(fx) + ns;
  for (;;) {
    /* Go to what is scripted no further than to the next timer: that may start something sooner. */
    struct script_attempt *due = first_due(fx, until);
    int64_t next = weir_runtime_next_deadline(fx->runtime);
    int64_t target = due == NULL ? until : due->due_ns;
    if (next < target) target = next;
    if (target > now_ns(fx)) weir_testing_advance_ns(fx->runtime, target - now_ns(fx));
    weir_testing_run_until_idle(fx->runtime);
    if (now_ns(fx) < target) return; /* the runtime has ended, and its clock with it */
    due = first_due(fx, now_ns(fx));
    if (due != NULL) {
      complete_attempt(due, due->script->words[due->step]);
      weir_testing_run_until_idle(fx->runtime);
    } else if (now_ns(fx) >= until) {
      return;
    }
  }
}

void advance_ms(struct fixture *fx, int64_t ms) { advance_ns(fx, ms * MS); }

void run_until_idle(struct fixture *fx) { advance_ns(fx, 0); }
