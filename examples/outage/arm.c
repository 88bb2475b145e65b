/* SPDX-License-Identifier: MIT */
#include "arm.h"

#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t now_ns(const struct arm *arm) { return (int64_t)uv_hrtime() - arm->epoch_ns; }

/* --- settling -----------------------------------------------------------------------------------
 */

static bool is_refusal(weir_status status) {
  return status == WEIR_EOPEN || status == WEIR_ELIMITED || status == WEIR_EFULL;
}

/* The value is the moment it came: of an answer that was kept, before the call was due. Its
 * lifetime began when it was stored, a turn of the loop later. */
static bool is_stale(const struct call *call, const weir_value *value) {
  enum { TURN_MS = 20 };
  int64_t came_ns;
  memcpy(&came_ns, weir_value_data(value), sizeof(came_ns));
  int64_t age_ns = call->due_ns - (came_ns - call->arm->epoch_ns);
  return age_ns > (int64_t)(CACHE_TTL_MS + TURN_MS) * 1000000;
}

static enum call_result result_of(const struct call *call, const weir_outcome *outcome) {
  if (outcome->channel == WEIR_CHANNEL_VALUE) {
    return is_stale(call, outcome->value) ? CALL_STALE : CALL_ANSWERED;
  }
  return is_refusal(outcome->status) ? CALL_REFUSED : CALL_FAILED;
}

bool call_is_answered(const struct call *call) {
  return call->result == CALL_ANSWERED || call->result == CALL_STALE;
}

/* A refusal that stopped a retry counts too: the call got its last real error, and might have got
 * an answer. A budget does not refuse calls, it ends retrying. */
static bool was_refused(const weir_outcome *outcome) {
  return outcome->rejection != NULL && outcome->rejection->policy != WEIR_POLICY_BUDGET;
}

/* What a fallback may be asked for later. Its own answers are not news. */
static void keep_answer(const struct call *call, const weir_outcome *outcome) {
  if (call->arm->kind == ARM_FALLBACK && call->result == CALL_ANSWERED) {
    weir_cache_put(call->arm->policies.cache, &call->request.path, sizeof(call->request.path),
                   outcome->value);
  }
}

static void on_settled(void *data, weir_call *handle, const weir_outcome *outcome) {
  struct call *call = data;
  struct arm *arm = call->arm;
  (void)handle;
  call->settled_ns = now_ns(arm);
  call->attempts = outcome->attempts;
  call->result = result_of(call, outcome);
  keep_answer(call, outcome);
  if (was_refused(outcome)) {
    struct reply missed = schedule_reply(arm->schedule, call->settled_ns, call->request.number,
                                         outcome->attempts + 1);
    call->refused_in_vain = missed.kind == REPLY_OK;
  }
  arm->settled_count++;
}

/* --- timelines ----------------------------------------------------------------------------------
 */

static void on_breaker_change(void *data, weir_breaker *breaker,
                              const weir_breaker_change *change) {
  struct arm *arm = data;
  (void)breaker;
  if (arm->change_count == arm->change_room) {
    arm->change_room = 2 * arm->change_room + 64;
    arm->changes = realloc(arm->changes, arm->change_room * sizeof(*arm->changes));
    require(arm->changes != NULL, "realloc");
  }
  arm->changes[arm->change_count++] =
      (struct breaker_change){change->at_ns - arm->epoch_ns, change->to};
}

static void keep_most(uint32_t *most, uint64_t value) {
  *most = value > *most ? (uint32_t)value : *most;
}

void arm_sample(struct arm *arm, int64_t at_ns) {
  struct slice *slice = &arm->slices[schedule_slice(arm->schedule, at_ns)];
  keep_most(&slice->in_flight, arm->begun_count - arm->settled_count);
  if (arm->policies.limiter != NULL) {
    weir_limiter_stats stats = {.size = sizeof(stats)};
    weir_limiter_get_stats(arm->policies.limiter, &stats);
    keep_most(&slice->queued, stats.queued);
    keep_most(&slice->limit, (uint64_t)stats.limit);
  }
}

/* --- life ---------------------------------------------------------------------------------------
 */

void arm_init(struct arm *arm, enum arm_kind kind, const struct schedule *schedule,
              uint32_t call_count) {
  memset(arm, 0, sizeof(*arm));
  arm->kind = kind;
  arm->schedule = schedule;
  arm->call_count = call_count;
  arm->calls = allocate(call_count * sizeof(*arm->calls));
  upstream_start(&arm->upstream, schedule, call_count);
  snprintf(arm->url, sizeof(arm->url), "http://127.0.0.1:%u/", arm->upstream.port);
}

void arm_open(struct arm *arm, weir_runtime *runtime, struct http_client *client,
              int64_t epoch_ns) {
  arm->epoch_ns = epoch_ns;
  weir_operation *fetch = fetch_operation_new(runtime);
  policies_init(&arm->policies, arm->kind, fetch, runtime, on_breaker_change, arm);
  weir_operation_unref(fetch);
  for (uint32_t number = 0; number < arm->call_count; number++) {
    arm->calls[number].arm = arm;
    arm->calls[number].request =
        (struct fetch_request){client, arm->url, schedule_path(arm->schedule, number), number};
  }
  upstream_begin(&arm->upstream, epoch_ns);
}

void arm_begin_call(struct arm *arm, uint32_t number, int64_t due_ns) {
  struct call *call = &arm->calls[number];
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.policy = arm->policies.outermost;
  options.key = &call->request.path;
  options.key_size = sizeof(call->request.path);
  require(weir_value_new_pointer(NULL, &call->request, NULL, &options.input) == WEIR_OK,
          "weir_value_new_pointer");
  call->due_ns = due_ns;
  arm->begun_count++;
  weir_status status =
      weir_run(arm->policies.operation, &options, on_settled, call, NULL, NULL, NULL);
  require(status == WEIR_OK, "weir_run");
  weir_value_unref(options.input);
  arm_sample(arm, due_ns);
}

void arm_close(struct arm *arm) { policies_release(&arm->policies); }

void arm_stop_upstream(struct arm *arm) { upstream_stop(&arm->upstream); }

void arm_release(struct arm *arm) {
  upstream_release(&arm->upstream);
  free(arm->calls);
  free(arm->changes);
}
