/* SPDX-License-Identifier: MIT */
#ifndef WEIR_COMPLETIONS_H
#define WEIR_COMPLETIONS_H

/*
 * A completion queue delivers without ever calling back: for bindings of
 * languages that must not be called on foreign threads. weir posts records, the
 * host drains them in batches. Posting cannot fail: each record is embedded in
 * what it speaks of. There is one wake-up per edge from empty to non-empty,
 * by descriptor or by function.
 */

#include <weir/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  /* Begin an attempt of a queued operation: user, object = token, detail =
   * input (weir_value pointer, a reference of the host's own, or 0), number =
   * attempt; weir_attempt_get() tells the rest. A START that is still undrained
   * when its attempt is told to stop is taken back. */
  WEIR_RECORD_START = 1,
  /* An attempt whose START was drained should stop: user, object = token,
   * number = WEIR_CANCEL_*. It still has to be completed. */
  WEIR_RECORD_CANCEL = 2,
  /* A run settled: user, object = weir_value or weir_error pointer (a
   * reference of the host's own, or 0; which one `channel` says), detail =
   * elapsed nanoseconds, status, number = attempts, channel. */
  WEIR_RECORD_SETTLED = 3,
  /* A host value's last reference is gone: object = its id. */
  WEIR_RECORD_RELEASED = 4,
  /* A breaker changed its state: user = the breaker option's word, object =
   * sequence number, detail = events missed before it, status = reason, number
   * = from × 256 + to. */
  WEIR_RECORD_EVENT = 5,
  /* As START, of an operation that asks (weir_operation_new_asked): for the
   * next item of a parallel, for example. The answer completes the token. */
  WEIR_RECORD_ASK = 6,
  /* The queue's runtime closed; nothing else will come but RELEASED. */
  WEIR_RECORD_CLOSED = 7,
  /* An item of a parallel or a pool settled (their option queue): user, object
   * = weir_value or weir_error pointer as in SETTLED, detail = index, status,
   * number = attempts, channel. Before the SETTLED of its run. Items that were
   * stopped because the whole ended are not told of. If there is no memory to
   * tell of an item that could not begin, the whole fails with WEIR_ENOMEM. */
  WEIR_RECORD_ITEM = 8,
  /* The flight recorder has new entries (weir_recorder_notify): user. */
  WEIR_RECORD_RECORDED = 9
};

typedef struct weir_record {
  uint64_t user;
  uint64_t object;
  uint64_t detail;
  int32_t status;
  uint16_t number; /* saturates at 65535 */
  uint8_t kind;    /* WEIR_RECORD_* */
  uint8_t channel; /* WEIR_CHANNEL_* of SETTLED and ITEM */
} weir_record;

/* Called on the edge from empty to non-empty, on any thread. Must not call
 * weir. */
typedef void (*weir_notify_fn)(void *data);

typedef struct weir_completions_options {
  uint32_t size;    /* sizeof(weir_completions_options) */
  uint32_t with_fd; /* 1: make a descriptor (weir_completions_fd); default 0 */
  weir_notify_fn notify; /* nullable */
  void *notify_data;
  weir_free_fn notify_free_data;
  const char *name; /* copied; nullable */
} weir_completions_options;

#define WEIR_COMPLETIONS_OPTIONS_INIT \
  { sizeof(weir_completions_options), 0, NULL, NULL, NULL, NULL }

/* Writes the defaults; `size` is the caller's
 * sizeof(weir_completions_options). */
WEIR_API void weir_completions_options_init(weir_completions_options *options,
                                            size_t size);

/* Makes a queue; the caller owns one reference. Errors: WEIR_EINVAL, WEIR_EABI,
 * WEIR_ENOMEM, WEIR_ENOTSUP (no descriptor to be had), WEIR_EFORKED. Any
 * thread. */
WEIR_API weir_status weir_completions_new(
    weir_runtime *runtime, const weir_completions_options *options,
    weir_completions **out, weir_error **error);

/* One reference more; returns `queue`. Any thread. */
WEIR_API weir_completions *weir_completions_ref(weir_completions *queue);

/* One reference less. At the last, undrained records are freed with what they
 * carry; an undrained START fails as closed. Any thread. */
WEIR_API void weir_completions_unref(weir_completions *queue);

/* Moves up to `capacity` records, in the order posted, to `records`, each
 * `record_size` (the caller's sizeof(weir_record)) bytes; returns how many. 0
 * also for bad arguments. Any thread, one at a time or several. */
WEIR_API size_t weir_completions_drain(weir_completions *queue,
                                       weir_record *records, size_t record_size,
                                       size_t capacity);

/* As drain, but waits for the first record, at most `timeout_ms` (0 or more, or
 * WEIR_FOREVER), and stores in `count` (required) how many it moved: at least 1
 * with WEIR_OK, else 0. Any thread but the runtime's. Errors: WEIR_ETIMEDOUT;
 * WEIR_ETHREAD on the runtime's thread, unless records are there already;
 * WEIR_EINVAL, WEIR_EFORKED. */
WEIR_API weir_status weir_completions_wait(weir_completions *queue,
                                           weir_record *records,
                                           size_t record_size, size_t capacity,
                                           int64_t timeout_ms, size_t *count);

/* A descriptor that is readable while records wait; poll it, never read it. The
 * queue's own: do not close it. -1 without `with_fd`. Any thread. */
WEIR_API int weir_completions_fd(weir_completions *queue);

#ifdef __cplusplus
}
#endif
#endif
