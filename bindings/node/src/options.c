/* SPDX-License-Identifier: MIT */
/*
 * Option objects to option structs, and structs to objects, by tables of fields.
 *
 * Only what an object has is written, so the defaults are weir's own; ranges are weir's to check,
 * and the names lib/options.js's. Here is checked only what cannot be said in the struct: types,
 * whole numbers, words.
 */
#include <math.h>
#include <stdio.h>

#include "weir_node.h"

static bool refuse(struct environment *e, const char *what, const char *name, const char *rule,
                   napi_value given) {
  char message[320], text[64] = "";
  napi_valuetype type = napi_undefined;
  napi_typeof(e->env, given, &type);
  if (type == napi_number || type == napi_string) {
    napi_value shown = NULL;
    napi_coerce_to_string(e->env, given, &shown);
    napi_get_value_string_utf8(e->env, shown, text, sizeof text, NULL);
  }
  const char *quote = type == napi_string ? "'" : "";
  if (*text != 0 || *quote != 0)
    snprintf(message, sizeof message, "%s.%s must be %s (got %s%s%s)", what, name, rule, quote,
             text, quote);
  else
    snprintf(message, sizeof message, "%s.%s must be %s", what, name, rule);
  throw_invalid(e, message);
  return false;
}

static bool refuse_word(struct environment *e, const char *what, const struct field *field,
                        napi_value given) {
  char rule[200] = "one of";
  for (uint32_t i = 0; field->words[i] != NULL; i++) {
    size_t size = strlen(rule);
    snprintf(rule + size, sizeof rule - size, "%s '%s'", i == 0 ? "" : ",", field->words[i]);
  }
  return refuse(e, what, field->name, rule, given);
}

static void *keep(struct options_memory *memory, void *piece) {
  if (piece != NULL && memory->count < sizeof memory->pieces / sizeof *memory->pieces)
    memory->pieces[memory->count++] = piece;
  return piece;
}

void options_done(struct options_memory *memory) {
  for (size_t i = 0; i < memory->count; i++) free(memory->pieces[i]);
  memory->count = 0;
}

static bool read_number(struct environment *e, napi_value value, double *number) {
  if (napi_get_value_double(e->env, value, number) == napi_ok) return !isnan(*number);
  bool lossless = false;
  uint64_t big = 0;
  if (napi_get_value_bigint_uint64(e->env, value, &big, &lossless) != napi_ok) return false;
  *number = (double)big;
  return lossless;
}

/* Infinity and what is off are -1 in the struct, so a negative number must not get there. */
static bool read_whole(struct environment *e, napi_value value, bool off, int64_t *whole) {
  double number = INFINITY;
  if (!off && !read_number(e, value, &number)) return false;
  *whole = -1;
  if (isinf(number)) return number > 0;
  if (number < 0 || number != floor(number) || number > 9.1e18) return false;
  *whole = (int64_t)number;
  return true;
}

static bool read_word(struct environment *e, napi_value value, const struct field *field,
                      uint32_t *word) {
  char text[40];
  size_t size = 0;
  if (napi_get_value_string_utf8(e->env, value, text, sizeof text, &size) != napi_ok) return false;
  for (uint32_t i = 0; field->words[i] != NULL; i++)
    if (strcmp(field->words[i], text) == 0) {
      *word = i;
      return true;
    }
  return false;
}

static bool read_text(struct environment *e, napi_value value, struct options_memory *memory,
                      const char **text) {
  size_t size = 0;
  if (napi_get_value_string_utf8(e->env, value, NULL, 0, &size) != napi_ok) return false;
  char *copy = keep(memory, malloc(size + 1));
  if (copy == NULL) return false;
  napi_get_value_string_utf8(e->env, value, copy, size + 1, &size);
  *text = copy;
  return strlen(copy) == size;
}

/* failures: [[domain, min, max], ...] */
static bool read_ranges(struct environment *e, napi_value value, struct options_memory *memory,
                        const weir_error_range **ranges, uint64_t *count) {
  uint32_t length = 0;
  if (napi_get_array_length(e->env, value, &length) != napi_ok) return false;
  weir_error_range *copy = keep(memory, calloc(length + 1, sizeof *copy));
  if (copy == NULL) return false;
  for (uint32_t i = 0; i < length; i++) {
    double part[3] = {0, 0, 0};
    napi_value range = NULL, item = NULL;
    napi_get_element(e->env, value, i, &range);
    for (uint32_t j = 0; j < 3; j++)
      if (napi_get_element(e->env, range, j, &item) != napi_ok || !read_number(e, item, &part[j]))
        return false;
    copy[i] = (weir_error_range){(uint32_t)part[0], 0, (int64_t)part[1], (int64_t)part[2]};
  }
  *ranges = copy;
  *count = length;
  return true;
}

/* A handle of `kind` (0: any policy), as a number; 0 is none. */
static bool read_handle(struct environment *e, napi_value value, uint32_t kind, void **pointer) {
  *pointer = kind == 0 ? policy_get(e, value) : handle_get(e, value, kind);
  return *pointer != NULL;
}

static bool read_field(struct environment *e, napi_value value, const struct field *field,
                       void *options, struct options_memory *memory, const char *what) {
  char *place = (char *)options + field->offset;
  napi_valuetype type = napi_undefined;
  napi_typeof(e->env, value, &type);
  if (type == napi_undefined) return true;
  double number = -1;
  int64_t whole = 0;
  bool flag = false;
  switch (field->type) {
    case FIELD_U32:
      if (!read_whole(e, value, false, &whole) || whole < 0 || whole > UINT32_MAX)
        return refuse(e, what, field->name, "a whole number, 0 or more", value);
      *(uint32_t *)place = (uint32_t)whole;
      return true;
    case FIELD_U64:
    case FIELD_I64:
      if (!read_whole(e, value, type == napi_null, &whole))
        return refuse(e, what, field->name, "a whole number, 0 or more, or Infinity", value);
      *(int64_t *)place = whole;
      return true;
    case FIELD_OFF_F64:
    case FIELD_F64:
      if ((field->type == FIELD_F64 || type != napi_null) && !read_number(e, value, &number))
        return refuse(e, what, field->name, "a number", value);
      *(double *)place = number;
      return true;
    case FIELD_FLAG:
      if (napi_get_value_bool(e->env, value, &flag) != napi_ok)
        return refuse(e, what, field->name, "true or false", value);
      *(uint32_t *)place = flag;
      return true;
    case FIELD_WORD:
      return read_word(e, value, field, (uint32_t *)place) || refuse_word(e, what, field, value);
    case FIELD_TEXT:
      return read_text(e, value, memory, (const char **)place) ||
             refuse(e, what, field->name, "a string", value);
    case FIELD_BUDGET:
      return read_handle(e, value, KIND_BUDGET, (void **)place);
    case FIELD_POLICY:
      return read_handle(e, value, 0, (void **)place);
    case FIELD_SCOPE:
      return read_handle(e, value, KIND_SCOPE, (void **)place);
    case FIELD_RANGES:
      return read_ranges(e, value, memory, (const weir_error_range **)place,
                         (uint64_t *)(place + sizeof(void *))) ||
             refuse(e, what, field->name, "a list of ranges of error codes", value);
    default:
      return true;
  }
}

bool options_read(struct environment *e, napi_value object, const struct field *fields,
                  void *options, struct options_memory *memory, const char *what) {
  napi_valuetype type = napi_undefined;
  napi_typeof(e->env, object, &type);
  if (type == napi_undefined || type == napi_null) return true;
  if (type != napi_object) return refuse(e, what, "options", "an object", object);
  for (const struct field *field = fields; field->name != NULL; field++) {
    napi_value value = NULL;
    if (napi_get_named_property(e->env, object, field->name, &value) != napi_ok) return false;
    if (!read_field(e, value, field, options, memory, what)) return false;
  }
  return true;
}

static napi_value field_value(struct environment *e, const struct field *field, const void *data) {
  const char *place = (const char *)data + field->offset;
  napi_value value = NULL;
  switch (field->type) {
    case FIELD_U32:
      return number_value(e, *(const uint32_t *)place);
    case FIELD_U64:
      return number_value(e, (double)*(const uint64_t *)place);
    case FIELD_I64:
      return number_value(e, (double)*(const int64_t *)place);
    case FIELD_NS: {
      int64_t ns = *(const int64_t *)place;
      return number_value(e, ns < 0 ? -1 : ms_of_ns(ns));
    }
    case FIELD_F64:
      return number_value(e, *(const double *)place);
    case FIELD_FLAG:
      napi_get_boolean(e->env, *(const uint32_t *)place != 0, &value);
      return value;
    case FIELD_WORD:
      return text_value(e, field->words[*(const uint32_t *)place]);
    case FIELD_CHARS:
      return text_value(e, place);
    default:
      napi_get_undefined(e->env, &value);
      return value;
  }
}

napi_value struct_value(struct environment *e, const struct field *fields, const void *data) {
  napi_value object = NULL;
  napi_create_object(e->env, &object);
  for (const struct field *field = fields; field->name != NULL; field++)
    napi_set_named_property(e->env, object, field->name, field_value(e, field, data));
  return object;
}

napi_value field_names(struct environment *e, const struct field *fields) {
  napi_value list = NULL;
  uint32_t count = 0;
  napi_create_array(e->env, &list);
  for (const struct field *field = fields; field->name != NULL; field++)
    napi_set_element(e->env, list, count++, text_value(e, field->name));
  return list;
}
