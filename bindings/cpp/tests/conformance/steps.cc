// SPDX-License-Identifier: MIT
//
// The steps of a script that start, stop and end things, and the cache's; those of the decide doors
// are in decide.cc.
#include "table.hpp"

namespace table {

void world::expect_status(const json &step, weir::status status) {
  std::string expected = step.value("expect", "ok");
  if (expected != status_word(status)) {
    problem(step["do"].get<std::string>() + " answers " + status_word(status) + ", not " +
            expected);
  }
}

void world::expect_status(const json &step, const weir::result<void> &result) {
  expect_status(step, result ? weir::status::ok : result.error().status());
}

void world::expect_number(const json &step, const char *name, std::int64_t number) {
  if (step.contains(name) && whole(step[name]) != number) {
    problem(step["do"].get<std::string>() + ": " + name + " is " + std::to_string(number));
  }
}

namespace {

std::optional<std::string> key_of(const json &step) {
  if (!step.contains("key")) return std::nullopt;
  return step["key"].get<std::string>();
}

// A run of many keys: its results become a list, as those of other runs are.
weir::call_base run_many(world &world, const json &step) {
  const json &def = world.scenario["operations"][step["operation"].get<std::string>()];
  auto load = world.operation(def["loader"])
                  .as<std::vector<weir::result<json>>, std::vector<std::string>>();
  std::vector<std::string> keys = step["keys"];
  return world.caches.at(def["cache"])
      .get_many(
          keys, load,
          [&world, label = step["run"].get<std::string>()](
              weir::result<std::vector<weir::result<json>>> result, const weir::outcome &outcome) {
            json list = json::array();
            if (result) {
              for (auto &item : *result) {
                if (item) {
                  list.push_back(*item);
                } else {
                  list.push_back(describe(item.error()));
                }
              }
            }
            world.record(label, outcome, list);
          });
}

void step_run(world &world, const json &step) {
  std::string label = step["run"];
  if (step.contains("keys")) {
    world.calls[label] = run_many(world, step);
  } else {
    weir::run_options options;
    auto key = key_of(step);
    if (key) options.key = *key;
    if (step.contains("policy")) options.policy = world.policy(step["policy"]);
    if (step.contains("scope")) options.scope = world.scopes.at(step["scope"]);
    read(step, "deadline_ms", options.deadline);
    read(step, "permits", options.permits);
    read(step, "priority", options.priority);
    options.name = label;
    world.calls[label] =
        world.operation(step["operation"])
            .run(to_value(step.value("input", json())), options, world.recorder(label));
  }
  const weir::call_base &call = world.calls[label];
  world.expect_status(step, call.started() ? weir::status::ok : call.start_error().status());
}

void step_in_flight(world &world, const json &step) {
  auto stats = world.runtime.stats();
  if (static_cast<std::int64_t>(stats.live_calls) != step.value("calls", 0) ||
      static_cast<std::int64_t>(stats.orphans) != step.value("orphans", 0)) {
    world.problem("in flight are " + std::to_string(stats.live_calls) + " calls and " +
                  std::to_string(stats.orphans) + " orphans");
  }
}

void step_pacer(world &world, const json &step, const std::string &verb) {
  auto key = key_of(step);
  std::optional<std::string_view> view;
  if (key) view = *key;
  std::visit(
      [&](auto &it) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(it)>, std::monostate>) {
          if (verb == "flush") it.flush(view);
          if (verb == "cancel_pacer") it.cancel(view);
          if (verb == "pending") {
            world.expect_number(step, "expect", static_cast<std::int64_t>(it.pending()));
          }
        }
      },
      world.pacers.at(step["operation"]));
}

void step_pool(world &world, const json &step, const std::string &verb) {
  auto &pool = world.pools.at(step["pool"]);
  if (verb == "seal") {
    world.expect_status(step, pool.seal());
  } else {
    world.expect_status(
        step, pool.add(world.operation(step["operation"]), to_value(step.value("input", json()))));
  }
}

void step_scope(world &world, const json &step, const std::string &verb) {
  weir::scope &scope = world.scopes.at(step["scope"]);
  std::string key = step.value("key", "");
  json value = step.value("value", json());
  if (verb == "cancel_scope") {
    scope.cancel();
  } else if (verb == "set_value") {
    world.expect_status(step, value.is_string() ? scope.set_bytes(key, value.get<std::string>())
                                                : scope.set_number(key, whole(value)));
  } else if (value.is_string()) {
    auto bytes = scope.bytes(key);
    world.expect_status(step, bytes ? weir::status::ok : bytes.error().status());
    if (bytes && *bytes != value.get<std::string>()) world.problem("'" + key + "' is " + *bytes);
  } else {
    auto number = scope.number(key);
    world.expect_status(step, number ? weir::status::ok : number.error().status());
    if (number && value.is_number() && *number != whole(value)) {
      world.problem("'" + key + "' is " + std::to_string(*number));
    }
  }
}

void step_find(world &world, const json &step) {
  auto found = weir::registry(world.runtime).find(step["name"].get<std::string>());
  world.expect_status(step, found ? weir::status::ok : found.error().status());
  if (!found) return;
  auto number = static_cast<std::uint32_t>(found->kind());
  if (step.contains("kind") && policy_kinds.at(number) != step["kind"]) {
    world.problem("what was found is a " + policy_kinds.at(number));
  }
  if (!step.contains("as")) return;
  policy_kind &kept = world.policies[step["as"]];
  switch (found->kind()) {
    case weir::policy_kind::retry:
      kept = weir::retry::from(*found);
      break;
    case weir::policy_kind::breaker:
      kept = weir::breaker::from(*found);
      break;
    case weir::policy_kind::limiter:
      kept = weir::limiter::from(*found);
      break;
    case weir::policy_kind::timeout:
      kept = weir::timeout::from(*found);
      break;
    case weir::policy_kind::pipeline:
      kept = weir::pipeline::from(*found);
      break;
    case weir::policy_kind::chaos:
      kept = weir::chaos::from(*found);
      break;
    default:
      kept = *found;
  }
}

void step_create(world &world, const json &step) {
  weir::status status = weir::status::ok;
  std::string message;
  try {
    if (step.contains("policy")) world.make_policy("created", step["policy"]);
    if (step.contains("operation")) world.make_operation("created", step["operation"]);
    if (step.contains("cache")) world.make_cache("created", step["cache"]);
  } catch (const weir::exception &refused) {
    status = refused.status();
    message = refused.what();
  }
  world.expect_status(step, status);
  if (message.find(step.value("message", "")) == std::string::npos) {
    world.problem("the message is '" + message + "'");
  }
}

// The cache of a name, or that of a memoize.
template <class F>
void with_cache(world &world, const std::string &name, F each) {
  auto found = world.caches.find(name);
  if (found != world.caches.end()) {
    each(found->second);
  } else {
    each(world.memoizes.at(name).cache());
  }
}

void expect_value(world &world, const json &step, const char *name, const weir::shared<json> &got) {
  json seen = got ? *got : json();
  if (step.contains(name) && step[name] != seen) world.problem("the value is " + seen.dump());
}

bool step_cache(world &world, const json &step, const std::string &verb) {
  if (verb == "clear") {
    with_cache(world, step["cache"], [](auto &&cache) { cache.clear(); });
    return true;
  }
  auto found = world.caches.find(step.value("cache", ""));
  if (found == world.caches.end()) return false;
  json_cache &cache = found->second;
  std::string key = step.value("key", "");
  json value = step.value("value", json());
  if (verb == "lookup") {
    auto hit = cache.lookup(key);
    world.expect_status(step, hit ? weir::status::ok : weir::status::not_found);
    expect_value(world, step, "value", hit);
  } else if (verb == "put") {
    world.expect_status(step, step.contains("ttl_ms")
                                  ? cache.put(key, value, milliseconds(whole(step["ttl_ms"])))
                                  : cache.put(key, value));
  } else if (verb == "put_if_absent") {
    auto existing = cache.put_if_absent(key, value);
    world.expect_status(step, !existing   ? existing.error().status()
                              : *existing ? weir::status::exists
                                          : weir::status::ok);
    if (existing) expect_value(world, step, "existing", *existing);
  } else if (verb == "invalidate") {
    bool had = cache.invalidate(key);
    world.expect_status(step, had ? weir::status::ok : weir::status::not_found);
  } else if (verb == "touch") {
    milliseconds ttl = weir::forever;
    read(step, "ttl_ms", ttl);
    bool had = cache.touch(key, ttl);
    world.expect_status(step, had ? weir::status::ok : weir::status::not_found);
  } else {
    return false;
  }
  return true;
}

}  // namespace

void world::step(const json &step) {
  std::string verb = step["do"];
  if (verb == "run") return step_run(*this, step);
  if (verb == "cancel") return (void)calls.at(step["run"]).cancel();
  if (verb == "close") return runtime.close();
  if (verb == "in_flight") return step_in_flight(*this, step);
  if (verb == "create") return step_create(*this, step);
  if (verb == "find") return step_find(*this, step);
  if (verb == "flush" || verb == "cancel_pacer" || verb == "pending") {
    return step_pacer(*this, step, verb);
  }
  if (verb == "add" || verb == "seal") return step_pool(*this, step, verb);
  if (verb == "cancel_scope" || verb == "set_value" || verb == "get_value") {
    return step_scope(*this, step, verb);
  }
  if (verb == "register") {
    return expect_status(step, weir::registry(runtime).add(policy(step["policy"])));
  }
  if (verb == "unregister") {
    return expect_status(step, weir::registry(runtime).remove(policy(step["policy"])));
  }
  if (verb == "forget") return flights.at(step["flight"]).forget(step["key"].get<std::string>());
  if (!decide(step) && !step_cache(*this, step, verb)) {
    throw wrong_table("there is no step '" + verb + "'");
  }
}

}  // namespace table
