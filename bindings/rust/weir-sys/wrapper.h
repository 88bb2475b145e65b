/* SPDX-License-Identifier: MIT */
/* What src/bindings.rs is made from. */
#include <weir/weir.h>
/* Stands apart, because <weir/weir.h> leaves it to tests. */
#include <weir/testing.h>
