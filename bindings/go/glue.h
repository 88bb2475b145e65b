/* SPDX-License-Identifier: MIT */
#ifndef WEIRGO_GLUE_H
#define WEIRGO_GLUE_H

/*
 * What the Go package needs beside weir's own functions: calls that do in one
 * crossing what would be several, and options structs filled from scalars. No
 * function here calls back into Go, and none keeps a pointer that Go handed in.
 */

#include <stdint.h>
#include <weir/testing.h>
#include <weir/weir.h>

/* What a value is, as far as Go can use it without another crossing. */
enum {
  WEIRGO_NONE = 0,   /* no value */
  WEIRGO_NUMBER = 1, /* a closure's attempt: `host` is its number */
  WEIRGO_HOST = 2,   /* a Go value: `host` is its slot */
  WEIRGO_OTHER = 3   /* bytes, a list, a pointer */
};

/* A weir_record, looked into. 40 bytes. */
typedef struct weirgo_record {
  uint64_t user;
  uint64_t object;
  uint64_t detail;
  uint64_t host;
  int32_t status;
  uint16_t number;
  uint8_t kind;
  uint8_t channel;
} weirgo_record;

/* Drains records and looks into them. A SETTLED whose value is a number comes
 * with `object` 0 and the number in `host`: its value is given back here. How
 * many, at most 256, is in `count`. */
void weirgo_drain(weir_completions *queue, weirgo_record *records, uint32_t capacity,
                  uint32_t *count);

/* Gives back the calls of a batch, pointers as numbers; zeros among them are skipped. */
void weirgo_give_back(const uintptr_t *calls, uint32_t count);

/* What wakes the goroutine that runs the engine, if it is not a goroutine that
 * brings the work: a descriptor to be read. Two references: the runtime's and
 * the caller's. NULL: the system gave none. */
typedef struct weirgo_waker weirgo_waker;
weirgo_waker *weirgo_waker_new(void);
void weirgo_waker_install(weirgo_waker *waker, weir_runtime_options *options);
/* A duplicate, to be closed; -1: the system gave none. */
int weirgo_waker_descriptor(const weirgo_waker *waker);
void weirgo_waker_unref(weirgo_waker *waker);
/* 1: what this thread does from here on wakes nobody; its caller will. Returns
 * what it was. */
int weirgo_rouse(int on);

/* A run to be begun with weirgo_run_plain(), and then how that went. */
typedef struct weirgo_begin {
  uintptr_t policy;
  int64_t deadline_ms;
  uint64_t user;
  uintptr_t call;
  uintptr_t error;
  int64_t status;
} weirgo_begin;

/* A completion to be made with weirgo_complete_number(). */
typedef struct weirgo_end {
  uint64_t token;
  uint32_t number;
  uint32_t class_;
} weirgo_end;

typedef struct weirgo_counts {
  uint32_t runs;
  uint32_t ends;
  uint32_t calls;
  uint32_t capacity; /* of `records` */
  uint32_t records;  /* how many came */
  int64_t wait_ns;   /* until the next turn; 0: now, -1: until somebody wakes */
} weirgo_counts;

/* One crossing of the goroutine that runs the engine: begins the runs, makes the
 * completions, gives back the calls, does what is due, drains. */
void weirgo_turn(weirgo_waker *waker, weir_runtime *runtime, weir_operation *operation,
                 weir_completions *queue, weirgo_begin *runs, const weirgo_end *ends,
                 const uintptr_t *calls, weirgo_record *records, weirgo_counts *counts);
/* Whether a runtime that closes is done with that. */
int weirgo_ended(weir_runtime *runtime);
/* weir_call_cancel(), after which the caller wakes the engine. */
void weirgo_cancel(weir_call *call);

/* What weir_run_options holds, without a pointer to Go memory inside. */
typedef struct weirgo_run_options {
  uint64_t user;
  uint64_t context;
  int64_t deadline_ms;
  weir_policy *policy;
  weir_scope *scope;
  weir_value *input;
  uint32_t permits;
  uint32_t priority;
} weirgo_run_options;

/* weir_run() delivered to `queue`. `call` gets the call before the run is
 * published. */
weir_status weirgo_run(weir_operation *operation, weir_completions *queue,
                       const weirgo_run_options *options, const void *key, uint64_t key_size,
                       const char *name, weir_call **call, weir_error **error);
/* The same for the common case: no key, name, input or scope. */
weir_status weirgo_run_plain(weir_operation *operation, weir_completions *queue,
                             weir_policy *policy, int64_t deadline_ms, uint64_t user,
                             weir_call **call, weir_error **error);

/* Succeeds with a number (0: without a value), judged as `class_`. */
weir_status weirgo_complete_number(weir_runtime *runtime, weir_token token, uint64_t number,
                                   uint32_t class_, uint32_t final_, int64_t retry_after_ms);
/* Succeeds with a value, which is taken. */
weir_status weirgo_complete_value(weir_runtime *runtime, weir_token token, weir_value *value,
                                  uint32_t class_, uint32_t final_, int64_t retry_after_ms);
/* Fails with a Go error: `id` is its slot in `queue`. `status` other than
 * WEIR_EFAILED is not kept: a user's error is WEIR_EFAILED. */
weir_status weirgo_fail(weir_runtime *runtime, weir_completions *queue, weir_token token,
                        uint64_t id, uint32_t domain, int64_t code, const char *message,
                        uint32_t class_, uint32_t final_, int64_t retry_after_ms);

/* What an attempt was started with, without pointers that Go must free. */
typedef struct weirgo_attempt {
  uint64_t context;
  uint64_t index;
  int64_t remaining_ns;
  weir_scope *scope;
  const void *key;
  uint64_t key_size;
  uint32_t number;
  uint32_t has_failed;
  weir_status failed_status;
  uint32_t failed_attempts;
  weir_error *failed_error; /* borrowed */
} weirgo_attempt;

weir_status weirgo_attempt_get(weir_runtime *runtime, weir_token token, weirgo_attempt *attempt);

/* A call's outcome as scalars; `rejection` is filled if there is one. Error and
 * value are borrowed from the call. */
typedef struct weirgo_outcome {
  int64_t elapsed_ns;
  int64_t retry_after_ms;
  weir_value *value;
  weir_error *error;
  uint32_t channel;
  weir_status status;
  uint32_t attempts;
  uint32_t stop_reason;
  uint32_t cancel_reason;
  uint32_t has_rejection;
  uint32_t final;
  uint32_t reserved;
  weir_status statuses[WEIR_OUTCOME_STATUSES];
} weirgo_outcome;

void weirgo_outcome_get(weir_call *call, weirgo_outcome *outcome, weir_rejection *rejection);

/* One item of a list, or a whole value. */
typedef struct weirgo_item {
  uint64_t host;     /* of WEIRGO_HOST, WEIRGO_NUMBER */
  uint32_t what;     /* WEIRGO_* */
  uint32_t kind;     /* WEIR_VALUE_* */
  weir_value *value; /* borrowed */
  weir_error *error; /* borrowed; then there is no value */
} weirgo_item;

void weirgo_look(weir_completions *queue, weir_value *value, weirgo_item *item);
void weirgo_items(weir_completions *queue, weir_value *list, uint64_t from, uint32_t count,
                  weirgo_item *items);

/* Decide doors. A refusal fills `rejection`, whose size is set here. Handles
 * come as numbers, which cgo does not look through for pointers to Go. */
weir_status weirgo_breaker_acquire(uintptr_t breaker, weir_permit *permit,
                                   weir_rejection *rejection);
weir_status weirgo_breaker_report(uintptr_t breaker, weir_permit permit, uint32_t class_,
                                  int64_t elapsed_ns);
weir_status weirgo_breaker_acquire_n(uintptr_t breaker, uint32_t count, weir_permit *permits,
                                     size_t *granted, weir_rejection *rejection);
/* Returns how many were not recorded. */
uint32_t weirgo_breaker_report_many(uintptr_t breaker, weir_breaker_report_entry *entries,
                                    uint32_t count);
weir_status weirgo_limiter_acquire(uintptr_t limiter, uint32_t permits, weir_permit *permit,
                                   weir_rejection *rejection);
weir_status weirgo_limiter_acquire_key(uintptr_t limiter, const void *key, size_t key_size,
                                       uint32_t permits, weir_permit *permit,
                                       weir_rejection *rejection);
weir_status weirgo_limiter_release(uintptr_t limiter, weir_permit permit);
weir_status weirgo_limiter_acquire_n(uintptr_t limiter, uint32_t count, size_t *granted,
                                     weir_rejection *rejection);

/* A log hook: copies lines into a ring that Go drains. */
typedef struct weirgo_log weirgo_log;
typedef struct weirgo_line {
  int32_t level;
  char subject[64];
  char message[444];
} weirgo_line;
weirgo_log *weirgo_log_new(void);
void weirgo_log_install(weirgo_log *log, weir_runtime_options *options);
/* Waits for lines; 0 when the log was closed and is empty. */
uint32_t weirgo_log_wait(weirgo_log *log, weirgo_line *lines, uint32_t capacity, uint64_t *lost);
void weirgo_log_close(weirgo_log *log);
void weirgo_log_unref(weirgo_log *log);

/* Lets a cache weigh entries by the bytes of key and value. */
void weirgo_weigh_bytes(weir_cache_options *options);
/* Lets a cache run `operation` for each entry that left: its key, its value as
 * input, its cause as context. */
void weirgo_tell_evictions(weir_cache_options *options, weir_operation *operation);

/* A memoize key function for inputs that are lists of {key, argument}. */
void weirgo_memoize_keyed(weir_memoize_options *options);

#endif
