// SPDX-License-Identifier: MIT
//
// Policies, operations, caches, flights and scopes from their definitions.
#include "table.hpp"

namespace table {
namespace {

weir::retry_options retry_options(world &world, const json &def) {
  weir::retry_options to;
  read(def, "backoff", backoffs, to.backoff);
  read(def, "max_attempts", to.max_attempts);
  read(def, "base_delay_ms", to.base_delay);
  read(def, "max_delay_ms", to.max_delay);
  read(def, "min_delay_ms", to.min_delay);
  read(def, "multiplier", to.multiplier);
  read(def, "jitter", jitters, to.jitter);
  read(def, "jitter_factor", to.jitter_factor);
  read(def, "retry_refusals", to.retry_refusals);
  read(def, "max_elapsed_ms", to.max_elapsed);
  read(def, "attempt_timeout_ms", to.attempt_timeout);
  read(def, to.failures);
  if (def.contains("budget")) to.budget = std::get<weir::budget>(world.policies[def["budget"]]);
  return to;
}

weir::budget_options budget_options(const json &def) {
  weir::budget_options to;
  read(def, "ratio", to.ratio);
  read(def, "min_per_second", to.min_per_second);
  read(def, "window_ms", to.window);
  return to;
}

weir::breaker_options breaker_options(const json &def) {
  weir::breaker_options to;
  read(def, "mode", breaker_modes, to.mode);
  read(def, "failure_threshold", to.failure_threshold);
  read(def, "window_size", to.window_size);
  read(def, "window_ms", to.window);
  read(def, "failure_rate", to.failure_rate);
  read(def, "min_calls", to.min_calls);
  read(def, "half_open_max_calls", to.half_open_max_calls);
  read(def, "half_open_success_threshold", to.half_open_success_threshold);
  read(def, "half_open_failures", to.half_open_failures);
  read(def, "slow_call_ms", to.slow_call);
  read(def, "slow_call_rate", to.slow_call_rate);
  read(def, "reset_timeout_ms", to.reset_timeout);
  read(def, "reset_multiplier", to.reset_multiplier);
  read(def, "max_reset_timeout_ms", to.max_reset_timeout);
  read(def, "trial_timeout_ms", to.trial_timeout);
  read(def, "ramp_up_ms", to.ramp_up);
  read(def, to.failures);
  return to;
}

weir::limiter_options limiter_options(const json &def) {
  weir::limiter_options to;
  read(def, "algorithm", algorithms, to.algorithm);
  read(def, "permits", to.permits);
  read(def, "interval_ms", to.interval);
  read(def, "burst", to.burst);
  read(def, "max_concurrent", to.max_concurrent);
  read(def, "max_queue", to.max_queue);
  read(def, "queue_timeout_ms", to.queue_timeout);
  read(def, "queue_order", queue_orders, to.queue_order);
  read(def, "key_overflow", overflows, to.key_overflow);
  read(def, "max_keys", to.max_keys);
  read(def, "adaptive", adaptives, to.adaptive);
  read(def, "early_release", to.early_release);
  read(def, "adaptive_min", to.adaptive_min);
  read(def, "adaptive_max", to.adaptive_max);
  read(def, "adaptive_latency_ms", to.adaptive_latency);
  read(def, "adaptive_backoff", to.adaptive_backoff);
  return to;
}

weir::timeout_options timeout_options(const json &def) {
  weir::timeout_options to;
  read(def, "timeout_ms", to.timeout);
  read(def, "message", to.message);
  return to;
}

weir::hedge_options hedge_options(world &world, const json &def) {
  weir::hedge_options to;
  read(def, "max_hedges", to.max_hedges);
  read(def, "delay_ms", to.delay);
  read(def, to.failures);
  if (def.contains("budget")) to.budget = std::get<weir::budget>(world.policies[def["budget"]]);
  return to;
}

weir::fallback_options fallback_options(const json &def) {
  weir::fallback_options to;
  read(def, to.failures);
  return to;
}

weir::chaos_options chaos_options(const json &def) {
  weir::chaos_options to;
  read(def, "enabled", to.enabled);
  read(def, "seed", to.seed);
  read(def, "failure_rate", to.failure_rate);
  read(def, "outcome_rate", to.outcome_rate);
  read(def, "hang_rate", to.hang_rate);
  read(def, "latency_rate", to.latency_rate);
  read(def, "latency_min_ms", to.latency_min);
  read(def, "latency_max_ms", to.latency_max);
  if (def.contains("failure")) to.failure = to_error(def["failure"]);
  if (def.contains("value")) to.outcome = to_value(def["value"]);
  for (const json &phase : def.value("phases", json::array())) {
    to.phases.push_back(
        {milliseconds(whole(phase["from_ms"])), milliseconds(whole(phase["until_ms"])),
         word<weir::chaos_kind>(chaos_kinds, phase["what"]), phase["rate"].get<double>()});
  }
  return to;
}

weir::limiter make_limiter(world &world, const json &def, weir::limiter_options options) {
  weir::limiter made{world.runtime, options};
  for (const json &limit : def.value("limits", json::array())) {
    auto algorithm = weir::limiter_algorithm::token_bucket;
    std::int64_t burst = WEIR_OFF;
    read(limit, "algorithm", algorithms, algorithm);
    read(limit, "burst", burst);
    made.add_limit(algorithm, whole(limit["permits"]), milliseconds(whole(limit["interval_ms"])),
                   burst)
        .value();
  }
  return made;
}

weir::fallback make_fallback(world &world, const json &def, weir::fallback_options options) {
  if (!def.contains("value")) {
    return {world.runtime,
            def.contains("operation") ? world.operation(def["operation"]) : any_operation(),
            options};
  }
  return weir::fallback::with_value(world.runtime, to_value(def["value"]), options);
}

template <class Options>
Options named(Options options, const std::string &name) {
  options.name = name;
  return options;
}

weir::parallel_options parallel_options(world &world, const json &def) {
  weir::parallel_options to;
  read(def, "concurrency", to.concurrency);
  read(def, "stop_on_error", to.stop_on_error);
  read(def, "item_timeout_ms", to.item_timeout);
  if (def.contains("policy")) to.policy = world.policy(def["policy"]);
  return to;
}

weir::scope_options scope_options(const json &def) {
  weir::scope_options to;
  read(def, "exit", exits, to.exit);
  read(def, "deadline_ms", to.deadline);
  read(def, "grace_ms", to.grace);
  return to;
}

std::vector<any_operation> listed(world &world, const json &def) {
  std::vector<any_operation> list;
  for (const json &name : def["operations"]) list.push_back(world.operation(name));
  return list;
}

template <class T, class Input>
any_operation plain(const weir::operation<T, Input> &typed) {
  return typed.template as<weir::value, weir::value>();
}

any_operation make_sleep(world &world, const json &def) {
  std::optional<weir::error> failure;
  if (def.contains("error")) failure = to_error(def["error"]);
  return plain(weir::sleep_as<weir::value>(world.runtime, milliseconds(whole(def["sleep_ms"])),
                                           status_of(def.value("status", "ok")),
                                           to_value(def.value("value", json())), failure));
}

any_operation make_race(world &world, const std::string &name, const json &def) {
  weir::race_options options;
  read(def, "first_settled", options.first_settled);
  for (const json &flag : def.value("decisive", json::array())) {
    options.decisive.push_back(flag.get<bool>());
  }
  return weir::race(world.runtime, listed(world, def), named(options, name));
}

any_operation make_poll(world &world, const std::string &name, const json &def) {
  weir::poll_options<weir::value> options;
  read(def, "interval_ms", options.interval);
  read(def, "max_attempts", options.max_attempts);
  read(def, "max_elapsed_ms", options.max_elapsed);
  return weir::poll(world.operation(def["operation"]), named(options, name));
}

any_operation make_memoize(world &world, const std::string &name, const json &def) {
  weir::memoize_options options;
  read(def, "max_entries", options.max_entries);
  read(def, "ttl_ms", options.ttl);
  read(def, "load_timeout_ms", options.load_timeout);
  auto once = world.operation(def["operation"]).as<json, json>();
  weir::memoize<json, json> made{world.runtime, once, named(options, name)};
  world.memoizes.emplace(name, made);
  return plain(made.operation_of());
}

template <class Options>
void read_pacing(world &world, const json &def, Options &to) {
  read(def, "leading", to.leading);
  read(def, "trailing", to.trailing);
  read(def, "superseded", superseded, to.superseded);
  read(def, "overlap", overlaps, to.overlap);
  if (def.contains("policy")) to.policy = world.policy(def["policy"]);
}

any_operation make_debounce(world &world, const std::string &name, const json &def) {
  weir::debounce_options options;
  read_pacing(world, def, options);
  read(def, "wait_ms", options.wait);
  read(def, "max_wait_ms", options.max_wait);
  weir::debounce made{world.runtime, world.operation(def["operation"]), named(options, name)};
  world.pacers[name] = made;
  return made.operation();
}

any_operation make_throttle(world &world, const std::string &name, const json &def) {
  weir::throttle_options options;
  read_pacing(world, def, options);
  read(def, "interval_ms", options.interval);
  weir::throttle made{world.runtime, world.operation(def["operation"]), named(options, name)};
  world.pacers[name] = made;
  return made.operation();
}

any_operation make_together(world &world, const std::string &name, const json &def) {
  std::string type = def["type"];
  auto list = listed(world, def);
  if (type == "any") return weir::any(world.runtime, list, name);
  if (type == "all") return plain(weir::all(world.runtime, list, name));
  if (type == "all_settled") return plain(weir::all_settled(world.runtime, list, name));
  if (type == "waterfall") return weir::waterfall(world.runtime, list, name);
  return plain(weir::parallel(world.runtime, list, named(parallel_options(world, def), name)));
}

any_operation make_parallel_each(world &world, const std::string &name, const json &def) {
  std::vector<weir::value> items;
  for (const json &item : def["items"]) items.push_back(to_value(item));
  return plain(weir::parallel_each(world.operation(def["operation"]), std::move(items),
                                   named(parallel_options(world, def), name)));
}

any_operation make_pool(world &world, const std::string &name, const json &def) {
  weir::pool<weir::value> made{world.runtime, named(parallel_options(world, def), name)};
  world.pools.emplace(name, made);
  return plain(made.operation());
}

any_operation make_with_scope(world &world, const std::string &name, const json &def) {
  std::string type = def["type"];
  if (type == "scope") {
    return weir::scoped(world.operation(def["operation"]), named(scope_options(def), name));
  }
  if (type == "join") return plain(world.scopes.at(def["scope"]).join_operation());
  return weir::resource(world.operation(def["open"]), world.operation(def["close"]),
                        def.value("key", ""));
}

}  // namespace

policy_kind world::make_policy(const std::string &name, const json &def) {
  std::string type = def["type"];
  if (type == "retry") return weir::retry(runtime, named(retry_options(*this, def), name));
  if (type == "budget") return weir::budget(runtime, named(budget_options(def), name));
  if (type == "breaker") return weir::breaker(runtime, named(breaker_options(def), name));
  if (type == "limiter") return make_limiter(*this, def, named(limiter_options(def), name));
  if (type == "timeout") return weir::timeout(runtime, named(timeout_options(def), name));
  if (type == "hedge") return weir::hedge(runtime, named(hedge_options(*this, def), name));
  if (type == "fallback") return make_fallback(*this, def, named(fallback_options(def), name));
  if (type == "chaos") return weir::chaos(runtime, named(chaos_options(def), name));
  if (type == "bulkhead") {
    return weir::bulkhead(runtime, whole(def["max_concurrent"]), whole(def["queue_limit"]), name);
  }
  if (type != "pipeline") throw wrong_table("there is no policy '" + type + "'");
  std::vector<weir::policy> list;
  for (const json &one : def["policies"]) list.push_back(policy(one));
  return weir::pipeline(runtime, list, name);
}

weir::result<void> world::set_options(const std::string &name, const json &def) {
  policy_kind &kind = policies.at(name);
  if (auto *it = std::get_if<weir::retry>(&kind)) {
    return it->set_options(retry_options(*this, def));
  }
  if (auto *it = std::get_if<weir::budget>(&kind)) return it->set_options(budget_options(def));
  if (auto *it = std::get_if<weir::breaker>(&kind)) return it->set_options(breaker_options(def));
  if (auto *it = std::get_if<weir::limiter>(&kind)) return it->set_options(limiter_options(def));
  if (auto *it = std::get_if<weir::timeout>(&kind)) return it->set_options(timeout_options(def));
  if (auto *it = std::get_if<weir::hedge>(&kind)) {
    return it->set_options(hedge_options(*this, def));
  }
  if (auto *it = std::get_if<weir::chaos>(&kind)) return it->set_options(chaos_options(def));
  if (auto *it = std::get_if<weir::fallback>(&kind)) {
    if (def.contains("value")) {
      return it->set_options_with_value(to_value(def["value"]), fallback_options(def));
    }
    return it->set_options(operation(def["operation"]), fallback_options(def));
  }
  throw wrong_table("'" + name + "' has no options to set");
}

any_operation world::make_operation(const std::string &name, const json &def) {
  static const std::map<std::string, any_operation (*)(world &, const std::string &, const json &)>
      makers{{"race", make_race},
             {"any", make_together},
             {"all", make_together},
             {"all_settled", make_together},
             {"waterfall", make_together},
             {"parallel", make_together},
             {"parallel_each", make_parallel_each},
             {"pool", make_pool},
             {"poll", make_poll},
             {"memoize", make_memoize},
             {"debounce", make_debounce},
             {"throttle", make_throttle},
             {"scope", make_with_scope},
             {"resource", make_with_scope},
             {"join", make_with_scope}};
  std::string type = def["type"];
  if (type == "leaf") return make_leaf(name, def);
  if (type == "sleep") return make_sleep(*this, def);
  if (type == "wrap") return operation(def["operation"]).with(policy(def["policy"]));
  if (type == "cache" || type == "cache_many") {
    auto load = operation(def["loader"]).as<json, std::string>();
    return plain(caches.at(def["cache"]).getting(load));
  }
  if (type == "flight") return flights[def["flight"]].operation(operation(def["operation"]));
  auto maker = makers.find(type);
  if (maker == makers.end()) throw wrong_table("there is no operation '" + type + "'");
  return maker->second(*this, name, def);
}

json_cache world::make_cache(const std::string &name, const json &def) {
  json_cache::options to;
  read(def, "eviction", evictions, to.eviction);
  read(def, "max_entries", to.max_entries);
  read(def, "ttl_ms", to.ttl);
  read(def, "idle_ms", to.idle);
  read(def, "load_timeout_ms", to.load_timeout);
  read(def, "refresh_ms", to.refresh);
  read(def, "stale_if_error_ms", to.stale_if_error);
  read(def, "negative_ttl_ms", to.negative_ttl);
  return json_cache(runtime, named(to, name));
}

// What is built is found; what is not yet, is built first.
weir::policy world::policy(const std::string &name) {
  if (policies.count(name) == 0) {
    policies[name] = make_policy(name, scenario.at("policies").at(name));
  }
  return std::visit(
      [&](auto &kind) -> weir::policy {
        if constexpr (std::is_base_of_v<weir::policy, std::decay_t<decltype(kind)>>) {
          return kind;
        } else {
          return {};
        }
      },
      policies[name]);
}

any_operation world::operation(const std::string &name) {
  if (operations.count(name) == 0) {
    any_operation made = make_operation(name, scenario.at("operations").at(name));
    operations[name] = made;
  }
  return operations[name];
}

// Caches, flights and scopes refer to nothing but each other, so they come first.
void world::build_all() {
  static const json none = json::object();
  auto section = [&](const char *name) -> const json & {
    return scenario.contains(name) ? scenario[name] : none;
  };
  for (auto &[name, def] : section("caches").items()) caches.emplace(name, make_cache(name, def));
  for (auto &[name, def] : section("flights").items()) {
    weir::flight_options options;
    read(def, "timeout_ms", options.timeout);
    flights[name] = weir::flight<>(runtime, named(options, name));
  }
  std::function<void(const std::string &)> make_scope = [&](const std::string &name) {
    if (scopes.count(name) != 0) return;
    const json &def = scenario["scopes"][name];
    weir::scope_options options = named(scope_options(def), name);
    if (def.contains("parent")) {
      make_scope(def["parent"]);
      options.parent = scopes.at(def["parent"]);
    }
    scopes.emplace(name, weir::scope(runtime, options));
  };
  for (auto &[name, def] : section("scopes").items()) make_scope(name);
  // A budget is named by its policy alone: those first.
  for (auto &[name, def] : section("policies").items()) {
    if (def["type"] == "budget") policy(name);
  }
  for (auto &[name, def] : section("policies").items()) policy(name);
  for (auto &[name, def] : section("operations").items()) operation(name);
}

}  // namespace table
