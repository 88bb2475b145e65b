/* SPDX-License-Identifier: MIT */
/* Gets: what each may settle with is known from the moment it is asked and from the load that it
 * waits for. */

#include "model.h"

#include <string.h>

/* ---- settlements ----------------------------------------------------------------------------- */

static size_t index_in(const struct load *load, size_t key) {
  for (size_t i = 0; i < load->count; i++) {
    if (load->keys[i] == key) return i;
  }
  return BULK;
}

/* The load of this key that began after the get was asked, and may be over already; 0: none. */
static uint64_t load_begun_by(const struct get *get, size_t key) {
  const struct world *world = get->world;
  for (size_t i = 0; i < LOADS; i++) {
    const struct load *load = &world->loads[i];
    if (load->number > get->number && index_in(load, key) != BULK) return load->number;
  }
  return 0;
}

static void take_up(struct get *get) {
  if (get->taken_up) return;
  get->taken_up = 1;
  for (size_t i = 0; i < get->count; i++) {
    struct item *item = &get->items[i];
    if (item->load == 0) item->load = load_begun_by(get, item->key);
  }
}

/* What was there when it was asked; or what the load has brought, or what served when that had
 * failed; or what served if there was no memory to begin a load. */
static int value_allowed(const struct get *get, const struct item *item, uint64_t number) {
  struct world *world = get->world;
  if (is_among(&item->alive, number)) return 1;
  if (item->alive.must) return 0;
  const struct load *load = find_load(world, item->load);
  size_t at = load == NULL ? BULK : index_in(load, item->key);
  if (at == BULK) return get->injected != world->injected && is_among(&item->stale, number);
  if (load->values[at] != 0) return number == load->values[at];
  return is_among(&load->stale[at], number);
}

/* The error itself may have found no memory, also one that is remembered. */
static int no_memory_allowed(const struct get *get, const struct item *item) {
  return get->injected != get->world->injected || (item->failure != 0 && get->injected != 0);
}

/* Where a value is there that serves instead, nothing that fails is seen, memory no more than a
 * load. */
static int error_allowed(const struct get *get, const struct item *item, const weir_error *error) {
  int64_t code = weir_error_code(error);
  weir_status status = weir_error_status(error);
  const struct load *load = find_load(get->world, item->load);
  size_t at = load == NULL ? BULK : index_in(load, item->key);
  int loaded = at != BULK && load->values[at] != 0;
  const struct numbers *stale = at == BULK ? &item->stale : &load->stale[at];
  if (item->alive.must || (stale->must && !loaded)) return 0;
  if (status == WEIR_ENOMEM) return no_memory_allowed(get, item);
  if (item->failure != 0 && (code == item->failure || status == item->failure)) return 1;
  if (at == BULK || loaded) return 0;
  return code == load->codes[at] || status == load->codes[at];
}

static void check_item(const struct get *get, const struct item *item, const weir_value *value,
                       const weir_error *error) {
  struct world *world = get->world;
  if (error != NULL) {
    MUST(world, error_allowed(get, item, error), item->key, weir_error_code(error));
    return;
  }
  uint64_t number = number_of(world, value, item->key);
  MUST(world, value_allowed(get, item, number), item->key, number);
  mix(world, number * 8 + 5);
}

static void check_value(struct get *get, const weir_value *value) {
  struct world *world = get->world;
  if (!get->many) {
    check_item(get, &get->items[0], value, NULL);
    return;
  }
  MUST(world, weir_value_count(value) == get->count, weir_value_count(value), get->count);
  for (size_t i = 0; i < get->count; i++) {
    check_item(get, &get->items[i], weir_value_item(value, i), weir_value_item_error(value, i));
  }
}

static void check_stopped(struct get *get, weir_status status) {
  struct world *world = get->world;
  MUST(world,
       (status == WEIR_ECANCELLED && get->cancelled) ||
           (status == WEIR_ECLOSED && world->closing) ||
           (status == WEIR_ETIMEDOUT && world_now(world) >= get->deadline_ns),
       status, get->cancelled);
}

static void get_settled(void *data, weir_call *call, const weir_outcome *outcome) {
  struct get *get = data;
  struct world *world = get->world;
  (void)call;
  MUST(world, !get->settled && !get->freed, get->number, 0);
  get->settled = 1;
  world->settled++;
  take_up(get);
  if (outcome->channel == WEIR_CHANNEL_VALUE) {
    check_value(get, outcome->value);
  } else if (outcome->channel == WEIR_CHANNEL_STOPPED) {
    check_stopped(get, outcome->status);
  } else if (get->many) {
    MUST(world, outcome->status == WEIR_ENOMEM && world->injected != get->injected, outcome->status,
         0);
  } else {
    check_item(get, &get->items[0], NULL, outcome->error);
  }
  mix(world, get->number * 16 + outcome->channel);
}

static void free_get(void *data) {
  struct get *get = data;
  MUST(get->world, !get->freed, get->number, 0);
  get->freed = 1;
}

/* ---- asking ---------------------------------------------------------------------------------- */

static struct get *free_get_slot(struct world *world) {
  for (size_t i = 0; i < GETS; i++) {
    struct get *get = &world->gets[i];
    if (get->number != 0) continue;
    memset(get, 0, sizeof *get);
    get->world = world;
    get->number = ++world->numbers;
    get->deadline_ns = INT64_MAX;
    get->injected = world->injected;
    return get;
  }
  return NULL;
}

static int loads_free(const struct world *world) {
  size_t free = 0;
  for (size_t i = 0; i < LOADS; i++) free += world->loads[i].number == 0;
  return free >= BULK;
}

static void expect_item(struct get *get, size_t index) {
  struct world *world = get->world;
  const struct key_model *key = &world->keys[index];
  struct item *item = &get->items[get->count++];
  item->key = index;
  item->alive = alive_numbers(world, key);
  item->stale = stale_numbers(world, key);
  item->refresh = key->load == 0 && refresh_is_due(world, key);
  if (world_now(world) < key->negative_ns) item->failure = key->failure;
  item->load = key->load;
}

/* What is known of an item once nothing more happens: whether it was served, and that a value which
 * is old enough is being loaded again. A get that was cancelled may not have come to it. */
static void taken_up(struct get *get, const struct item *item) {
  struct world *world = get->world;
  if (item->alive.count == 0) return;
  int came = world->injected == get->injected && !get->cancelled;
  int served = came && (item->alive.must || (item->load == 0 && item->failure == 0));
  model_used(world, item->key, served);
  int begins = came && item->alive.must && item->refresh;
  MUST(world, !begins || load_begun_by(get, item->key) != 0, item->key, get->number);
}

/* Whether it was accepted; there may have been no memory for it. */
static int accepted(struct get *get, weir_status status) {
  struct world *world = get->world;
  if (status == WEIR_OK) {
    world->calls++;
    return 1;
  }
  MUST(world, status == WEIR_ENOMEM && world->injected != get->injected, status, 0);
  MUST(world, get->freed, get->number, status);
  get->number = 0;
  return 0;
}

/* An accepted get has been taken up: it was served, or waits for a load. */
static void asked(struct get *get) {
  struct world *world = get->world;
  take_up(get);
  for (size_t i = 0; i < get->count; i++) taken_up(get, &get->items[i]);
  if (get->settled) return;
  int waits = 0;
  for (size_t i = 0; i < get->count; i++) waits |= get->items[i].load != 0;
  MUST(world, waits, get->number, get->count);
}

static struct get *ask(struct world *world, size_t index) {
  struct get *get = free_get_slot(world);
  size_t size = 0;
  const void *key = key_bytes(index, &size);
  uint64_t form = below(world, 3);
  int64_t deadline_ms = (int64_t)below(world, 50);
  weir_status status;
  if (get == NULL) return NULL;
  expect_item(get, index);
  if (form == 0) {
    weir_run_options options = WEIR_RUN_OPTIONS_INIT;
    options.key = key;
    options.key_size = size;
    options.deadline_ms = deadline_ms + 1;
    get->deadline_ns = world_now(world) + options.deadline_ms * MS;
    status = weir_run(world->getter, &options, get_settled, get, free_get, &get->call, NULL);
  } else {
    status = weir_cache_get(world->cache, key, size, world->loader, get_settled, get, free_get,
                            form == 1 ? &get->call : NULL, NULL);
  }
  return accepted(get, status) ? get : NULL;
}

static void cancel(struct get *get) {
  int settled = get->settled;
  get->cancelled = 1;
  weir_status status = weir_call_cancel(get->call);
  MUST(get->world, status == (settled ? WEIR_ESTALE : WEIR_OK), status, settled);
}

/* One, or several of one key in one turn, of which some are cancelled in the same turn. */
void get_step(struct world *world) {
  struct get *gets[3] = {NULL};
  size_t index = choose_key(world, 4);
  world->loader_manner = (int)below(world, LOAD_MANNERS);
  size_t count = one_in(world, 4) ? 1 + below(world, 3) : 1;
  if (!loads_free(world)) return;
  for (size_t i = 0; i < count; i++) {
    gets[i] = ask(world, index);
    size_t other = below(world, count);
    int cancels = one_in(world, 3) && count > 1 && gets[other] != NULL;
    if (cancels && gets[other]->call != NULL && !gets[other]->cancelled) cancel(gets[other]);
  }
  run_idle(world);
  for (size_t i = 0; i < count; i++) {
    if (gets[i] != NULL) asked(gets[i]);
  }
}

void get_many_step(struct world *world) {
  struct get *get = free_get_slot(world);
  const void *keys[BULK];
  size_t sizes[BULK];
  world->loader_manner = (int)below(world, LOAD_MANNERS);
  size_t count = below(world, BULK + 1);
  if (get == NULL) return;
  if (!loads_free(world)) {
    get->number = 0;
    return;
  }
  get->many = 1;
  for (size_t i = 0; i < count; i++) {
    size_t index = below(world, KEYS);
    keys[i] = key_bytes(index, &sizes[i]);
    expect_item(get, index);
  }
  weir_status status = weir_cache_get_many(world->cache, keys, sizes, count, world->bulk_loader,
                                           get_settled, get, free_get, &get->call, NULL);
  if (!accepted(get, status)) return;
  run_idle(world);
  MUST(world, count != 0 || get->settled, get->number, 0);
  asked(get);
}

void cancel_step(struct world *world) {
  struct get *get = &world->gets[below(world, GETS)];
  if (get->number == 0 || get->call == NULL) return;
  if (one_in(world, 3)) {
    weir_call_unref(get->call);
    get->call = NULL;
    return;
  }
  cancel(get);
  run_idle(world);
  MUST(world, get->settled, get->number, 0);
}

/* ---- what waits ------------------------------------------------------------------------------ */

static int waits_for(const struct get *get, uint64_t load) {
  for (size_t i = 0; i < get->count; i++) {
    if (get->items[i].load == load) return 1;
  }
  return 0;
}

size_t waiters_of(const struct world *world, const struct load *load) {
  size_t count = 0;
  for (size_t i = 0; i < GETS; i++) {
    const struct get *get = &world->gets[i];
    int left = get->settled || get->cancelled || world_now(world) >= get->deadline_ns;
    if (get->number != 0 && !left && waits_for(get, load->number)) count++;
  }
  return count;
}

static int is_over(struct world *world, const struct item *item) {
  const struct load *load = find_load(world, item->load);
  return item->alive.must || load == NULL || load->completed || load->told;
}

static int all_over(struct world *world, const struct get *get) {
  for (size_t i = 0; i < get->count; i++) {
    if (!is_over(world, &get->items[i])) return 0;
  }
  return 1;
}

static int referred(const struct world *world, const struct load *load) {
  for (size_t i = 0; i < GETS; i++) {
    if (world->gets[i].number != 0 && waits_for(&world->gets[i], load->number)) return 1;
  }
  for (size_t i = 0; i < KEYS; i++) {
    if (world->keys[i].load == load->number) return 1;
  }
  return 0;
}

static void check_get(struct world *world, struct get *get) {
  int late = world_now(world) >= get->deadline_ns;
  if (late || all_over(world, get)) MUST(world, get->settled, get->number, get->items[0].load);
  if (get->settled && get->freed && get->call == NULL) get->number = 0;
}

static void check_load(struct world *world, struct load *load) {
  int64_t timeout_ms = world->options.load_timeout_ms;
  int late = timeout_ms != WEIR_FOREVER && world_now(world) >= load->began_ns + timeout_ms * MS;
  int over = load->completed || load->told;
  MUST(world, over || !late, load->number, load->began_ns);
  MUST(world, over || !load->foreground || waiters_of(world, load) != 0, load->number, 0);
  if (load->completed && load->freed && !referred(world, load)) load->number = 0;
}

void check_gets(struct world *world) {
  for (size_t i = 0; i < GETS; i++) {
    if (world->gets[i].number != 0) check_get(world, &world->gets[i]);
  }
  for (size_t i = 0; i < LOADS; i++) {
    if (world->loads[i].number != 0) check_load(world, &world->loads[i]);
  }
}

void forget_gets(struct world *world) {
  for (size_t i = 0; i < GETS; i++) {
    weir_call_unref(world->gets[i].call);
    world->gets[i].call = NULL;
  }
}
