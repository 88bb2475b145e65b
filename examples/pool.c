/* SPDX-License-Identifier: MIT */
/*
 * A crawler: work is added to a pool while it runs, by the work itself. Each page that is fetched
 * names two more, down to a depth; four at a time; the results are there when all is drained.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/weir.h>

enum { DEEPEST = 5 };

struct crawler {
  weir_runtime *runtime;
  weir_operation *fetch;
  weir_pool *pool;
  int outstanding; /* pages added and not yet told of; the runtime's thread */
};

/* Adds the page `path`, such as "/0/1". */
static void add_page(struct crawler *crawler, const char *path) {
  weir_value *input = NULL;
  weir_error *error = NULL;
  weir_status status = weir_value_new_bytes(crawler->runtime, path, strlen(path) + 1, &input);
  if (status == WEIR_OK) status = weir_pool_add(crawler->pool, crawler->fetch, input, &error);
  if (status == WEIR_OK) {
    crawler->outstanding++;
  } else {
    fprintf(stderr, "%s: %s\n", path, weir_error_message(error));
  }
  weir_error_unref(error);
  weir_value_unref(input);
}

/* Gets a page and adds what it links to. A real one would complete when the response is there. */
static void fetch_page(void *data, weir_attempt *attempt) {
  struct crawler *crawler = data;
  char link[64];
  const char *path = weir_value_data(attempt->input);
  if (strlen(path) < 2 * DEEPEST) {
    for (int i = 0; i < 2; i++) {
      snprintf(link, sizeof link, "%s/%d", path, i);
      add_page(crawler, link);
    }
  }
  weir_complete_bytes(attempt->runtime, attempt->token, path, strlen(path) + 1);
}

/* The last page that nobody added more behind seals the pool. */
static void on_progress(void *data, uint64_t done, uint64_t total) {
  struct crawler *crawler = data;
  (void)done;
  (void)total;
  if (--crawler->outstanding == 0) weir_pool_seal(crawler->pool);
}

static weir_status open_crawler(struct crawler *crawler, weir_error **error) {
  weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
  options.concurrency = 4;
  options.on_progress = on_progress;
  options.progress_data = crawler;
  options.name = "crawler";
  weir_status status = weir_runtime_new(NULL, &crawler->runtime, error);
  if (status != WEIR_OK) return status;
  status = weir_operation_new(crawler->runtime, fetch_page, crawler, NULL, &crawler->fetch, error);
  if (status != WEIR_OK) return status;
  return weir_pool_new(crawler->runtime, &options, &crawler->pool, error);
}

static void close_crawler(struct crawler *crawler) {
  weir_pool_unref(crawler->pool);
  weir_operation_unref(crawler->fetch);
  weir_runtime_close_wait(crawler->runtime, WEIR_FOREVER);
  weir_runtime_unref(crawler->runtime);
}

int main(void) {
  struct crawler crawler = {NULL, NULL, NULL, 0};
  weir_error *error = NULL;
  if (open_crawler(&crawler, &error) != WEIR_OK) {
    fprintf(stderr, "%s\n", weir_error_message(error));
    return 1;
  }
  add_page(&crawler, ""); /* before it runs; the rest while it does */
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  weir_status status =
      weir_run_wait(weir_pool_operation(crawler.pool), NULL, WEIR_FOREVER, &outcome, &error);
  size_t pages = status == WEIR_OK ? weir_value_count(outcome.value) : 0;
  printf(
      "%zu pages, the last '%s'\n", pages,
      pages == 0 ? "" : (const char *)weir_value_data(weir_value_item(outcome.value, pages - 1)));
  weir_outcome_release(&outcome);
  close_crawler(&crawler);
  return pages == 63 ? 0 : 1;
}
