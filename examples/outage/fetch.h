/* SPDX-License-Identifier: MIT */
/*
 * The protected operation: one HTTP GET through libcurl, as a weir operation.
 *
 * A run's context is a struct fetch_request; it must live until the run has settled. What the
 * transport or the server says becomes the attempt's completion: a 200 is a value, any other status
 * an error of the HTTP domain with the server's Retry-After, the rest an error of the curl domain.
 */
#ifndef OUTAGE_FETCH_H
#define OUTAGE_FETCH_H

#include "http_client.h"

#include <weir/weir.h>

struct fetch_request {
  struct http_client *client;
  const char *url;
  uint32_t number;
};

/* The caller owns the operation; it needs no other state than each run's context. */
weir_operation *fetch_operation_new(weir_runtime *runtime);

#endif
