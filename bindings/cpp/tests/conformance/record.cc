// SPDX-License-Identifier: MIT
//
// What was seen, in the table's own form, and whether it is what was expected: an expected tree is
// contained in the seen one.
#include "table.hpp"

namespace table {
namespace {

json number_or_off(std::optional<milliseconds> time) {
  return time ? json(time->count()) : json("off");
}

void add_error(json &made, const weir::error &error) {
  made["causes"] = json::array();
  if (error.get() == nullptr) return;
  made["error"] = to_json(error);
  made["message"] = error.message();
  for (const weir::error &cause : error.causes()) {
    if (weir_error_count(error.get()) == 0) {
      made["cause"] = describe(cause);
    } else {
      made["causes"].push_back(describe(cause));
    }
  }
}

void add_rejection(json &made, const weir::outcome &outcome) {
  auto rejection = outcome.rejection();
  if (!rejection) return;
  made["rejection"] = {
      {"policy", policy_kinds.at(static_cast<std::uint32_t>(rejection->policy()))},
      {"name", rejection->name()},
      {"reason", rejection_reasons.at(static_cast<std::uint32_t>(rejection->reason()))}};
}

bool contains(const json &expected, const json &seen) {
  if (expected.is_object()) {
    if (!seen.is_object()) return false;
    // A user's error is of the user's domain unless it says otherwise.
    if (expected.contains("code") && expected.value("domain", "user") != seen.value("domain", "")) {
      return false;
    }
    for (auto &[name, field] : expected.items()) {
      if (!seen.contains(name) || !contains(field, seen[name])) return false;
    }
    return true;
  }
  if (!expected.is_array()) return expected == seen;
  if (!seen.is_array() || expected.size() != seen.size()) return false;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!contains(expected[i], seen[i])) return false;
  }
  return true;
}

// Whether all of `expected` are in `seen`, in its order, or with `any_order` in any order within an
// event; those that are seen have their place as `event` and, if `inside` says so, their value
// there.
bool agree(const json &expected, const json &seen, bool any_order, const char *inside) {
  if (expected.size() != seen.size()) return false;
  std::vector<bool> taken(seen.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    bool found = false;
    for (std::size_t j = any_order ? 0 : i; j < seen.size() && !found; ++j) {
      if (!any_order && j != i) break;
      if (taken[j] || seen[j]["event"] != seen[i]["event"]) continue;
      found = contains(expected[i], inside == nullptr ? seen[j] : seen[j][inside]);
      if (found) taken[j] = true;
    }
    if (!found) return false;
  }
  return true;
}

}  // namespace

void world::record(const std::string &label, const weir::outcome &outcome, const json &value) {
  json made{
      {"run", label},
      {"event", event},
      {"at_ms", now_ms()},
      {"status", status_word(outcome.status())},
      {"channel", channels.at(static_cast<std::uint32_t>(outcome.channel()))},
      {"value", value},
      {"attempts", outcome.attempts()},
      {"stop_reason", stop_reasons.at(static_cast<std::uint32_t>(outcome.stop_reason()))},
      {"cancel_reason", cancel_reasons.at(static_cast<std::uint32_t>(outcome.cancel_reason()))},
      {"retry_after_ms", number_or_off(outcome.retry_after())},
      {"final", outcome.is_final()},
      {"statuses", json::array()}};
  for (weir::status status : outcome.statuses()) made["statuses"].push_back(status_word(status));
  add_error(made, outcome.error());
  add_rejection(made, outcome);
  settled.push_back(std::move(made));
}

std::function<void(weir::result<weir::value>, const weir::outcome &)> world::recorder(
    const std::string &label) {
  return [this, label](weir::result<weir::value> result, const weir::outcome &outcome) {
    // A value that was judged a failure comes beside the status exhausted.
    weir::value value(weir::detail::value_handle::share(outcome.get().value));
    record(label, outcome, to_json(result ? *result : value));
  };
}

void world::compare() {
  bool any_order = scenario.value("any_order", false);
  const json &expected = scenario["expect"];
  if (!agree(expected, settled, any_order, nullptr)) {
    problem("expected " + expected.dump() + "\n    but saw " + settled.dump());
  }
  auto of_leaves = [&](const char *what, json leaf::*notes) {
    if (!scenario.contains(what)) return;
    for (auto &[name, wanted] : scenario[what].items()) {
      auto found = leaves.find(name);
      json seen = found == leaves.end() ? json::array() : (*found->second).*notes;
      if (agree(wanted, seen, any_order, "value")) continue;
      problem(std::string(what) + " of '" + name + "': expected " + wanted.dump() + ", saw " +
              seen.dump());
    }
  };
  of_leaves("starts", &leaf::starts);
  of_leaves("inputs", &leaf::inputs);
  of_leaves("stops", &leaf::stops);
}

}  // namespace table
