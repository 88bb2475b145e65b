/* SPDX-License-Identifier: MIT */
/* The decide door as C calls it. */
#include <weir/breaker.h>

uint64_t bench_breaker(weir_breaker *breaker, uint64_t rounds) {
  uint64_t passed = 0;
  for (uint64_t round = 0; round < rounds; round++) {
    weir_permit permit;
    if (weir_breaker_acquire(breaker, &permit, NULL) != WEIR_OK) continue;
    passed += weir_breaker_report(breaker, permit, WEIR_CLASS_SUCCESS, 0) == WEIR_OK;
  }
  return passed;
}
