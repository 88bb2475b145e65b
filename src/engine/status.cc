// SPDX-License-Identifier: MIT
#include <weir/status.h>

namespace {

struct StatusText {
  weir_status status;
  const char *name;
  const char *message;
};

constexpr StatusText texts[] = {
    {WEIR_OK, "WEIR_OK", "success"},
    {WEIR_EINVAL, "WEIR_EINVAL", "an argument is not legal"},
    {WEIR_ENOMEM, "WEIR_ENOMEM", "out of memory"},
    {WEIR_EABI, "WEIR_EABI", "a struct's size is of another version"},
    {WEIR_ECANCELLED, "WEIR_ECANCELLED", "cancelled"},
    {WEIR_ETIMEDOUT, "WEIR_ETIMEDOUT", "timed out"},
    {WEIR_ENOTIME, "WEIR_ENOTIME", "not enough time is left"},
    {WEIR_EOPEN, "WEIR_EOPEN", "circuit breaker is open"},
    {WEIR_ELIMITED, "WEIR_ELIMITED", "limited"},
    {WEIR_EFULL, "WEIR_EFULL", "full"},
    {WEIR_EFAILED, "WEIR_EFAILED", "the operation failed"},
    {WEIR_EAGGREGATE, "WEIR_EAGGREGATE", "several operations failed"},
    {WEIR_EEXHAUSTED, "WEIR_EEXHAUSTED", "attempts exhausted"},
    {WEIR_ESUPERSEDED, "WEIR_ESUPERSEDED", "superseded by a later call"},
    {WEIR_ESTALE, "WEIR_ESTALE", "stale token or permit"},
    {WEIR_ECLOSED, "WEIR_ECLOSED", "closed"},
    {WEIR_ENOTFOUND, "WEIR_ENOTFOUND", "not found"},
    {WEIR_EEXISTS, "WEIR_EEXISTS", "exists already"},
    {WEIR_ENOTSUP, "WEIR_ENOTSUP", "not supported"},
    {WEIR_ETHREAD, "WEIR_ETHREAD", "called on the wrong thread"},
    {WEIR_EEXPIRED, "WEIR_EEXPIRED", "the permit's lease has run out"},
    {WEIR_EFORKED, "WEIR_EFORKED", "the runtime belongs to the parent process"},
    {WEIR_ESTOP, "WEIR_ESTOP", "no more attempts"},
};

constexpr bool in_order() {
  for (int i = 0; i < static_cast<int>(sizeof(texts) / sizeof(texts[0])); ++i) {
    if (texts[i].status != -i) return false;
  }
  return true;
}
static_assert(in_order(), "texts[i] must describe status -i");

const StatusText *find(weir_status status) {
  constexpr weir_status last = -static_cast<weir_status>(sizeof(texts) / sizeof(texts[0])) + 1;
  return status > 0 || status < last ? nullptr : &texts[-status];
}

}  // namespace

const char *weir_status_name(weir_status status) {
  const StatusText *text = find(status);
  return text == nullptr ? "WEIR_UNKNOWN" : text->name;
}

const char *weir_status_message(weir_status status) {
  const StatusText *text = find(status);
  return text == nullptr ? "unknown status" : text->message;
}
