// SPDX-License-Identifier: MIT
//
// The decide doors of breaker, limiter, retry and budget, and the numbers of everything.
#include "table.hpp"

namespace table {
namespace {

void expect_rejection(world &world, const json &step, const weir::rejection &why) {
  std::string reason = rejection_reasons.at(static_cast<std::uint32_t>(why.reason()));
  if (step.contains("reason") && step["reason"] != reason) {
    world.problem("the reason is " + reason + ", not " + step["reason"].get<std::string>());
  }
  world.expect_number(step, "retry_after_ms", why.numbers().retry_after_ms);
}

bool on_breaker(world &world, const json &step, const std::string &verb, weir::breaker &breaker) {
  std::string label = step.value("permit", "");
  if (verb == "acquire") {
    weir::rejection why;
    auto permit = breaker.acquire(why);
    world.expect_status(step, permit.status());
    expect_rejection(world, step, why);
    if (permit) world.permits[label] = permit.release();
  } else if (verb == "report") {
    world.expect_status(
        step,
        breaker.report(world.permits[label], word<weir::classification>(classes, step["class"]),
                       milliseconds(step.value("elapsed_ms", std::int64_t{0}))));
  } else if (verb == "state") {
    std::string state = breaker_states.at(static_cast<std::uint32_t>(breaker.state()));
    if (step["expect"] != state) world.problem("it is " + state);
  } else if (verb == "isolate") {
    world.expect_status(step, breaker.isolate());
  } else if (verb == "end_isolation") {
    world.expect_status(step, breaker.release());
  } else if (verb == "reset") {
    breaker.reset();
  } else if (verb == "force") {
    world.expect_status(step,
                        breaker.force(word<weir::breaker_state>(breaker_states, step["state"])));
  } else if (verb == "snapshot") {
    world.snapshots[step["snapshot"]] = breaker.snapshot();
  } else if (verb == "restore") {
    world.expect_status(step,
                        breaker.restore(world.snapshots[step["snapshot"]],
                                        milliseconds(step.value("elapsed_ms", std::int64_t{0}))));
  } else {
    return false;
  }
  return true;
}

void try_acquire(world &world, const json &step, weir::limiter &limiter) {
  std::uint32_t permits = step.value("permits", 1u);
  std::string label = step.value("permit", "");
  weir::rejection why;
  if (step.contains("key")) {
    auto permit = limiter.try_acquire_key(step["key"].get<std::string>(), permits, why);
    world.expect_status(step, permit.status());
    if (permit) world.permits[label] = permit.detach();
  } else {
    auto permit = limiter.try_acquire(permits, why);
    world.expect_status(step, permit.status());
    if (permit) world.permits[label] = permit.detach();
  }
  expect_rejection(world, step, why);
}

bool on_limiter(world &world, const json &step, const std::string &verb, weir::limiter &limiter) {
  std::string label = step.value("permit", "");
  std::uint32_t permits = step.value("permits", 1u);
  if (verb == "try_acquire") {
    try_acquire(world, step, limiter);
  } else if (verb == "release") {
    world.expect_status(
        step, step.contains("key")
                  ? limiter.release_key(step["key"].get<std::string>(), world.permits[label])
                  : limiter.release(world.permits[label]));
  } else if (verb == "available") {
    world.expect_number(step, "expect", limiter.available());
  } else if (verb == "drain") {
    world.expect_number(step, "expect", limiter.drain().value_or(-1));
  } else if (verb == "refund") {
    world.expect_status(step, limiter.refund(permits));
  } else if (verb == "reserve") {
    auto made = limiter.reserve(permits);
    world.expect_status(step, made ? weir::status::ok : made.error().status());
    if (!made) return true;
    world.reservations[label] = *made;
    world.expect_number(step, "wait_ms", std::chrono::ceil<milliseconds>(made->wait).count());
  } else if (verb == "cancel_reservation") {
    world.expect_status(step, limiter.cancel(world.reservations[label], permits));
  } else if (verb == "pause") {
    limiter.pause();
  } else if (verb == "resume") {
    limiter.resume();
  } else {
    return false;
  }
  return true;
}

bool on_budget(world &world, const json &step, const std::string &verb, weir::budget &budget) {
  if (verb == "deposit") {
    budget.deposit();
  } else if (verb == "withdraw") {
    bool had = budget.withdraw();
    world.expect_status(step, had ? weir::status::ok : weir::status::limited);
  } else if (verb == "give_back") {
    budget.refund();
  } else {
    return false;
  }
  return true;
}

bool on_retry(world &world, const json &step, const std::string &verb, weir::retry &retry) {
  if (verb == "begin_retry") {
    world.tries.insert_or_assign(step["state"], retry.begin());
    return true;
  }
  if (verb != "next_retry") return false;
  weir::retry::tries &tries = world.tries.at(step["state"]);
  std::optional<milliseconds> asked;
  if (step.contains("asked_delay_ms")) asked = milliseconds(whole(step["asked_delay_ms"]));
  auto delay =
      tries.next(word<weir::classification>(classes, step.value("class", "failure")), asked);
  world.expect_status(step, delay ? weir::status::ok : weir::status::stop);
  if (delay) {
    world.expect_number(step, "delay_ms", std::chrono::floor<milliseconds>(*delay).count());
  }
  std::string reason = stop_reasons.at(static_cast<std::uint32_t>(tries.stopped_by()));
  if (step.contains("stop_reason") && step["stop_reason"] != reason) {
    world.problem("the stop reason is " + reason);
  }
  return true;
}

#define NUMBER(name) made[#name] = stats.name

json numbers(const weir_retry_stats &stats) {
  json made;
  NUMBER(calls), NUMBER(retries), NUMBER(succeeded_first), NUMBER(succeeded_later);
  NUMBER(gave_up), NUMBER(refused_by_budget);
  return made;
}
json numbers(const weir_budget_stats &stats) {
  json made;
  NUMBER(deposits), NUMBER(withdrawn), NUMBER(refused), NUMBER(available);
  return made;
}
json numbers(const weir_breaker_stats &stats) {
  json made;
  NUMBER(state), NUMBER(calls), NUMBER(failures), NUMBER(slow_calls), NUMBER(succeeded);
  NUMBER(failed), NUMBER(slow), NUMBER(ignored), NUMBER(stale), NUMBER(rejected);
  NUMBER(times_opened);
  return made;
}
json numbers(const weir_limiter_stats &stats) {
  json made;
  NUMBER(paused), NUMBER(available), NUMBER(concurrent), NUMBER(limit), NUMBER(queued);
  NUMBER(granted), NUMBER(refused), NUMBER(timed_out), NUMBER(keys);
  return made;
}
json numbers(const weir_timeout_stats &stats) {
  json made;
  NUMBER(started), NUMBER(timed_out);
  return made;
}
json numbers(const weir_hedge_stats &stats) {
  json made;
  NUMBER(started), NUMBER(hedged), NUMBER(won_by_hedge), NUMBER(refused_by_budget);
  NUMBER(samples);
  return made;
}
json numbers(const weir_fallback_stats &stats) {
  json made;
  NUMBER(started), NUMBER(fell_back), NUMBER(failed);
  return made;
}
json numbers(const weir_chaos_stats &stats) {
  json made;
  NUMBER(enabled), NUMBER(drawn), NUMBER(delayed), NUMBER(failed), NUMBER(outcomes), NUMBER(hung);
  return made;
}
json numbers(const weir_cache_stats &stats) {
  json made;
  NUMBER(hits), NUMBER(misses), NUMBER(stale_hits), NUMBER(puts), NUMBER(loads);
  NUMBER(load_failures), NUMBER(refused), NUMBER(expired), NUMBER(evicted), NUMBER(replaced);
  NUMBER(invalidated), NUMBER(cleared), NUMBER(entries), NUMBER(weight), NUMBER(loading);
  return made;
}
json numbers(const weir_flight_stats &stats) {
  json made;
  NUMBER(calls), NUMBER(runs), NUMBER(shared), NUMBER(running), NUMBER(waiting);
  return made;
}
json numbers(const weir_scope_stats &stats) {
  json made;
  NUMBER(state), NUMBER(cancelled), NUMBER(resources), NUMBER(calls), NUMBER(leaked);
  return made;
}
json numbers(const weir_pacing_stats &stats) {
  json made;
  NUMBER(calls), NUMBER(runs), NUMBER(superseded), NUMBER(pending), NUMBER(running), NUMBER(keys);
  return made;
}
json numbers(const weir_pool_stats &stats) {
  json made;
  NUMBER(sealed), NUMBER(added), NUMBER(waiting), NUMBER(running), NUMBER(succeeded);
  NUMBER(failed);
  return made;
}

#undef NUMBER

// The numbers of whichever it is; those without any have none.
template <class Variant>
json numbers_of(Variant &which) {
  return std::visit(
      [](auto &it) -> json {
        using kind = std::decay_t<decltype(it)>;
        if constexpr (std::is_same_v<kind, std::monostate> ||
                      std::is_same_v<kind, weir::pipeline> || std::is_same_v<kind, weir::policy>) {
          return {};
        } else {
          return numbers(it.stats());
        }
      },
      which);
}

void expect_stats(world &world, const json &step) {
  json seen = world.stats_of(step["of"]);
  for (auto &[name, number] : step["expect"].items()) {
    if (!seen.contains(name) || seen[name] != number) {
      world.problem("of '" + step["of"].get<std::string>() + "' " + name + " is " +
                    seen.value(name, json()).dump() + ", not " + number.dump());
    }
  }
}

}  // namespace

json world::stats_of(const std::string &name) {
  if (auto it = policies.find(name); it != policies.end()) return numbers_of(it->second);
  if (auto it = pacers.find(name); it != pacers.end()) return numbers_of(it->second);
  if (auto it = caches.find(name); it != caches.end()) return numbers(it->second.stats());
  if (auto it = memoizes.find(name); it != memoizes.end()) {
    return numbers(it->second.cache().stats());
  }
  if (auto it = flights.find(name); it != flights.end()) return numbers(it->second.stats());
  if (auto it = scopes.find(name); it != scopes.end()) return numbers(it->second.stats());
  if (auto it = pools.find(name); it != pools.end()) return numbers(it->second.stats());
  throw wrong_table("'" + name + "' has no numbers");
}

bool world::decide(const json &step) {
  std::string verb = step["do"];
  if (verb == "stats") return expect_stats(*this, step), true;
  if (!step.contains("policy")) return false;
  std::string name = step["policy"];
  if (verb == "set_options") {
    expect_status(step, set_options(name, step["options"]));
    return true;
  }
  policy_kind &kind = policies.at(name);
  if (auto *it = std::get_if<weir::breaker>(&kind)) return on_breaker(*this, step, verb, *it);
  if (auto *it = std::get_if<weir::limiter>(&kind)) return on_limiter(*this, step, verb, *it);
  if (auto *it = std::get_if<weir::budget>(&kind)) return on_budget(*this, step, verb, *it);
  if (auto *it = std::get_if<weir::retry>(&kind)) return on_retry(*this, step, verb, *it);
  if (auto *it = std::get_if<weir::chaos>(&kind)) {
    it->enable(step.value("enabled", true));
    return verb == "enable";
  }
  return false;
}

}  // namespace table
