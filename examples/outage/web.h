/* SPDX-License-Identifier: MIT */
/*
 * A web server for one page on loopback: short requests, short answers, a connection each. Requests
 * that change something must carry the header X-Weir, which a page of another origin cannot send
 * without being asked first.
 */
#ifndef OUTAGE_WEB_H
#define OUTAGE_WEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct web;

struct web_answer {
  int status;         /* 200, 404 ... */
  const char *type;   /* of the content */
  const char *body;   /* valid until the handler is called again */
  size_t body_length; /* 0: strlen(body) */
};

/* `method` is GET or POST. On the loop's thread. */
typedef struct web_answer (*web_handler_fn)(void *data, const char *method, const char *path);

/* Listens on `port` (0: a free one); NULL if that is not to be had. */
struct web *web_open(uv_loop_t *loop, uint16_t port, web_handler_fn handler, void *data);

uint16_t web_port(const struct web *web);

/* Closes all connections; the loop must run once more to free the rest. */
void web_close(struct web *web);

#endif
