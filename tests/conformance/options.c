/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "table.h"

/* Options and stats are read and written by tables of their fields, so that a field more is a line
 * more. */

static const struct option *option_named(const struct option *fields, size_t count,
                                         const char *name) {
  for (size_t i = 0; i < count; i++) {
    if (strcmp(fields[i].name, name) == 0) return &fields[i];
  }
  return NULL;
}

static void fill_failures(struct world *world, const cJSON *list, char *at,
                          weir_error_range *ranges) {
  uint64_t count = 0;
  const cJSON *item;
  cJSON_ArrayForEach(item, list) {
    if (count == 8) break;
    ranges[count].domain =
        (uint32_t)number_of(world, domain_words, text_field(item, "domain", "user"));
    ranges[count].reserved = 0;
    ranges[count].code_min = number_field(item, "code_min", 0);
    ranges[count].code_max = number_field(item, "code_max", 0);
    count++;
  }
  memcpy(at, &ranges, sizeof(ranges));
  memcpy(at + sizeof(ranges), &count, sizeof(count));
}

static void fill_option(struct world *world, const cJSON *item, const struct option *field,
                        char *at, weir_error_range *ranges) {
  int64_t number = cJSON_IsBool(item) ? cJSON_IsTrue(item) : plain_number(item);
  uint32_t small = (uint32_t)number;
  switch (field->kind) {
    case OPTION_U32:
      memcpy(at, &small, sizeof(small));
      break;
    case OPTION_I64:
    case OPTION_U64:
      memcpy(at, &number, sizeof(number));
      break;
    case OPTION_F64:
      memcpy(at, &item->valuedouble, sizeof(double));
      break;
    case OPTION_TEXT:
      memcpy(at, &item->valuestring, sizeof(item->valuestring));
      break;
    case OPTION_WORD:
      small = (uint32_t)number_of(world, field->words, item->valuestring);
      memcpy(at, &small, sizeof(small));
      break;
    case OPTION_FAILURES:
      fill_failures(world, item, at, ranges);
      break;
  }
}

void fill_options(struct world *world, const cJSON *def, const struct option *fields, size_t count,
                  void *options, weir_error_range *ranges) {
  const cJSON *item;
  cJSON_ArrayForEach(item, def) {
    const struct option *field = option_named(fields, count, item->string);
    if (field != NULL) fill_option(world, item, field, (char *)options + field->offset, ranges);
  }
}

static int64_t stat_of(const struct option *field, const void *stats) {
  const char *at = (const char *)stats + field->offset;
  uint32_t small;
  int64_t number;
  if (field->kind == OPTION_U32) {
    memcpy(&small, at, sizeof(small));
    return small;
  }
  memcpy(&number, at, sizeof(number));
  return number;
}

void compare_stats(struct world *world, const char *name, const cJSON *expect,
                   const struct option *fields, size_t count, const void *stats) {
  const cJSON *item;
  cJSON_ArrayForEach(item, expect) {
    const struct option *field = option_named(fields, count, item->string);
    if (field == NULL) {
      problem(world, "'%s' has no number '%s'", name, item->string);
    } else if (stat_of(field, stats) != plain_number(item)) {
      problem(world, "%s of '%s' is %lld, not %lld", item->string, name,
              (long long)stat_of(field, stats), (long long)plain_number(item));
    }
  }
}
