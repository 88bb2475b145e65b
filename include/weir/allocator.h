/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALLOCATOR_H
#define WEIR_ALLOCATOR_H

/*
 * Where a runtime's memory comes from. One per runtime; NULL means malloc and
 * free. weir returns WEIR_ENOMEM where `alloc` returns NULL and never aborts.
 */

#include <weir/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Returns `size` bytes (never 0) aligned for any scalar type (at least 16), or
 * NULL. Any thread, also several at once. Must not call weir. */
typedef void *(*weir_alloc_fn)(void *context, size_t size);

/* Frees what `alloc` returned; `size` is the size that was asked for. `pointer`
 * is never NULL. Any thread, also several at once. Must not call weir. */
typedef void (*weir_dealloc_fn)(void *context, void *pointer, size_t size);

/* Told once, after the last byte was freed: nothing will use `context` again.
 * That can be after the runtime's end, since values and errors outlive it; or
 * within weir_runtime_new(), if that fails. */
typedef void (*weir_release_fn)(void *context);

/* Copied by the call that takes it. */
typedef struct weir_allocator {
  uint64_t size;           /* sizeof(weir_allocator) */
  weir_alloc_fn alloc;     /* required */
  weir_dealloc_fn free;    /* required */
  void *context;           /* handed to all three */
  weir_release_fn release; /* nullable */
} weir_allocator;

#define WEIR_ALLOCATOR_INIT \
  { sizeof(weir_allocator), NULL, NULL, NULL, NULL }

#ifdef __cplusplus
}
#endif
#endif
