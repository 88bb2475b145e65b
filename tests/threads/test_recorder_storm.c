/* SPDX-License-Identifier: MIT */
/* Lines of the log from several threads, read on another that a completion queue tells of them:
 * none is missed without a gap in the numbers, and no wake-up is lost. One that is hangs the test.
 */

#include "../unit/support.h"

enum { WRITERS = 2, LINES = 20000, KEPT = 512 };

struct storm {
  weir_runtime *runtime;
  weir_completions *queue;
};

static void *write_lines(void *data) {
  struct storm *storm = data;
  for (int i = 0; i < LINES; i++) weir_log(storm->runtime, WEIR_LOG_INFO, "storm", "a line");
  return NULL;
}

/* Puts the queue in its own place again and again: what waits in it is taken back. */
static void *replace(void *data) {
  struct storm *storm = data;
  for (uint64_t i = 0; i < 1000; i++) weir_recorder_notify(storm->runtime, storm->queue, i);
  return NULL;
}

struct reader {
  uint64_t cursor;
  uint64_t read;
  uint64_t wrong;
};

static void read_all(struct storm *storm, struct reader *reader) {
  weir_recorded entries[32];
  size_t count = 1;
  while (count > 0) {
    uint64_t before = reader->cursor;
    weir_recorder_read(storm->runtime, &reader->cursor, entries, sizeof *entries, 32, &count);
    for (size_t i = 0; i < count; i++) {
      if (entries[i].number < before || strcmp(entries[i].text, "a line") != 0) reader->wrong++;
      before = entries[i].number + 1;
    }
    reader->read += count;
  }
}

static void open_storm(struct fixture *fx, struct storm *storm) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_allocator allocator = memory_allocator(&fx->memory);
  options.allocator = &allocator;
  options.recorder_entries = KEPT;
  options.log_level = WEIR_LOG_INFO;
  assert_int_equal(weir_runtime_new(&options, &storm->runtime, NULL), WEIR_OK);
  assert_int_equal(weir_completions_new(storm->runtime, NULL, &storm->queue, NULL), WEIR_OK);
  assert_int_equal(weir_recorder_notify(storm->runtime, storm->queue, 0), WEIR_OK);
}

static void lines_of_many_threads_are_read_on_one(struct fixture *fx) {
  struct storm storm;
  struct reader reader = {0};
  pthread_t threads[WRITERS];
  pthread_t replacer;
  open_storm(fx, &storm);
  for (size_t i = 0; i < WRITERS; i++) {
    assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &storm), 0);
  }
  while (reader.cursor < (uint64_t)WRITERS * LINES) { /* the number after the last one's */
    weir_record record;
    size_t count = 0;
    weir_completions_wait(storm.queue, &record, sizeof record, 1, WEIR_FOREVER, &count);
    read_all(&storm, &reader);
  }
  for (size_t i = 0; i < WRITERS; i++) pthread_join(threads[i], NULL);
  assert_int_equal(reader.wrong, 0);
  assert_in_range(reader.read, 1, (uint64_t)WRITERS * LINES);

  assert_int_equal(pthread_create(&threads[0], NULL, write_lines, &storm), 0);
  assert_int_equal(pthread_create(&replacer, NULL, replace, &storm), 0);
  pthread_join(threads[0], NULL);
  pthread_join(replacer, NULL);
  read_all(&storm, &reader);
  assert_int_equal(reader.cursor, (uint64_t)(WRITERS + 1) * LINES);
  assert_int_equal(reader.wrong, 0);
  weir_completions_unref(storm.queue);
  assert_int_equal(weir_runtime_close_wait(storm.runtime, WEIR_FOREVER), WEIR_OK);
  weir_runtime_unref(storm.runtime);
}

TEST_MAIN("recorder storm", LONG_TEST(lines_of_many_threads_are_read_on_one))
