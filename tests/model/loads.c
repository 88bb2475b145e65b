/* SPDX-License-Identifier: MIT */
/* Loaders: each start is one that the model allows, and ends in one of the ways it chooses. */

#include "model.h"

#include <string.h>

struct load *find_load(struct world *world, uint64_t number) {
  for (size_t i = 0; i < LOADS && number != 0; i++) {
    if (world->loads[i].number == number) return &world->loads[i];
  }
  return NULL;
}

/* ---- ends ------------------------------------------------------------------------------------ */

/* The load's end reaches the entry, unless a write came between; then its waiters alone. */
static void end_key(struct world *world, struct load *load, size_t i) {
  size_t index = load->keys[i];
  struct key_model *key = &world->keys[index];
  int failed = load->values[i] == 0;
  int marked = key->load == load->number;
  if (failed) load->stale[i] = stale_numbers(world, key);
  if (failed) world->load_failures++;
  if (!marked) return;
  key->load = 0;
  if (failed) {
    model_failed(world, index, load->codes[i]);
    return;
  }
  int stored = storable(world, load->values[i]);
  if (stored > 0) model_loaded(world, index, load->values[i]);
  if (stored < 0) model_gone(world, index);
}

static void free_load(void *data) {
  struct load *load = data;
  MUST(load->world, load->completed, load->number, load->told);
  load->freed = 1;
}

/* A load stops because its time is out, which is a failure, or as nobody waits for it any more, or
 * the runtime closes, which is none. Both may come at one moment: the first has ended it. */
static void tell_load(void *data, uint32_t reason) {
  struct load *load = data;
  struct world *world = load->world;
  int64_t timeout_ms = world->options.load_timeout_ms;
  int late = timeout_ms != WEIR_FOREVER && world_now(world) >= load->began_ns + timeout_ms * MS;
  int unwanted = waiters_of(world, load) == 0 && !load->background;
  int timed_out = reason == WEIR_CANCEL_TIMEOUT;
  MUST(world, !load->told && !load->completed, load->number, reason);
  MUST(world, timed_out ? late : world->closing || unwanted, load->number, reason);
  load->told = 1;
  for (size_t i = 0; i < load->count; i++) {
    struct key_model *key = &world->keys[load->keys[i]];
    load->values[i] = 0;
    load->codes[i] = WEIR_ETIMEDOUT;
    if (timed_out) {
      end_key(world, load, i);
    } else if (key->load == load->number) {
      key->load = 0;
    }
  }
}

/* A list with a value or an error for each key. */
static weir_value *bulk_result(struct load *load, weir_value *const *values,
                               weir_error *const *errors) {
  weir_value *list = NULL;
  weir_value_new_list(load->world->runtime, values, errors, load->count, &list);
  return list;
}

static void complete_bulk(struct load *load, int fails) {
  struct world *world = load->world;
  weir_value *values[BULK] = {NULL};
  weir_error *errors[BULK] = {NULL};
  for (size_t i = 0; i < load->count; i++) {
    load->codes[i] = WEIR_ENOTFOUND;
    load->values[i] = 0;
    if (fails && one_in(world, 2)) {
      int64_t code = 1 + (int64_t)below(world, 100);
      if (weir_error_new(world->runtime, WEIR_DOMAIN_USER, code, "sim", &errors[i]) == WEIR_OK) {
        load->codes[i] = code;
      }
    } else if (!one_in(world, 8)) {
      values[i] = new_value(world, load->keys[i], &load->values[i]);
      if (values[i] == NULL) load->values[i] = 0;
    }
  }
  weir_value *list = bulk_result(load, values, errors);
  if (list == NULL) {
    for (size_t i = 0; i < load->count; i++) {
      load->values[i] = 0;
      load->codes[i] = 7;
    }
  }
  for (size_t i = 0; i < load->count; i++) end_key(world, load, i);
  weir_status status = list == NULL
                           ? weir_fail(world->runtime, load->token, WEIR_DOMAIN_USER, 7, NULL)
                           : weir_complete(world->runtime, load->token, list);
  MUST(world, status != WEIR_ESTALE, status, load->number);
  weir_values_unref(values, BULK);
  for (size_t i = 0; i < BULK; i++) weir_error_unref(errors[i]);
}

static void complete_one(struct load *load, int fails) {
  struct world *world = load->world;
  weir_value *value = fails ? NULL : new_value(world, load->keys[0], &load->values[0]);
  if (value == NULL) {
    load->values[0] = 0;
    load->codes[0] = 1 + (int64_t)below(world, 100);
  }
  end_key(world, load, 0);
  weir_status status = value == NULL ? weir_fail(world->runtime, load->token, WEIR_DOMAIN_USER,
                                                 load->codes[0], "sim")
                                     : weir_complete(world->runtime, load->token, value);
  MUST(world, status != WEIR_ESTALE, status, load->number);
}

void complete_load(struct load *load, int fails) {
  struct load told = *load;
  load->completed = 1;
  if (told.told) { /* its result is freed, and changes nothing */
    weir_value *value = new_value(load->world, load->keys[0], &told.values[0]);
    MUST(load->world, weir_complete(load->world->runtime, load->token, value) != WEIR_ESTALE,
         load->number, 0);
  } else if (load->bulk) {
    complete_bulk(load, fails);
  } else {
    complete_one(load, fails);
  }
}

/* ---- starts ---------------------------------------------------------------------------------- */

static struct load *new_load(struct world *world, const weir_attempt *attempt) {
  for (size_t i = 0; i < LOADS; i++) {
    struct load *load = &world->loads[i];
    if (load->number != 0) continue;
    memset(load, 0, sizeof *load);
    load->world = world;
    load->number = ++world->numbers;
    load->token = attempt->token;
    load->began_ns = world_now(world);
    return load;
  }
  return NULL;
}

/* One load at a time for a key, and only for what is absent or old enough to be refreshed. */
static void check_start(struct world *world, struct load *load, size_t index) {
  const struct key_model *key = &world->keys[index];
  int64_t now = world_now(world);
  int must = must_be_alive(world, key);
  MUST(world, key->load == 0, index, key->load);
  MUST(world, !world->closing, index, 0);
  MUST(world, !must || refresh_is_due(world, key), index, key->versions[0].number);
  MUST(world, !key->negative_certain || key->shaken || now >= key->negative_ns, index,
       key->negative_ns);
  if (must) load->background = 1;
  if (!may_be_alive(world, key)) load->foreground = 1;
}

static void begin_key(struct load *load, size_t index) {
  struct world *world = load->world;
  check_start(world, load, index);
  load->keys[load->count++] = index;
  world->keys[index].load = load->number;
  world->loads_begun++;
  mix(world, load->number * 32 + index);
}

static void go_on(struct load *load, weir_attempt *attempt) {
  attempt->data = load;
  attempt->free_data = free_load;
  attempt->on_cancel = tell_load;
  int manner = load->world->loader_manner;
  if (manner != LOAD_LATER) complete_load(load, manner == LOAD_FAILS);
}

void load_started(void *data, weir_attempt *attempt) {
  struct world *world = data;
  struct load *load = new_load(world, attempt);
  size_t index = key_index(world, attempt->key, (size_t)attempt->key_size);
  if (load == NULL) {
    MUST(world, 0, index, LOADS);
    weir_complete(world->runtime, attempt->token, NULL);
    return;
  }
  MUST(world, weir_value_size(attempt->input) == index, weir_value_size(attempt->input), index);
  begin_key(load, index);
  go_on(load, attempt);
}

void bulk_started(void *data, weir_attempt *attempt) {
  struct world *world = data;
  struct load *load = new_load(world, attempt);
  size_t count = weir_value_count(attempt->input);
  MUST(world, load != NULL && count >= 1 && count <= BULK, count, BULK);
  if (load == NULL || count > BULK) {
    weir_complete(world->runtime, attempt->token, NULL);
    return;
  }
  load->bulk = 1;
  for (size_t i = 0; i < count; i++) {
    const weir_value *key = weir_value_item(attempt->input, i);
    begin_key(load, key_index(world, weir_value_data(key), weir_value_size(key)));
  }
  go_on(load, attempt);
}

/* ---- steps ----------------------------------------------------------------------------------- */

void complete_step(struct world *world) {
  struct load *load = &world->loads[below(world, LOADS)];
  int fails = one_in(world, 3);
  if (load->number == 0 || load->completed) return;
  complete_load(load, fails);
  run_idle(world);
}

void finish_loads(struct world *world) {
  for (size_t i = 0; i < LOADS; i++) {
    struct load *load = &world->loads[i];
    if (load->number == 0 || load->completed) continue;
    complete_load(load, 0);
    if (!world->closing) run_idle(world);
  }
  run_idle(world);
}
