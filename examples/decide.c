/* SPDX-License-Identifier: MIT */
/*
 * The decide doors: breaker, limiter and retry around a loop of the program's own, which blocks and
 * sleeps as it likes. Nothing runs on weir's side: no thread, no loop, no callback. Each function
 * may be called from any thread, so many such loops can share the three.
 */

#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <time.h>

#include <weir/weir.h>

/* ---- a server that is down for a while ---- */

struct server {
  int requests;
};

static int send_message(struct server *server, int message) {
  int down = ++server->requests >= 4 && server->requests <= 6;
  printf("message %d: %s\n", message, down ? "failed" : "sent");
  return down ? -1 : 0;
}

/* ---- sending under protection ---- */

struct sender {
  weir_breaker *breaker;
  weir_limiter *limiter;
  weir_retry *retry;
  struct server server;
};

/* One try; how it ended, and when to come back if that is known. */
static uint32_t try_to_send(struct sender *sender, int message, int64_t *asked_ms) {
  weir_rejection rejection = WEIR_REJECTION_INIT;
  weir_permit permit = 0;
  *asked_ms = WEIR_OFF;
  weir_status status = weir_limiter_try_acquire(sender->limiter, 1, NULL, &rejection);
  if (status == WEIR_OK) {
    status = weir_breaker_acquire(sender->breaker, &permit, &rejection);
    if (status != WEIR_OK) weir_limiter_refund(sender->limiter, 1);
  }
  if (status != WEIR_OK) {
    printf("message %d: %s, again in %lld ms\n", message, weir_status_message(status),
           (long long)rejection.retry_after_ms);
    *asked_ms = rejection.retry_after_ms;
    return WEIR_CLASS_REFUSAL;
  }
  int result = send_message(&sender->server, message);
  uint32_t class_ = result == 0 ? WEIR_CLASS_SUCCESS : WEIR_CLASS_FAILURE;
  weir_breaker_report(sender->breaker, permit, class_, 0);
  return class_;
}

static int send_with_retries(struct sender *sender, int message) {
  weir_retry_state state;
  weir_retry_begin(sender->retry, &state);
  for (;;) {
    int64_t asked_ms = WEIR_OFF;
    int64_t delay_ns = 0;
    uint32_t class_ = try_to_send(sender, message, &asked_ms);
    if (weir_retry_next(sender->retry, &state, class_, asked_ms, &delay_ns, NULL) != WEIR_OK) {
      return class_ == WEIR_CLASS_SUCCESS ? 0 : -1;
    }
    struct timespec pause = {.tv_sec = (time_t)(delay_ns / 1000000000),
                             .tv_nsec = (long)(delay_ns % 1000000000)};
    nanosleep(&pause, NULL);
  }
}

/* Opens after 3 failures, for 100 ms; 4 messages at once, then one each 25 ms; 10 tries. */
static weir_status make_sender(weir_runtime *runtime, struct sender *sender, weir_error **error) {
  weir_breaker_options breaker = WEIR_BREAKER_OPTIONS_INIT;
  breaker.failure_threshold = 3;
  breaker.reset_timeout_ms = 100;
  weir_limiter_options limiter = WEIR_LIMITER_OPTIONS_INIT;
  limiter.permits = 4;
  limiter.interval_ms = 100;
  weir_retry_options retry = WEIR_RETRY_OPTIONS_INIT;
  retry.max_attempts = 10;
  retry.base_delay_ms = 5;
  retry.retry_refusals = 1;
  weir_status status = weir_breaker_new(runtime, &breaker, &sender->breaker, error);
  if (status == WEIR_OK) status = weir_limiter_new(runtime, &limiter, &sender->limiter, error);
  if (status == WEIR_OK) status = weir_retry_new(runtime, &retry, &sender->retry, error);
  return status;
}

int main(void) {
  struct sender sender = {NULL, NULL, NULL, {0}};
  weir_error *error = NULL;
  weir_runtime *runtime = NULL;
  if (weir_runtime_new(NULL, &runtime, &error) != WEIR_OK ||
      make_sender(runtime, &sender, &error) != WEIR_OK) {
    fprintf(stderr, "%s\n", weir_error_message(error));
    return 1;
  }
  int lost = 0;
  for (int message = 1; message <= 8; message++) lost += send_with_retries(&sender, message) != 0;
  printf("%d requests for 8 messages, %d lost\n", sender.server.requests, lost);

  weir_retry_unref(sender.retry);
  weir_limiter_unref(sender.limiter);
  weir_breaker_unref(sender.breaker);
  weir_runtime_unref(runtime);
  return lost;
}
