/* SPDX-License-Identifier: MIT */
/*
 * A stream of events, throttled: prices come in a thousand times a second, the screen is drawn at
 * most ten times a second, at once for the first price and always with the latest one, and the last
 * price is never left out. A touch is a call that asks for no settlement, and costs next to nothing
 * while a drawing is due anyway.
 */

#include <stdio.h>
#include <string.h>
#include <uv.h>

#include <weir/weir.h>

enum { EVENTS = 1000, INTERVAL_MS = 100 };

/* ---- the screen ---- */

struct screen {
  int drawings;
  int price; /* as it stands there */
};

static void draw(void *data, weir_attempt *attempt) {
  struct screen *screen = data;
  memcpy(&screen->price, weir_value_data(attempt->input), sizeof screen->price);
  printf("drawing %2d: price %d\n", ++screen->drawings, screen->price);
  weir_complete(attempt->runtime, attempt->token, NULL);
}

/* ---- the feed: a price each millisecond ---- */

struct feed {
  uv_timer_t clock;
  weir_runtime *runtime;
  weir_throttle *drawing;
  int events;
  int price;
};

static void on_price(uv_timer_t *clock) {
  struct feed *feed = clock->data;
  weir_value *price = NULL;
  feed->price = 5000 + 37 * ++feed->events % 100;
  if (weir_value_new_bytes(feed->runtime, &feed->price, sizeof feed->price, &price) == WEIR_OK) {
    weir_throttle_touch(feed->drawing, NULL, 0, price);
    weir_value_unref(price);
  }
  if (feed->events == EVENTS) uv_close((uv_handle_t *)clock, NULL);
}

static weir_status make_drawing(struct feed *feed, struct screen *screen, weir_error **error) {
  weir_operation *operation = NULL;
  weir_throttle_options options = WEIR_THROTTLE_OPTIONS_INIT; /* leading and trailing */
  options.interval_ms = INTERVAL_MS;
  options.name = "screen";
  weir_status status = weir_operation_new(feed->runtime, draw, screen, NULL, &operation, error);
  if (status == WEIR_OK) {
    status = weir_throttle_new(feed->runtime, operation, &options, &feed->drawing, error);
  }
  weir_operation_unref(operation);
  return status;
}

int main(void) {
  uv_loop_t *loop = uv_default_loop();
  struct screen screen = {.drawings = 0};
  struct feed feed = {.events = 0};
  weir_error *error = NULL;
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  options.driver = WEIR_DRIVER_UV;
  options.loop = loop;
  if (weir_runtime_new(&options, &feed.runtime, &error) != WEIR_OK ||
      make_drawing(&feed, &screen, &error) != WEIR_OK) {
    fprintf(stderr, "%s\n", weir_error_message(error));
    return 1;
  }
  feed.clock.data = &feed;
  uv_timer_init(loop, &feed.clock);
  uv_timer_start(&feed.clock, on_price, 0, 1);
  uint64_t begun_ns = uv_hrtime();
  uv_run(loop, UV_RUN_DEFAULT); /* until the last drawing is done, too */
  int took_ms = (int)((uv_hrtime() - begun_ns) / 1000000);

  printf("%d prices, %d drawings in %d ms\n", feed.events, screen.drawings, took_ms);
  int good = screen.drawings > 1 && screen.drawings <= took_ms / INTERVAL_MS + 1 &&
             screen.price == feed.price;

  weir_throttle_unref(feed.drawing);
  weir_runtime_unref(feed.runtime); /* begins closing ... */
  uv_run(loop, UV_RUN_DEFAULT);     /* ... which ends on the loop */
  return good && uv_loop_close(loop) == 0 ? 0 : 1;
}
