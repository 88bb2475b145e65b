/* SPDX-License-Identifier: MIT */
#ifndef WEIR_LOG_H
#define WEIR_LOG_H

/*
 * Logging is off until the runtime's options name a hook and a level. weir says
 * little (what it reports is in events, stats and the audit); users may log
 * through it too, so that both go the same way. Without a hook the lines still
 * reach the flight recorder, if there is one (weir/recorder.h).
 */

#include <weir/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  WEIR_LOG_OFF = 0,
  WEIR_LOG_ERROR = 1,
  WEIR_LOG_WARNING = 2,
  WEIR_LOG_INFO = 3,
  WEIR_LOG_DEBUG = 4
};

/* Gets one line: no newline at its end, valid during the call. Any thread, also
 * several at once. Must not call weir. */
typedef void (*weir_log_fn)(void *data, int32_t level, const char *subject,
                            const char *message);

/* Hands `message` to the runtime's hook, and to its flight recorder, if its
 * level lets `level` pass.
 * `subject` names the part that speaks; NULL means the runtime's name. Any
 * thread. */
WEIR_API void weir_log(weir_runtime *runtime, int32_t level,
                       const char *subject, const char *message);

#ifdef __cplusplus
}
#endif
#endif
