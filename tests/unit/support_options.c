/* SPDX-License-Identifier: MIT */
#include "support_options.h"

static void set_field(unsigned char *options, const struct option_row *row) {
  int32_t i32 = (int32_t)row->integer;
  uint32_t u32 = (uint32_t)row->integer;
  uint64_t u64 = (uint64_t)row->integer;
  unsigned char *field = options + row->offset;
  switch (row->kind) {
    case OPTION_I64:
      memcpy(field, &row->integer, sizeof row->integer);
      break;
    case OPTION_U32:
      memcpy(field, &u32, sizeof u32);
      break;
    case OPTION_I32:
      memcpy(field, &i32, sizeof i32);
      break;
    case OPTION_U64:
      memcpy(field, &u64, sizeof u64);
      break;
    case OPTION_DOUBLE:
      memcpy(field, &row->real, sizeof row->real);
      break;
  }
}

void assert_refused(weir_status status, weir_status expected, weir_error **error,
                    const char *field) {
  weir_error *refusal = *error;
  if (status != expected && !under_oom()) print_error("%s: %s\n", field, weir_status_name(status));
  assert_int_equal(status, expected);
  assert_int_equal(weir_error_status(refusal), expected);
  *error = NULL;
  assert_message(refusal, field);
}

static void check_row(struct fixture *fx, const struct option_table *table,
                      const struct option_row *row) {
  _Alignas(16) unsigned char options[OPTIONS_BYTES] = {0};
  weir_error *error = NULL;
  table->fill(fx, options);
  set_field(options, row);
  weir_status status = table->create(fx, options, &error);
  if (status != (row->legal ? WEIR_OK : WEIR_EINVAL) && !under_oom()) {
    print_error("%s.%s = %lld (%g): %s '%s'\n", table->subject, row->field, (long long)row->integer,
                row->real, weir_status_name(status), weir_error_message(error));
  }
  if (row->legal) {
    assert_int_equal(status, WEIR_OK);
    assert_null(error);
    return;
  }
  assert_refused(status, WEIR_EINVAL, &error, row->field);
}

void check_option_values(struct fixture *fx, const struct option_table *table) {
  for (size_t i = 0; i < table->count; i++) check_row(fx, table, &table->rows[i]);
  for (size_t i = 0; i < table->count; i++) { /* the same without an error to fill */
    _Alignas(16) unsigned char options[OPTIONS_BYTES] = {0};
    table->fill(fx, options);
    set_field(options, &table->rows[i]);
    weir_status status = table->create(fx, options, NULL);
    assert_int_equal(status, table->rows[i].legal ? WEIR_OK : WEIR_EINVAL);
  }
}

/* Options whose size field says `size`. */
static weir_status create_sized(struct fixture *fx, const struct option_table *table, uint32_t size,
                                int tail, weir_error **error) {
  _Alignas(16) unsigned char options[OPTIONS_BYTES] = {0};
  table->fill(fx, options);
  memset(options + table->size, tail, sizeof options - table->size);
  if (size < table->size) memset(options + size, 0xEE, table->size - size); /* must not be read */
  memcpy(options, &size, sizeof size);
  return table->create(fx, options, error);
}

void check_option_sizes(struct fixture *fx, const struct option_table *table) {
  weir_error *error = NULL;
  uint32_t size = (uint32_t)table->size;
  if (table->null_names == NULL) {
    assert_int_equal(table->create(fx, NULL, NULL), WEIR_OK);
  } else {
    weir_status status = table->create(fx, NULL, &error);
    assert_refused(status, WEIR_EINVAL, &error, table->null_names);
  }
  static const uint32_t absurd[] = {0, 1, 4, 7, 1 << 20, UINT32_MAX};
  for (size_t i = 0; i < COUNT_OF(absurd); i++) {
    weir_status status = create_sized(fx, table, absurd[i], 0, &error);
    assert_refused(status, WEIR_EABI, &error, "size");
    assert_int_equal(create_sized(fx, table, absurd[i], 0, NULL), WEIR_EABI);
  }
  uint32_t least = table->least_size == 0 ? 8 : (uint32_t)table->least_size;
  for (uint32_t shorter = least; shorter < size; shorter += 8) {
    assert_int_equal(create_sized(fx, table, shorter, 0, NULL), WEIR_OK);
  }
  assert_int_equal(create_sized(fx, table, size, 0x77, NULL),
                   WEIR_OK); /* beyond the size: not read */
  assert_int_equal(create_sized(fx, table, size + 8, 0, NULL), WEIR_OK);
  assert_int_equal(create_sized(fx, table, size + 64, 0, NULL), WEIR_OK);
  weir_status status = create_sized(fx, table, size + 8, 0x77, &error);
  assert_refused(status, WEIR_EABI, &error, "does not know");
}

void check_option_init(void (*init)(void *options, size_t size), const void *defaults,
                       size_t known) {
  _Alignas(16) unsigned char bytes[OPTIONS_BYTES];
  const size_t size_field = sizeof(uint32_t);
  for (uint32_t size = 8; size <= known + 32; size += 8) {
    uint32_t written = 0;
    memset(bytes, 0x55, sizeof bytes);
    init(bytes, size);
    memcpy(&written, bytes, sizeof written);
    assert_int_equal(written, size);
    size_t meant = size < known ? size : known;
    assert_memory_equal(bytes + size_field, (const unsigned char *)defaults + size_field,
                        meant - size_field);
    for (size_t i = meant; i < size; i++) assert_int_equal(bytes[i], 0);
    for (size_t i = size; i < known + 64; i++) assert_int_equal(bytes[i], 0x55);
  }
  memset(bytes, 0x55, sizeof bytes);
  init(bytes, 0);
  assert_int_equal(bytes[0], 0x55); /* no room even for the size */
  init(NULL, known);
}
