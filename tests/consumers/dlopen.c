/* SPDX-License-Identifier: MIT */
/* dlopen LIBRARY [ROUNDS]: loads weir, settles a retried run on the thread driver and unloads it,
 * again and again. Nothing may stay behind: memory maps, threads and heap are the same after the
 * last round as after the tenth (by when libc has made its own caches). */

#include <dirent.h>
#include <dlfcn.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/api.h>

#define MEMBER(result, name, parameters) result(*name) parameters;
static struct { WEIR_FUNCTIONS(MEMBER) } weir;

struct footprint {
  size_t maps;
  size_t mapped; /* bytes */
  size_t threads;
  size_t heap;   /* bytes */
  size_t loaded; /* weir or libuv is still mapped */
};

static struct footprint measure(void) {
  struct footprint result = {0, 0, 0, mallinfo2().uordblks, 0};
  static char line[4096];
  FILE *maps = fopen("/proc/self/maps", "r");
  while (maps && fgets(line, sizeof line, maps)) {
    size_t from = 0;
    size_t to = 0;
    if (sscanf(line, "%zx-%zx", &from, &to) == 2) result.mapped += to - from;
    result.maps++;
    if (strstr(line, "libweir") || strstr(line, "libuv")) result.loaded = 1;
  }
  if (maps) fclose(maps);
  DIR *tasks = opendir("/proc/self/task");
  while (tasks && readdir(tasks)) result.threads++;
  result.threads -= 2; /* . and .. */
  if (tasks) closedir(tasks);
  return result;
}

static int die(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

static void *load(const char *path) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) die(path, dlerror());
#define LOAD(result, name, parameters)          \
  *(void **)&weir.name = dlsym(library, #name); \
  if (!weir.name) die("dlsym " #name, dlerror());
  WEIR_FUNCTIONS(LOAD)
  return library;
}

static void fail_twice(void *data, weir_attempt *attempt) {
  (void)data;
  if (attempt->number < 3)
    weir.weir_fail(attempt->runtime, attempt->token, WEIR_DOMAIN_USER, 1, "again");
  else
    weir.weir_complete(attempt->runtime, attempt->token, NULL);
}

static void must(const char *what, weir_status status) {
  if (status != WEIR_OK) die(what, weir.weir_status_name(status));
}

static void settle_a_retried_run(void) {
  weir_runtime *runtime = NULL;
  weir_retry *retry = NULL;
  weir_operation *operation = NULL;
  weir_retry_options retry_options = WEIR_RETRY_OPTIONS_INIT;
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  weir_outcome outcome = WEIR_OUTCOME_INIT;
  retry_options.base_delay_ms = 1;
  must("runtime", weir.weir_runtime_new(NULL, &runtime, NULL));
  must("retry", weir.weir_retry_new(runtime, &retry_options, &retry, NULL));
  must("operation", weir.weir_operation_new(runtime, fail_twice, NULL, NULL, &operation, NULL));
  options.policy = weir.weir_retry_policy(retry);
  must("run", weir.weir_run_wait(operation, &options, 10000, &outcome, NULL));
  must("outcome", outcome.status);
  if (outcome.attempts != 3) die("run", "not three attempts");
  weir.weir_outcome_release(&outcome);
  weir.weir_operation_unref(operation);
  weir.weir_retry_unref(retry);
  must("close", weir.weir_runtime_close_wait(runtime, 10000));
  weir.weir_runtime_unref(runtime);
}

static void print(int round, struct footprint f) {
  printf("round %d: %zu maps of %zu bytes, %zu threads, %zu bytes of heap%s\n", round, f.maps,
         f.mapped, f.threads, f.heap, f.loaded ? ", still loaded" : "");
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  int rounds = argc > 2 ? atoi(argv[2]) : 1000;
  struct footprint tenth = measure(); /* so that what measuring itself allocates is counted */
  for (int round = 1; round <= rounds; round++) {
    void *library = load(argv[1]);
    settle_a_retried_run();
    dlclose(library);
    memset(&weir, 0, sizeof weir);
    if (round == 10) tenth = measure();
  }
  struct footprint last = measure();
  print(10, tenth);
  print(rounds, last);
  return last.loaded || memcmp(&tenth, &last, sizeof last) != 0;
}
