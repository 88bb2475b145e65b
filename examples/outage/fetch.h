/* SPDX-License-Identifier: MIT */
/*
 * The protected operation: one HTTP GET through libcurl, as a weir operation.
 *
 * A run's input is a pointer to a struct fetch_request, which must live until the runtime has
 * closed. What the transport or the server says becomes the attempt's completion: a 200 is a value,
 * the moment it came (an int64_t of uv_hrtime); any other status an error of the HTTP domain with
 * the server's Retry-After; the rest an error of the curl domain.
 */
#ifndef OUTAGE_FETCH_H
#define OUTAGE_FETCH_H

#include "http_client.h"

#include <weir/weir.h>

struct fetch_request {
  struct http_client *client;
  const char *base_url;
  uint32_t path;
  uint32_t number;
};

/* The caller owns the operation; it needs no other state than each run's input. */
weir_operation *fetch_operation_new(weir_runtime *runtime);

#endif
