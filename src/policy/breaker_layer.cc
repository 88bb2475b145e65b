// SPDX-License-Identifier: MIT
//
// The breaker around a run: asks before, reports after.
//
//   signal   does                                                        answers
//   start    acquires; refused: the rejection becomes the result         inner; outer if refused
//   result   judges what came and reports it                             outer
//   stop     reports a failure if a timeout around it gave up, because   -
//            then it was too slow; otherwise gives the place back: the
//            caller's own deadline or cancel says nothing about it
//
// The permit is a verdict, not a place held while work goes on: it is reported when this layer
// judges, and what an orphan brings later is nobody's.

#include "base/text.hh"
#include "engine/error.hh"
#include "engine/run.hh"
#include "engine/runtime.hh"
#include "policy/breaker.hh"

namespace weir {
namespace {

struct BreakerLayer : Layer {
  weir_permit permit;
  int64_t begun_ns;
};

weir_breaker &breaker_of(const Layer &layer) { return *static_cast<weir_breaker *>(layer.owner); }

Moment breaker_turn(const weir_runtime &runtime) { return Moment::turn(runtime, runtime.now()); }

// Made once and before it is needed, so that refusing allocates nothing. Without memory the bare
// error of the status takes its place.
void make_refusal_error(weir_breaker &breaker) {
  char message[96];
  TextWriter text(message, sizeof(message));
  if (breaker.name()[0] == '\0') {
    text.print("circuit breaker is open");
  } else {
    text.print("circuit breaker '%s' is open", breaker.name());
  }
  breaker.refusal_error =
      make_error(breaker.heap(), WEIR_EOPEN, WEIR_DOMAIN_WEIR, WEIR_EOPEN, message);
}

Next refuse_run(weir_call &run, weir_breaker &breaker, const BreakerRefusal &refusal) {
  run.refuse(breaker_rejection(breaker, refusal), breaker.refusal_error);
  if (run.runtime().tells()) tell_refusal(run, breaker);
  return Next::outer;
}

Next start_breaker(weir_call &run, BreakerLayer &layer) {
  weir_breaker &breaker = breaker_of(layer);
  if (breaker.refusal_error == nullptr) make_refusal_error(breaker);
  layer.begun_ns = run.runtime().now();
  Moment moment = breaker_turn(run.runtime());
  BreakerRefusal refusal;
  weir_status status = breaker.core.acquire(layer.permit, refusal, moment);
  return status == WEIR_OK ? Next::inner : refuse_run(run, breaker, refusal);
}

void report_run(weir_call &run, BreakerLayer &layer, uint32_t class_) {
  Moment moment = breaker_turn(run.runtime());
  int64_t elapsed_ns = saturating_sub(run.runtime().now(), layer.begun_ns);
  breaker_of(layer).core.report_on_engine(layer.permit, class_, elapsed_ns, moment);
}

uint32_t class_of_run(weir_call &run, const Classifier *classifier) {
  const Result &result = run.result();
  // What most runs bring needs no look at the whole outcome.
  bool is_plain_value = result.channel == WEIR_CHANNEL_VALUE && result.class_ == WEIR_CLASS_NONE;
  if (classifier == nullptr) {
    return is_plain_value ? uint32_t{WEIR_CLASS_SUCCESS} : Classifier().judge(run.view());
  }
  uint32_t class_ = classifier->judge(run.view());
  run.runtime().user_ran();
  return class_;
}

Next judge_run(weir_call &run, BreakerLayer &layer) {
  report_run(run, layer, class_of_run(run, breaker_of(layer).classifier));
  return Next::outer;
}

Next step_breaker(weir_call &run, Layer &base, Signal signal) {
  BreakerLayer &layer = static_cast<BreakerLayer &>(base);
  switch (signal) {
    case Signal::start:
      return start_breaker(run, layer);
    case Signal::result:
      return judge_run(run, layer);
    case Signal::stop:
      report_run(
          run, layer,
          run.stop_reason() == WEIR_CANCEL_TIMEOUT ? WEIR_CLASS_FAILURE : WEIR_CLASS_ABANDON);
      return Next::wait;
    case Signal::timer:
    case Signal::wake:
      break;
  }
  return Next::wait;
}

}  // namespace

const LayerType breaker_layer = {
    "breaker", layer_size(sizeof(BreakerLayer)), step_breaker, nullptr, false, WEIR_POLICY_BREAKER};

}  // namespace weir
