/* SPDX-License-Identifier: MIT */
/* C11: two copies of the library in one process, each with a runtime of its own: nothing is shared,
 * and one may go while the other stays. The second copy is a file of its own, loaded by dlopen. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit/support.h"

#include <weir/api.h>

#define MEMBER(result, name, parameters) result(*name) parameters;
struct copy {
  WEIR_FUNCTIONS(MEMBER)
  void *library;
  unsigned started;
};

#if defined(__SANITIZE_ADDRESS__)
#define NO_COPIES "AddressSanitizer takes equal globals of two libraries for a mistake"
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NO_COPIES "AddressSanitizer takes equal globals of two libraries for a mistake"
#endif
#endif

#ifndef NO_COPIES

static void load(struct copy *copy, const char *path) {
  memset(copy, 0, sizeof *copy);
  copy->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  assert_non_null(copy->library);
#define LOAD(result, name, parameters) *(void **)&copy->name = dlsym(copy->library, #name);
  WEIR_FUNCTIONS(LOAD)
}

/* A copy of the file that this program is linked with. */
static void copy_library(char *path) {
  Dl_info info;
  struct stat status;
  assert_int_not_equal(dladdr((void *)(uintptr_t)weir_version, &info), 0);
  int from = open(info.dli_fname, O_RDONLY);
  int to = mkstemp(path);
  assert_true(from >= 0 && to >= 0);
  assert_int_equal(fstat(from, &status), 0);
  while (sendfile(to, from, NULL, (size_t)status.st_size) > 0) continue;
  close(from);
  close(to);
}

static void start(void *data, weir_attempt *attempt) {
  struct copy *copy = data;
  copy->started++;
  copy->weir_complete_bytes(attempt->runtime, attempt->token, "mine", 5);
}

static void run_some(struct copy *copy, weir_runtime *runtime) {
  weir_operation *operation = NULL;
  assert_int_equal(copy->weir_operation_new(runtime, start, copy, NULL, &operation, NULL), WEIR_OK);
  for (size_t i = 0; i < 100; i++) {
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    assert_int_equal(copy->weir_run_wait(operation, NULL, WEIR_FOREVER, &outcome, NULL), WEIR_OK);
    assert_string_equal(copy->weir_value_data(outcome.value), "mine");
    copy->weir_outcome_release(&outcome);
  }
  copy->weir_operation_unref(operation);
}

#endif /* NO_COPIES */

static void C11_two_copies_of_the_library_do_not_meet(struct fixture *fx) {
  (void)fx;
#ifdef NO_COPIES
  skip_because(NO_COPIES);
#else
  char path[] = "/tmp/libweir-copy-XXXXXX";
  struct copy copies[2];
  weir_runtime *runtimes[2] = {NULL, NULL};
  Dl_info info;
  assert_int_not_equal(dladdr((void *)(uintptr_t)weir_version, &info), 0);
  copy_library(path);
  load(&copies[0], info.dli_fname);
  load(&copies[1], path);
  assert_true(copies[0].weir_version != copies[1].weir_version);
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(copies[i].weir_runtime_new(NULL, &runtimes[i], NULL), WEIR_OK);
  }
  for (size_t i = 0; i < 2; i++) run_some(&copies[i], runtimes[i]);
  assert_int_equal(copies[1].weir_runtime_close_wait(runtimes[1], WEIR_FOREVER), WEIR_OK);
  copies[1].weir_runtime_unref(runtimes[1]);
  assert_int_equal(dlclose(copies[1].library), 0);
  run_some(&copies[0], runtimes[0]); /* the other one stays */
  assert_int_equal(copies[0].weir_runtime_close_wait(runtimes[0], WEIR_FOREVER), WEIR_OK);
  copies[0].weir_runtime_unref(runtimes[0]);
  dlclose(copies[0].library);
  unlink(path);
  assert_int_equal(copies[0].started, 200);
  assert_int_equal(copies[1].started, 100);
#endif
}

TEST_MAIN("two_copies", LONG_TEST(C11_two_copies_of_the_library_do_not_meet))
