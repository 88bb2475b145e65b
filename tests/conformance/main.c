/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

/*
 * conformance [--must-fail] [--only NAME] FILE...
 *
 * Runs each scenario of the files three times, the second time with completions that are due at one
 * moment the other way round, the third with leaves that are told by a completion queue, and
 * reports it as a line of TAP. --must-fail: each scenario is wrong on purpose, and one that passes
 * is the failure. --only: the scenario of that name.
 */

struct totals {
  const char *only;
  int must_fail;
  int run;
  int failed;
};

static char *read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  char *text = NULL;
  long size;
  if (file == NULL) return NULL;
  if (fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0) {
    text = calloc(1, (size_t)size + 1);
    rewind(file);
    if (fread(text, 1, (size_t)size, file) != (size_t)size) text[0] = '\0';
  }
  fclose(file);
  return text;
}

static void report(struct totals *totals, const char *name, int good, const char *why) {
  totals->run++;
  if (!good) totals->failed++;
  printf("%s %d - %s\n", good ? "ok" : "not ok", totals->run, name);
  if (!good) printf("# %s: %s\n", name, why);
}

static void run_one(struct totals *totals, const cJSON *scenario) {
  static const char *const manners[] = {"", "with ties the other way round: ", "by queue: "};
  const char *name = text_field(scenario, "name", "?");
  struct world world;
  char why[640];
  int manner = PLAIN;
  if (totals->only != NULL && strcmp(totals->only, name) != 0) return;
  do {
    run_scenario(&world, scenario, (enum manner)manner);
  } while (world.problem[0] == '\0' && manner++ < BY_QUEUE);
  if (totals->must_fail) {
    report(totals, name, manner == PLAIN, "a wrong expectation went unnoticed");
    return;
  }
  int good = world.problem[0] == '\0';
  snprintf(why, sizeof(why), "%s%s", good ? "" : manners[manner], world.problem);
  report(totals, name, good, why);
}

static int run_file(struct totals *totals, const char *path) {
  char *text = read_file(path);
  cJSON *file = text == NULL ? NULL : cJSON_Parse(text);
  const cJSON *scenario;
  free(text);
  if (file == NULL || number_field(file, "format", 0) != 1) {
    report(totals, path, 0, "not a table of format 1");
    cJSON_Delete(file);
    return 0;
  }
  cJSON_ArrayForEach(scenario, cJSON_GetObjectItemCaseSensitive(file, "scenarios")) {
    run_one(totals, scenario);
  }
  cJSON_Delete(file);
  return 1;
}

int main(int argc, char **argv) {
  struct totals totals = {NULL, 0, 0, 0};
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--must-fail") == 0) {
      totals.must_fail = 1;
    } else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
      totals.only = argv[++i];
    } else {
      run_file(&totals, argv[i]);
    }
  }
  printf("1..%d\n", totals.run);
  return totals.failed != 0 || totals.run == 0;
}
