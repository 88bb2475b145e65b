/* SPDX-License-Identifier: MIT */
/*
 * Single flight: many requests find at the same moment that their access token has expired. The
 * first has it renewed, the others wait for that and get the same one; nothing is kept, so that the
 * next time it is renewed again. The program's own libuv loop; renewing blocks a pool's thread.
 */

#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <time.h>
#include <uv.h>

#include <weir/weir.h>

enum { REQUESTS = 5 };

/* ---- the login server ---- */

static weir_status renew_token(void *data, const weir_attempt *attempt, weir_value **value,
                               weir_error **error) {
  int *renewed = data;
  char token[32];
  (void)error;
  nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL);
  int size = snprintf(token, sizeof token, "token %d", ++*renewed);
  return weir_value_new_bytes(attempt->runtime, token, (size_t)size, value);
}

/* ---- the requests ---- */

struct request {
  int number;
  weir_value *token;
};

static void on_token(void *data, weir_call *call, const weir_outcome *outcome) {
  struct request *request = data;
  (void)call;
  request->token = weir_value_ref(outcome->value);
  printf("request %d goes on with %.*s\n", request->number, (int)weir_value_size(request->token),
         (const char *)weir_value_data(request->token));
}

/* All of them find it expired; true if all got the very same new one. */
static int all_expired(weir_flight *flight, weir_operation *renewal, uv_loop_t *loop) {
  struct request requests[REQUESTS];
  int same = 1;
  for (int i = 0; i < REQUESTS; i++) {
    requests[i] = (struct request){.number = i + 1};
    weir_flight_run(flight, "ada", 3, renewal, NULL, on_token, &requests[i], NULL, NULL, NULL);
  }
  uv_run(loop, UV_RUN_DEFAULT);
  for (int i = 0; i < REQUESTS; i++) {
    same &= requests[i].token != NULL && requests[i].token == requests[0].token;
  }
  for (int i = 0; i < REQUESTS; i++) weir_value_unref(requests[i].token);
  return same;
}

int main(void) {
  uv_loop_t *loop = uv_default_loop();
  int renewed = 0;
  weir_error *error = NULL;
  weir_runtime *runtime = NULL;
  weir_operation *renewal = NULL;
  weir_flight *flight = NULL;
  weir_runtime_options attached = WEIR_RUNTIME_OPTIONS_INIT;
  attached.driver = WEIR_DRIVER_UV;
  attached.loop = loop;

  if (weir_runtime_new(&attached, &runtime, &error) != WEIR_OK ||
      weir_operation_new_blocking(runtime, renew_token, &renewed, NULL, &renewal, &error) !=
          WEIR_OK ||
      weir_flight_new(runtime, NULL, &flight, &error) != WEIR_OK) {
    fprintf(stderr, "%s\n", weir_error_message(error));
    return 1;
  }
  int good = all_expired(flight, renewal, loop) && all_expired(flight, renewal, loop);
  printf("%d requests, renewed %d times\n", 2 * REQUESTS, renewed);

  weir_flight_unref(flight);
  weir_operation_unref(renewal);
  weir_runtime_unref(runtime);  /* begins closing ... */
  uv_run(loop, UV_RUN_DEFAULT); /* ... which ends on the loop */
  return good && renewed == 2 && uv_loop_close(loop) == 0 ? 0 : 1;
}
