// SPDX-License-Identifier: MIT
#include <weir/status.h>

namespace {

// Name and message of status 0, of -1, and so on. As one text and not as a table of pointers, which
// the loader would have to relocate each time; they cost more than all their words.
constexpr char texts[] =
    "WEIR_OK\0success\0"
    "WEIR_EINVAL\0an argument is not legal\0"
    "WEIR_ENOMEM\0out of memory\0"
    "WEIR_EABI\0a struct's size is of another version\0"
    "WEIR_ECANCELLED\0cancelled\0"
    "WEIR_ETIMEDOUT\0timed out\0"
    "WEIR_ENOTIME\0not enough time is left\0"
    "WEIR_EOPEN\0circuit breaker is open\0"
    "WEIR_ELIMITED\0limited\0"
    "WEIR_EFULL\0full\0"
    "WEIR_EFAILED\0the operation failed\0"
    "WEIR_EAGGREGATE\0several operations failed\0"
    "WEIR_EEXHAUSTED\0attempts exhausted\0"
    "WEIR_ESUPERSEDED\0superseded by a later call\0"
    "WEIR_ESTALE\0stale token or permit\0"
    "WEIR_ECLOSED\0closed\0"
    "WEIR_ENOTFOUND\0not found\0"
    "WEIR_EEXISTS\0exists already\0"
    "WEIR_ENOTSUP\0not supported\0"
    "WEIR_ETHREAD\0called on the wrong thread\0"
    "WEIR_EEXPIRED\0the permit's lease has run out\0"
    "WEIR_EFORKED\0the runtime belongs to the parent process\0"
    "WEIR_ESTOP\0no more attempts\0";

constexpr const char *after(const char *text) {
  while (*text != '\0') ++text;
  return text + 1;
}

// The text at `index`; NULL if there is none.
constexpr const char *text_at(int index) {
  const char *text = texts;
  for (; index > 0 && *text != '\0'; --index) text = after(text);
  return *text == '\0' ? nullptr : text;
}

constexpr bool names(weir_status status, const char *name) {
  const char *text = text_at(-2 * status);
  for (; *text != '\0' && *text == *name; ++name) ++text;
  return *text == *name;
}

static_assert(names(WEIR_ESTOP, "WEIR_ESTOP"), "the texts are those of status 0, -1 ...");

// Where a status begins among the texts; past their end for one that there is not.
constexpr int index_of(weir_status status) {
  constexpr weir_status last = -1024;
  return status > 0 || status < last ? -2 * last : -2 * status;
}

}  // namespace

[[gnu::cold]] const char *weir_status_name(weir_status status) {
  const char *name = text_at(index_of(status));
  return name == nullptr ? "WEIR_UNKNOWN" : name;
}

[[gnu::cold]] const char *weir_status_message(weir_status status) {
  const char *message = text_at(index_of(status) + 1);
  return message == nullptr ? "unknown status" : message;
}
