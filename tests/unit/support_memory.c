/* SPDX-License-Identifier: MIT */
/* The counting allocator. Each block has a header in front of it that links it with all live ones,
 * and a guard on both sides that shows who wrote too far; a mutex guards the list and the counts,
 * since weir allocates from any thread. */

#include "support.h"

#include <time.h>

enum { HEADER_BYTES = 64, FRONT_BYTES = 32, FRESH = 0xA5, FREED = 0xDD, GUARD = 0xBE };

/* A sanitizer puts a guard of its own behind it, and tells who touched it. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(SANITIZED)
enum { GUARD_BYTES = 0 };
#else
enum { GUARD_BYTES = 32 };
#endif

struct memory_block {
  struct memory_block *next;
  struct memory_block **link; /* what points to this block */
  size_t size;
};

_Static_assert(sizeof(struct memory_block) <= HEADER_BYTES - FRONT_BYTES,
               "the header holds a block's links and the guard in front");

static int must_fail(struct failing *failing, uint64_t number) {
  if (failing->at == 0 || number < failing->at) return 0;
  if (number > failing->at && !failing->for_good) return 0;
  failing->injected++;
  return 1;
}

static void *memory_alloc(void *context, size_t size) {
  struct memory *memory = context;
  struct memory_block *block = NULL;
  pthread_mutex_lock(&memory->mutex);
  memory->allocations++;
  int wanted = must_fail(&memory->wanted, memory->allocations);
  int forced = must_fail(&memory->forced, memory->allocations);
  if (!wanted && !forced && size <= SIZE_MAX - HEADER_BYTES - GUARD_BYTES) {
    block = malloc(HEADER_BYTES + size + GUARD_BYTES);
  }
  if (block != NULL) {
    *block = (struct memory_block){memory->blocks, &memory->blocks, size};
    if (block->next != NULL) block->next->link = &block->next;
    memory->blocks = block;
    memory->live_blocks++;
    memory->live_bytes += size;
    if (memory->live_bytes > memory->peak_bytes) memory->peak_bytes = memory->live_bytes;
  }
  pthread_mutex_unlock(&memory->mutex);
  if (block == NULL) return NULL;
  char *bytes = (char *)block + HEADER_BYTES;
  memset(bytes - FRONT_BYTES, GUARD, FRONT_BYTES);
  for (size_t i = 0; i != GUARD_BYTES; i++) bytes[size + i] = (char)GUARD;
  return memset(bytes, FRESH, size);
}

static int is_overrun(const struct memory_block *block) {
  const unsigned char *bytes = (const unsigned char *)block + HEADER_BYTES;
  for (size_t i = 1; i <= FRONT_BYTES; i++) {
    if (bytes[-(ptrdiff_t)i] != GUARD) return 1;
  }
  for (size_t i = 0; i != GUARD_BYTES; i++) {
    if (bytes[block->size + i] != GUARD) return 1;
  }
  return 0;
}

static void memory_free(void *context, void *pointer, size_t size) {
  struct memory *memory = context;
  struct memory_block *block = (struct memory_block *)(void *)((char *)pointer - HEADER_BYTES);
  pthread_mutex_lock(&memory->mutex);
  if (block->size != size) memory->wrong_sizes++;
  if (is_overrun(block)) memory->overruns++;
  *block->link = block->next;
  if (block->next != NULL) block->next->link = block->link;
  memory->live_blocks--;
  memory->live_bytes -= block->size;
  memset(pointer, FREED, block->size);
  pthread_mutex_unlock(&memory->mutex);
  free(block);
}

static void memory_released(void *context) {
  struct memory *memory = context;
  pthread_mutex_lock(&memory->mutex);
  memory->released++;
  pthread_cond_broadcast(&memory->on_release);
  pthread_mutex_unlock(&memory->mutex);
}

void memory_begin(struct memory *memory) {
  memset(memory, 0, sizeof *memory);
  pthread_mutex_init(&memory->mutex, NULL);
  pthread_cond_init(&memory->on_release, NULL);
}

void memory_await_releases(struct memory *memory, uint64_t count) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 30;
  pthread_mutex_lock(&memory->mutex);
  int in_time = 1;
  while (in_time && memory->released < count) {
    in_time = pthread_cond_timedwait(&memory->on_release, &memory->mutex, &until) == 0;
  }
  pthread_mutex_unlock(&memory->mutex);
}

void memory_ignore_releases(struct memory *memory) { memory->ignore_releases = 1; }

weir_allocator memory_allocator(struct memory *memory) {
  memory->handed_out++;
  weir_allocator allocator = WEIR_ALLOCATOR_INIT;
  allocator.alloc = memory_alloc;
  allocator.free = memory_free;
  allocator.context = memory;
  allocator.release = memory_released;
  return allocator;
}

void memory_fail(struct memory *memory, uint64_t n, int for_good) {
  pthread_mutex_lock(&memory->mutex);
  memory->wanted.at = n == 0 ? 0 : memory->allocations + n;
  memory->wanted.for_good = for_good;
  pthread_mutex_unlock(&memory->mutex);
}

void memory_drop(struct memory *memory) {
  while (memory->blocks != NULL) {
    struct memory_block *block = memory->blocks;
    memory->blocks = block->next;
    free(block);
  }
  memory->live_blocks = 0;
  memory->live_bytes = 0;
}
