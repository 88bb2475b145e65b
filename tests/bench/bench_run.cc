// SPDX-License-Identifier: MIT
//
// Runs on the thread of an attached uv loop: the operation completes inline with a value of 16
// bytes made beforehand, each run has a settle callback and a call that could be cancelled. Three
// ways:
//
//   batch  64 runs are started, then the loop goes round until they have settled
//   chain  one run in flight at a time; the next is started by the settle callback
//   alone  one run for each round of the loop, so each pays for a round: compare the row `round`

#include <alloca.h>

#include "baseline.h"
#include "rig.h"

using bench::Baseline;
using bench::Rig;
using bench::Row;
using bench::Runs;

namespace {

weir_policy *no_policy(Rig &) { return nullptr; }

weir_policy *retry(Rig &rig) { return rig.retry(); }

weir_policy *breaker(Rig &rig) {
  weir_breaker_options options = WEIR_BREAKER_OPTIONS_INIT;
  return weir_breaker_policy(rig.breaker(options));
}

weir_policy *limiter(Rig &rig) {
  weir_limiter_options options = WEIR_LIMITER_OPTIONS_INIT;
  options.max_concurrent = 1000;
  return weir_limiter_policy(rig.limiter(options));
}

// Switched off.
weir_policy *chaos(Rig &rig) {
  weir_chaos_options options = WEIR_CHAOS_OPTIONS_INIT;
  options.enabled = 0;
  return rig.chaos(options);
}

weir_policy *three(Rig &rig) {
  return rig.pipeline({rig.timeout(10'000), rig.retry(), breaker(rig)});
}

// The order that is usual for calls of a service.
weir_policy *five(Rig &rig) {
  return rig.pipeline(
      {limiter(rig), rig.timeout(30'000), rig.retry(), breaker(rig), rig.timeout(10'000)});
}

// Of a tenth of a second, and of a few milliseconds, for which a coarse clock does not do.
weir_policy *hedge(Rig &rig) { return rig.hedge(100, WEIR_OFF); }
weir_policy *hedge_soon(Rig &rig) { return rig.hedge(10, WEIR_OFF); }
weir_policy *hedge_measuring(Rig &rig) { return rig.hedge(100, 0.95); }

weir_policy *fallback(Rig &rig) { return rig.fallback(); }

using MakePolicy = weir_policy *(*)(Rig &);

// Where the stack happens to lie changes a run by up to a seventh: so each repetition is told to
// use another place, this many bytes further down.
size_t next_place() {
  static size_t calls = 0;
  return (calls++ * 272) % 4096 + 16;
}

void batch(benchmark::State &state, MakePolicy policy) {
  benchmark::DoNotOptimize(alloca(next_place()));
  Rig rig;
  Runs runs(rig, rig.inline_operation(), policy(rig));
  auto size = static_cast<size_t>(state.range(0));
  runs.batch(size);
  Row row(state, Baseline::malloc_free);
  while (state.KeepRunningBatch(state.range(0))) runs.batch(size);
}

void chain(benchmark::State &state, MakePolicy policy) {
  benchmark::DoNotOptimize(alloca(next_place()));
  constexpr size_t length = 512;
  Rig rig;
  Runs runs(rig, rig.inline_operation(), policy(rig));
  runs.chain(length);
  Row row(state, Baseline::malloc_free);
  while (state.KeepRunningBatch(length)) runs.chain(length);
}

void alone(benchmark::State &state, MakePolicy policy) {
  Rig rig;
  Runs runs(rig, rig.inline_operation(), policy(rig));
  runs.batch(1);
  Row row(state, Baseline::malloc_free);
  for (auto _ : state) runs.batch(1);
}

// A round of a loop that has nothing to do but to call an idle handle.
void round_of_loop(benchmark::State &state) {
  uv_loop_t loop;
  uv_idle_t idle;
  uv_loop_init(&loop);
  uv_idle_init(&loop, &idle);
  uv_idle_start(&idle, [](uv_idle_t *) {});
  {
    Row row(state, Baseline::malloc_free);
    for (auto _ : state) uv_run(&loop, UV_RUN_NOWAIT);
  }
  uv_close(reinterpret_cast<uv_handle_t *>(&idle), nullptr);
  uv_run(&loop, UV_RUN_DEFAULT);
  uv_loop_close(&loop);
}

BENCHMARK_CAPTURE(batch, none, no_policy)->Arg(64)->Apply(bench::row);
BENCHMARK_CAPTURE(batch, retry, retry)->Arg(64)->Arg(1024)->Apply(bench::row);
BENCHMARK_CAPTURE(batch, chaos_off, chaos)->Arg(64)->Apply(bench::row);
BENCHMARK_CAPTURE(batch, timeout_retry_breaker, three)->Arg(64)->Arg(1024)->Apply(bench::row);
BENCHMARK_CAPTURE(batch, five, five)->Arg(64)->Arg(1000)->Apply(bench::row);
BENCHMARK_CAPTURE(batch, hedge, hedge)->Arg(64)->Apply(bench::row);
BENCHMARK_CAPTURE(batch, hedge_soon, hedge_soon)->Arg(64)->Apply(bench::row);
BENCHMARK_CAPTURE(batch, hedge_measuring, hedge_measuring)->Arg(64)->Apply(bench::row);
BENCHMARK_CAPTURE(batch, fallback, fallback)->Arg(64)->Apply(bench::row);
BENCHMARK_CAPTURE(chain, none, no_policy)->Apply(bench::row);
BENCHMARK_CAPTURE(chain, retry, retry)->Apply(bench::row);
BENCHMARK_CAPTURE(chain, timeout_retry_breaker, three)->Apply(bench::row);
BENCHMARK_CAPTURE(chain, five, five)->Apply(bench::row);
BENCHMARK_CAPTURE(alone, retry, retry)->Apply(bench::row);
BENCHMARK_CAPTURE(alone, five, five)->Apply(bench::row);
BENCHMARK(round_of_loop)->Apply(bench::row);

}  // namespace
