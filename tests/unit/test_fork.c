/* SPDX-License-Identifier: MIT */
/* A runtime lives in the process that made it: in a forked child running and waiting say so, giving
 * back touches nothing, and nothing hangs. The child reports by its exit status. */

#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

/* Runs `body` in a child; what it returns (0: all well, else the number of what was wrong). */
static int in_child(int (*body)(void *data), void *data) {
  pid_t child = fork();
  if (child == 0) _exit(body(data));
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
}

struct made {
  struct fixture *fx;
  weir_runtime *runtime;
  weir_operation *operation;
  weir_call *call;
};

static int use_in_child(void *data) {
  struct made *made = data;
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  weir_error *error = NULL;
  if (weir_run(made->operation, NULL, NULL, NULL, NULL, NULL, &error) != WEIR_EFORKED) return 1;
  if (strstr(weir_error_message(error), "parent") == NULL) return 2;
  if (weir_run_wait(made->operation, NULL, WEIR_FOREVER, &outcome, NULL) != WEIR_EFORKED) return 3;
  if (weir_call_wait(made->call, WEIR_FOREVER) != WEIR_EFORKED) return 4;
  return 0;
}

static int give_back_in_child(void *data) {
  struct made *made = data;
  uint64_t live = made->fx->memory.live_blocks;
  weir_runtime_unref(made->runtime);
  return made->fx->memory.live_blocks == live ? 0 : 1;
}

static void child_is_refused_and_the_parent_goes_on(struct fixture *fx) {
  struct script *script = scripted(fx, "v1+10");
  struct run *run = begin(fx, script->operation, NULL);
  run_until_idle(fx);
  struct made made = {fx, fx->runtime, script->operation, run->call};
  int result = in_child(use_in_child, &made);
  if (result != 4) assert_int_equal(result, 0); /* this thread is the runtime's: it may not wait */
  assert_int_equal(in_child(give_back_in_child, &made), 0);
  advance_ms(fx, 10);
  assert_int_equal(settled(run)->value, 1);
}

static weir_status nothing(void *data, const weir_attempt *attempt, weir_value **value,
                           weir_error **error) {
  (void)data, (void)attempt, (void)value, (void)error;
  return WEIR_OK;
}

static void child_of_a_thread_driver_neither_hangs_nor_frees(struct fixture *fx) {
  weir_runtime_options options = WEIR_RUNTIME_OPTIONS_INIT;
  weir_allocator allocator = memory_allocator(&fx->memory);
  struct made made = {fx, NULL, NULL, NULL};
  options.allocator = &allocator;
  assert_int_equal(weir_runtime_new(&options, &made.runtime, NULL), WEIR_OK);
  assert_int_equal(
      weir_operation_new_blocking(made.runtime, nothing, NULL, NULL, &made.operation, NULL),
      WEIR_OK);
  assert_int_equal(weir_run(made.operation, NULL, NULL, NULL, NULL, &made.call, NULL), WEIR_OK);
  assert_int_equal(weir_call_wait(made.call, WEIR_FOREVER), WEIR_OK);
  int used = in_child(use_in_child, &made);
  if (used != 4) assert_int_equal(used, 0); /* a settled call may be waited for */
  assert_int_equal(in_child(give_back_in_child, &made), 0);
  weir_call_unref(made.call);
  weir_operation_unref(made.operation);
  assert_int_equal(weir_runtime_close_wait(made.runtime, WEIR_FOREVER), WEIR_OK);
  weir_runtime_unref(made.runtime);
}

TEST_MAIN("fork", LONG_TEST(child_is_refused_and_the_parent_goes_on),
          LONG_TEST(child_of_a_thread_driver_neither_hangs_nor_frees))
