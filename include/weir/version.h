/* SPDX-License-Identifier: MIT */
#ifndef WEIR_VERSION_H
#define WEIR_VERSION_H

/*
 * The version of the headers (macros) and of the library in use (functions).
 */

#include <weir/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_VERSION_MAJOR 0
#define WEIR_VERSION_MINOR 1
#define WEIR_VERSION_PATCH 0
/* major × 10000 + minor × 100 + patch, comparable as a number. */
#define WEIR_VERSION_NUMBER \
  (WEIR_VERSION_MAJOR * 10000 + WEIR_VERSION_MINOR * 100 + WEIR_VERSION_PATCH)

/* WEIR_VERSION_NUMBER of the library that answers. Any thread. */
WEIR_API uint32_t weir_version(void);

/* "0.1.0". Static text. Any thread. */
WEIR_API const char *weir_version_string(void);

#ifdef __cplusplus
}
#endif
#endif
