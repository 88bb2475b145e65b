/* SPDX-License-Identifier: MIT */
/* Large pages: asked for under a large table of malloc's, and under nothing else. */

#include "support.h"

enum { LARGE_PAGE = 2 << 20 };

/* The memory of this process that is marked for large pages. */
struct marked {
  int known; /* the system tells */
  int64_t bytes;
  int64_t crooked; /* pieces that do not begin and end at a large page */
};

static struct marked marked_memory(void) {
  struct marked marked = {0};
  char line[512];
  unsigned long begin = 0;
  unsigned long end = 0;
  unsigned long first;
  unsigned long last;
  FILE *maps = fopen("/proc/self/smaps", "r");
  if (maps == NULL) return marked;
  while (fgets(line, sizeof line, maps) != NULL) {
    if (sscanf(line, "%lx-%lx ", &first, &last) == 2) {
      begin = first;
      end = last;
    }
    if (strncmp(line, "VmFlags:", 8) != 0) continue;
    marked.known = 1;
    if (strstr(line, " hg") == NULL) continue;
    marked.bytes += (int64_t)(end - begin);
    marked.crooked += begin % LARGE_PAGE != 0 || end % LARGE_PAGE != 0;
  }
  fclose(maps);
  return marked;
}

/* What a limiter of `max_keys` adds to it. */
static struct marked marked_by_keys(weir_runtime *runtime, int64_t max_keys) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  weir_limiter *limiter = NULL;
  options.permits = 1;
  options.interval_ms = 1000;
  options.max_keys = max_keys;
  struct marked before = marked_memory();
  assert_int_equal(weir_limiter_new(runtime, &options, &limiter, NULL), WEIR_OK);
  struct marked after = marked_memory();
  weir_limiter_unref(limiter);
  return (struct marked){after.known, after.bytes - before.bytes, after.crooked - before.crooked};
}

static void a_million_keys_lie_in_large_pages_if_malloc_gives_them(struct fixture *fx) {
  weir_runtime *runtime = NULL;
  assert_int_equal(weir_testing_runtime_new(1, &runtime), WEIR_OK); /* on malloc */
  struct marked few = marked_by_keys(runtime, 100);
  struct marked many = marked_by_keys(runtime, 1000000);
  weir_runtime_unref(runtime);
  if (!many.known) skip_because("the system does not tell");
  assert_int_equal(few.bytes, 0);
  assert_true(many.bytes >= 8 * LARGE_PAGE);
  assert_true(many.bytes <= 24 * LARGE_PAGE);
  assert_int_equal(many.crooked, 0);
  /* how another allocator maps its memory is its own business */
  assert_int_equal(marked_by_keys(fx->runtime, 1000000).bytes, 0);
}

TEST_MAIN("heap", LONG_TEST(a_million_keys_lie_in_large_pages_if_malloc_gives_them))
