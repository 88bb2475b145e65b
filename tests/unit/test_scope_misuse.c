/* SPDX-License-Identifier: MIT */
/* Scopes that are asked for what cannot be: C08. */

#include "scope_help.h"

static void C08_scopes_say_what_is_wrong(struct fixture *fx) {
  weir_scope *scope = NULL;
  weir_error *error = NULL;
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  assert_int_equal(weir_scope_new(NULL, NULL, &scope, &error), WEIR_EINVAL);
  assert_message(error, "scope.runtime");
  assert_int_equal(weir_scope_new(fx->runtime, NULL, NULL, &error), WEIR_EINVAL);
  assert_message(error, "scope.out");
  options.exit = 3;
  assert_int_equal(weir_scope_new(fx->runtime, &options, &scope, &error), WEIR_EINVAL);
  assert_message(error, "scope.exit");
  options.exit = WEIR_SCOPE_JOIN;
  options.deadline_ms = -2;
  assert_int_equal(weir_scope_new(fx->runtime, &options, &scope, &error), WEIR_EINVAL);
  assert_message(error, "scope.deadline_ms");
  options.deadline_ms = WEIR_FOREVER;
  options.grace_ms = -2;
  assert_int_equal(weir_scope_new(fx->runtime, &options, &scope, &error), WEIR_EINVAL);
  assert_message(error, "scope.grace_ms");
  options.size = 0;
  assert_int_equal(weir_scope_new(fx->runtime, &options, &scope, &error), WEIR_EABI);
  weir_error_unref(error);
  weir_operation *out = NULL;
  assert_int_equal(weir_scope_operation(NULL, NULL, &out, &error), WEIR_EINVAL);
  assert_message(error, "scope.body");
  assert_int_equal(weir_scope_join(NULL, &out, &error), WEIR_EINVAL);
  assert_message(error, "scope.scope");
  assert_int_equal(weir_scope_resource(NULL, NULL, NULL, &out, &error), WEIR_EINVAL);
  assert_message(error, "resource.open");
  assert_int_equal(weir_scope_cancel(NULL), WEIR_EINVAL);
  assert_int_equal(weir_scope_set_int64(NULL, "key", 1), WEIR_EINVAL);
  weir_scope_unref(NULL);
  weir_scope_log(NULL, WEIR_LOG_INFO, "nothing");
  assert_null(weir_scope_ref(NULL));
  assert_null(weir_scope_current(NULL));
}

static void C08_keys_and_parents_of_scopes_are_checked(struct fixture *fx) {
  weir_scope *scope = make_scope(fx, NULL);
  char longest[257];
  memset(longest, 'k', sizeof(longest));
  longest[256] = '\0';
  int64_t number = 0;
  assert_int_equal(weir_scope_set_int64(scope, "", 1), WEIR_EINVAL);
  assert_int_equal(weir_scope_set_int64(scope, NULL, 1), WEIR_EINVAL);
  assert_int_equal(weir_scope_set_int64(scope, longest, 1), WEIR_EINVAL);
  assert_int_equal(weir_scope_get_int64(scope, longest + 1, &number), WEIR_ENOTFOUND);
  assert_int_equal(weir_scope_get_int64(scope, "key", NULL), WEIR_EINVAL);
  assert_int_equal(weir_scope_set_value(scope, "key", NULL), WEIR_EINVAL);
  assert_int_equal(weir_scope_set_bytes(scope, "key", NULL, 1), WEIR_EINVAL);
  weir_status none_set = weir_scope_set_bytes(scope, "none", NULL, 0);
  assert_int_equal(none_set, WEIR_OK);
  size_t none_size = 7;
  assert_int_equal(weir_scope_get_bytes(scope, "none", NULL, 0, &none_size), WEIR_OK);
  assert_int_equal(none_size, 0);
  struct script *work = scripted(fx, "v1");
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  options.parent = scope;
  weir_operation *out = NULL;
  weir_error *error = NULL;
  assert_int_equal(weir_scope_operation(work->operation, &options, &out, &error), WEIR_EINVAL);
  assert_message(error, "scope.parent");
  assert_int_equal(weir_scope_resource(work->operation, work->operation, "", &out, &error),
                   WEIR_EINVAL);
  assert_message(error, "resource.key");
  weir_scope_unref(scope);
}

static void C08_scopes_nest_64_deep(struct fixture *fx) {
  weir_scope *scopes[65] = {NULL};
  weir_scope_options options = WEIR_SCOPE_OPTIONS_INIT;
  weir_error *error = NULL;
  weir_status status = WEIR_OK;
  size_t made = 0;
  for (; made < 64 && status == WEIR_OK; ++made) {
    status = weir_scope_new(fx->runtime, &options, &scopes[made], NULL);
    options.parent = scopes[made];
  }
  weir_status too_deep = weir_scope_new(fx->runtime, &options, &scopes[64], &error);
  for (size_t i = 0; i < 65; ++i) weir_scope_unref(scopes[i]);
  assert_int_equal(status, WEIR_OK);
  assert_int_equal(too_deep, WEIR_EINVAL);
  assert_message(error, "nest deeper than 64");
}

TEST_MAIN("scope misuse", TEST(C08_scopes_say_what_is_wrong),
          TEST(C08_keys_and_parents_of_scopes_are_checked), TEST(C08_scopes_nest_64_deep))
