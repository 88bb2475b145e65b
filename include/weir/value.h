/* SPDX-License-Identifier: MIT */
#ifndef WEIR_VALUE_H
#define WEIR_VALUE_H

/*
 * A value is what operations take and give: immutable, refcounted, shared
 * freely between threads and runs. It is a copy of bytes, a pointer with the
 * function that frees it, a host object's number (weir/completions.h), or a
 * list of values and errors: what a run with many results settles with.
 * A NULL weir_value pointer is legal wherever a value is: "no value".
 *
 * A value may outlive its runtime: it carries what frees it.
 */

#include <weir/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  WEIR_VALUE_NONE = 0, /* of a NULL value */
  WEIR_VALUE_BYTES = 1,
  WEIR_VALUE_POINTER = 2,
  WEIR_VALUE_HOST = 3,
  WEIR_VALUE_LIST = 4
};

/* Copies `size` bytes (0 is legal, then data may be NULL). The copy is aligned
 * to 16. `runtime` lends its allocator; NULL means malloc. The caller owns one
 * reference. Errors: WEIR_EINVAL (out NULL, data NULL with size > 0),
 * WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_value_new_bytes(weir_runtime *runtime,
                                          const void *data, size_t size,
                                          weir_value **out);

/* Holds `pointer`; `free_pointer` (nullable) gets it when the last reference
 * goes, on that thread, also when this call fails. Errors: WEIR_EINVAL (out
 * NULL), WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_value_new_pointer(weir_runtime *runtime,
                                            void *pointer,
                                            weir_free_fn free_pointer,
                                            weir_value **out);

/* Holds a host object's number. When the last reference goes, the queue gets a
 * RELEASED record with that number; the value keeps the queue alive until then.
 * Errors: WEIR_EINVAL (queue or out NULL), WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_value_new_host(weir_completions *queue, uint64_t id,
                                         weir_value **out);

/* Holds `count` items (0 is legal): item i is an error if `errors[i]` is not
 * NULL, else the value `values[i]` (nullable). Either array may be NULL. A
 * reference of each is added: the caller keeps its own. The caller owns one
 * reference of the list. Errors: WEIR_EINVAL (out NULL, both arrays NULL with
 * count > 0), WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_value_new_list(weir_runtime *runtime,
                                         weir_value *const *values,
                                         weir_error *const *errors,
                                         size_t count, weir_value **out);

/* One reference more; returns `value`. NULL is legal. Any thread. */
WEIR_API weir_value *weir_value_ref(weir_value *value);

/* One reference less. NULL is legal. Any thread. */
WEIR_API void weir_value_unref(weir_value *value);

/* weir_value_unref() of each of `count` values; NULLs among them are skipped.
 * One crossing for foreign languages. Any thread. */
WEIR_API void weir_values_unref(weir_value *const *values, size_t count);

/* 1 if there is one reference: then nobody can see the value but through the
 * caller's (an outcome's, of a call that only the caller has), who may take
 * out what a pointer value points to instead of copying it. 0 of NULL. Any
 * thread. */
WEIR_API int32_t weir_value_is_unique(const weir_value *value);

/* WEIR_VALUE_*; WEIR_VALUE_NONE of NULL. Any thread. */
WEIR_API uint32_t weir_value_kind(const weir_value *value);

/* The bytes of a bytes value, valid while a reference is held; NULL of others.
 * Any thread. */
WEIR_API const void *weir_value_data(const weir_value *value);

/* The number of bytes of a bytes value; 0 of others. Any thread. */
WEIR_API size_t weir_value_size(const weir_value *value);

/* The pointer of a pointer value; NULL of others. Any thread. */
WEIR_API void *weir_value_pointer(const weir_value *value);

/* The pointer of a pointer value that was made with this `free_pointer` (not
 * NULL); NULL of others: so a module tells its own from what another, perhaps
 * of another language, has made. Any thread. */
WEIR_API void *weir_value_pointer_of(const weir_value *value,
                                     weir_free_fn free_pointer);

/* The number of a host value; 0 of others. Any thread. */
WEIR_API uint64_t weir_value_host_id(const weir_value *value);

/* The number of a host value that was made with this `queue`; 0 of others. So a
 * host that gives nothing the number 0 tells its own from what another host has
 * put into a cache that both use. Any thread. */
WEIR_API uint64_t weir_value_host_id_of(const weir_value *value,
                                        const weir_completions *queue);

/* The number of a list's items; 0 of others. Any thread. */
WEIR_API size_t weir_value_count(const weir_value *value);

/* A list's item, if it is a value; NULL if it is an error, has no value, or
 * there is none of that index. Borrowed from the list. Any thread. */
WEIR_API weir_value *weir_value_item(const weir_value *value, size_t index);

/* A list's item, if it is an error; else NULL. Borrowed from the list. Any
 * thread. */
WEIR_API weir_error *weir_value_item_error(const weir_value *value,
                                           size_t index);

#ifdef __cplusplus
}
#endif
#endif
