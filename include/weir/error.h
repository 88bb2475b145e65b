/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ERROR_H
#define WEIR_ERROR_H

/*
 * An error says what went wrong: a weir status, the user's own domain and code,
 * a message, optionally a cause, a list (of an aggregate, each with the index
 * it came from) and a detail value. Immutable, refcounted, any thread; may
 * outlive its runtime. All getters take NULL and answer as for "no error".
 */

#include <weir/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Whose number `code` is. Numbers from WEIR_DOMAIN_USER on are the user's. */
enum {
  WEIR_DOMAIN_WEIR = 0,  /* code is a weir_status */
  WEIR_DOMAIN_ERRNO = 1, /* code is an errno */
  WEIR_DOMAIN_UV = 2,    /* code is a libuv error */
  WEIR_DOMAIN_HTTP = 3,  /* code is an HTTP status */
  WEIR_DOMAIN_GRPC = 4,  /* code is a gRPC status */
  WEIR_DOMAIN_CURL = 5,  /* code is a CURLcode */
  WEIR_DOMAIN_USER = 1000
};

/* A range of a domain's codes, both ends included. Options that take a list of
 * them (65536 at most) judge exactly these errors as failures and ignore other
 * user errors. */
typedef struct weir_error_range {
  uint32_t domain;
  uint32_t reserved; /* 0 */
  int64_t code_min;
  int64_t code_max; /* not below code_min */
} weir_error_range;

/* Makes a user's error (status WEIR_EFAILED). `message` is copied, NULL means
 * none. `runtime` lends its allocator; NULL means malloc. The caller owns one
 * reference. Errors: WEIR_EINVAL (out NULL), WEIR_ENOMEM. Any thread. */
WEIR_API weir_status weir_error_new(weir_runtime *runtime, uint32_t domain,
                                    int64_t code, const char *message,
                                    weir_error **out);

/* As weir_error_new(), with a cause and a detail value (both nullable; each
 * gets a reference of its own). */
WEIR_API weir_status weir_error_new_with(weir_runtime *runtime, uint32_t domain,
                                         int64_t code, const char *message,
                                         weir_error *cause, weir_value *detail,
                                         weir_error **out);

/* One reference more; returns `error`. NULL is legal. Any thread. */
WEIR_API weir_error *weir_error_ref(weir_error *error);

/* One reference less. NULL is legal. Any thread. */
WEIR_API void weir_error_unref(weir_error *error);

/* The status; WEIR_OK of NULL. */
WEIR_API weir_status weir_error_status(const weir_error *error);

/* WEIR_DOMAIN_*. */
WEIR_API uint32_t weir_error_domain(const weir_error *error);

/* The domain's own number. */
WEIR_API int64_t weir_error_code(const weir_error *error);

/* The message; never NULL ("" if there is none). Valid while a reference is
 * held. */
WEIR_API const char *weir_error_message(const weir_error *error);

/* The error that caused this one, borrowed; NULL if there is none. */
WEIR_API weir_error *weir_error_cause(const weir_error *error);

/* How many errors an aggregate lists; 0 of others. */
WEIR_API size_t weir_error_count(const weir_error *error);

/* The error at `position` (0 to count - 1) of an aggregate, borrowed, and in
 * `index` (nullable) the input it came from; NULL beyond the end. */
WEIR_API weir_error *weir_error_at(const weir_error *error, size_t position,
                                   size_t *index);

/* The detail value, borrowed; NULL if there is none. */
WEIR_API weir_value *weir_error_detail(const weir_error *error);

#ifdef __cplusplus
}
#endif
#endif
