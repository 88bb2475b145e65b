/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TESTS_SCOPE_HELP_H
#define WEIR_TESTS_SCOPE_HELP_H

/* What the scope's test programs share. */

#include "support.h"

/* Asserts that it can be made. */
static inline weir_scope *make_scope(struct fixture *fx, const weir_scope_options *options) {
  weir_scope *scope = NULL;
  weir_error *error = NULL;
  weir_status status = weir_scope_new(fx->runtime, options, &scope, &error);
  weir_error_unref(error);
  assert_int_equal(status, WEIR_OK);
  return scope;
}

/* A run that joins the scope. */
static inline struct run *begin_in(struct fixture *fx, weir_scope *scope,
                                   weir_operation *operation) {
  weir_run_options options = WEIR_RUN_OPTIONS_INIT;
  options.scope = scope;
  return begin(fx, operation, &options);
}

/* A run that ends the scope. */
static inline struct run *begin_join(struct fixture *fx, weir_scope *scope) {
  weir_operation *join = NULL;
  weir_status status = weir_scope_join(scope, &join, NULL);
  assert_int_equal(status, WEIR_OK);
  struct run *run = begin(fx, join, NULL);
  weir_operation_unref(join);
  return run;
}

static inline weir_scope_stats stats_of(weir_scope *scope) {
  weir_scope_stats stats;
  memset(&stats, 0, sizeof(stats));
  stats.size = sizeof(stats);
  assert_int_equal(weir_scope_get_stats(scope, &stats), WEIR_OK);
  return stats;
}

#endif
