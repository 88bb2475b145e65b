/* SPDX-License-Identifier: MIT */
/* Running tests: through cmocka, or again and again with failing allocations. */

#include <signal.h>
#include <unistd.h>

#include "support_inside.h"

/* A test that hangs is ended with its name. WEIR_TIMEOUT gives those more that only get what others
 * leave of the processors (tests/run). */
enum { TEST_SECONDS = 240 };

static unsigned test_seconds(void) {
  const char *given = getenv("WEIR_TIMEOUT");
  return given != NULL ? (unsigned)strtoul(given, NULL, 10) : TEST_SECONDS;
}

static const char *running = "";

static void too_long(int number) {
  (void)number;
  static const char text[] = "\na test did not end: ";
  (void)!write(STDERR_FILENO, text, sizeof text - 1);
  (void)!write(STDERR_FILENO, running, strlen(running));
  (void)!write(STDERR_FILENO, "\n", 1);
  _exit(3);
}

static void watch(const char *name) {
  running = name;
  signal(SIGALRM, too_long);
  alarm(test_seconds());
}

/* Injection asked for by --oom-at. */
static uint64_t plain_fail_at;
static int plain_for_good;

static int set_up(void **state) {
  const struct test *test = *state;
  struct fixture *fx = malloc(sizeof *fx);
  if (fx == NULL) return -1;
  watch(test->name);
  fixture_begin(fx, test);
  fx->memory.forced = (struct failing){plain_fail_at, plain_for_good, 0};
  *state = fx;
  return 0;
}

static void run_body(void **state) {
  struct fixture *fx = *state;
  assert_int_equal(fixture_open(fx), WEIR_OK);
  fx->test->body(fx);
  fixture_close(fx);
  if (fx->problem[0] != '\0') fail_msg("%s", fx->problem);
}

static int tear_down(void **state) {
  struct fixture *fx = *state;
  alarm(0);
  fixture_end(fx);
  free(fx);
  return 0;
}

static int run_plainly(const char *group, const struct test *tests, size_t count) {
  struct CMUnitTest *list = calloc(count == 0 ? 1 : count, sizeof *list);
  if (list == NULL) return 1;
  for (size_t i = 0; i < count; i++) {
    list[i] = (struct CMUnitTest){tests[i].name, run_body, set_up, tear_down, (void *)&tests[i]};
  }
  int failures = _cmocka_run_group_tests(group, list, count, NULL, NULL);
  free(list);
  return failures != 0;
}

/* ---- failing allocations --------------------------------------------------------------------- */

struct tally {
  uint64_t injected;
  uint64_t rounds;
  uint64_t problems;
  uint64_t strided; /* tests of which not every n was tried */
};

enum { EVERY_ALLOCATION_UP_TO = 512 };

/* Longer runs are sampled more and more thinly: 1/16 apart. */
static uint64_t next_allocation(uint64_t n) {
  return n < EVERY_ALLOCATION_UP_TO ? n + 1 : n + n / 16;
}

static void report(const struct test *test, uint64_t n, int for_good, const char *problem) {
  printf("not ok - %s with allocation %llu failing %s: %s\n", test->name, (unsigned long long)n,
         for_good ? "for good" : "once", problem);
  printf("# replay: --oom-at %llu%s %s\n", (unsigned long long)n, for_good ? "+" : "", test->name);
}

static struct fixture *abandoned;
static jmp_buf after_the_body;

/* Ends the fixture from within the body, whose variables the last callbacks may still use. */
static void leave_the_body(void) {
  abandon = NULL;
  fixture_close(abandoned);
  longjmp(after_the_body, 1);
}

static void run_or_leave(struct fixture *fx) {
  abandoned = fx;
  if (setjmp(after_the_body) != 0) return;
  abandon = leave_the_body;
  if (fixture_open(fx) == WEIR_OK) fx->test->body(fx);
  abandon = NULL;
  fixture_close(fx);
}

/* One round: true if the body ran with no failure injected. */
static int round_with(const struct test *test, uint64_t n, int for_good, struct tally *tally) {
  struct fixture *fx = malloc(sizeof *fx);
  if (fx == NULL) abort();
  fixture_begin(fx, test);
  fx->memory.forced = (struct failing){n, for_good, 0};
  track_begin();
  run_or_leave(fx);
  track_end();
  int untouched = fx->memory.forced.injected == 0;
  tally->injected += fx->memory.forced.injected;
  tally->rounds++;
  if (fx->problem[0] != '\0') {
    tally->problems++;
    report(test, n, for_good, fx->problem);
  }
  fixture_end(fx);
  free(fx);
  return untouched;
}

static uint64_t fail_each_allocation(const struct test *test, int for_good, struct tally *tally) {
  uint64_t n = 1;
  uint64_t problems = tally->problems;
  while (!round_with(test, n, for_good, tally) && tally->problems < problems + 5) {
    n = next_allocation(n);
  }
  if (n > EVERY_ALLOCATION_UP_TO) tally->strided++;
  return n;
}

int run_with_failing_allocations(const char *group, const struct test *tests, size_t count) {
  struct tally all = {0};
  for (size_t i = 0; i < count; i++) {
    struct tally tally = {0};
    if (tests[i].flags & TEST_NOT_UNDER_OOM) {
      printf("ok - %s # SKIP too long to repeat for each allocation\n", tests[i].name);
      continue;
    }
    watch(tests[i].name);
    fail_each_allocation(&tests[i], 0, &tally);
    fail_each_allocation(&tests[i], 1, &tally);
    alarm(0);
    if (tally.problems == 0) {
      printf("ok - %s: %llu failures in %llu runs%s\n", tests[i].name,
             (unsigned long long)tally.injected, (unsigned long long)tally.rounds,
             tally.strided > 0 ? ", not every allocation" : "");
    }
    all.injected += tally.injected;
    all.rounds += tally.rounds;
    all.problems += tally.problems;
    fflush(stdout);
  }
  printf("# %s: %llu failures injected in %llu runs, %llu problems\n", group,
         (unsigned long long)all.injected, (unsigned long long)all.rounds,
         (unsigned long long)all.problems);
  return all.problems != 0;
}

/* ---- the command line ------------------------------------------------------------------------ */

/* With WEIR_SHORT set the long tests are left out (tests/mutation). */
static int wanted(const struct test *test, int argc, char **argv, int first) {
  const char *name = test->name;
  if ((test->flags & TEST_NOT_UNDER_OOM) && getenv("WEIR_SHORT") != NULL) return 0;
  if (first >= argc) return 1;
  for (int i = first; i < argc; i++) {
    if (strncmp(name, argv[i], strlen(argv[i])) == 0) return 1;
  }
  return 0;
}

int test_program(const char *group, const struct test *tests, size_t count, int argc, char **argv) {
  int first = 1;
  int oom = argc > 1 && strcmp(argv[1], "--oom") == 0;
  if (oom) first = 2;
  if (argc > 2 && strcmp(argv[1], "--oom-at") == 0) {
    plain_fail_at = strtoull(argv[2], NULL, 10);
    plain_for_good = strchr(argv[2], '+') != NULL;
    first = 3;
  }
  struct test *chosen = calloc(count == 0 ? 1 : count, sizeof *chosen);
  if (chosen == NULL) return 1;
  size_t found = 0;
  for (size_t i = 0; i < count; i++) {
    if (wanted(&tests[i], argc, argv, first)) chosen[found++] = tests[i];
  }
  int result =
      oom ? run_with_failing_allocations(group, chosen, found) : run_plainly(group, chosen, found);
  free(chosen);
  return result;
}
