// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>

#include "table.hpp"

namespace table {

const words classes{"none", "success", "failure", "refusal", "ignore", "abandon"};
const words stop_reasons{"none",    "attempts", "elapsed",    "budget",   "no_time",
                         "refused", "final",    "classified", "no_memory"};
const words cancel_reasons{"none", "caller",     "deadline", "timeout",
                           "lost", "superseded", "shutdown"};
const words channels{"none", "value", "error", "stopped"};
const words policy_kinds{"none",     "retry",  "breaker", "limiter",  "timeout",
                         "pipeline", "budget", "hedge",   "fallback", "chaos"};
const words rejection_reasons{"none",   "open",        "half_open",  "forced_open",   "ramp_up",
                              "rate",   "concurrency", "queue_full", "queue_timeout", "paused",
                              "weight", "keys",        "no_time",    "waiters",       "budget"};
const words breaker_states{"closed",      "open",          "half_open",
                           "forced_open", "forced_closed", "metrics_only"};
const words breaker_modes{"consecutive", "count_window", "time_window"};
const words backoffs{"constant", "linear", "exponential", "decorrelated", "decorrelated_v2"};
const words jitters{"none", "full", "equal", "proportional", "symmetric"};
const words algorithms{"token_bucket", "fixed_window", "sliding_window"};
const words queue_orders{"fifo", "priority"};
const words overflows{"deny", "evict"};
const words adaptives{"off", "aimd", "gradient"};
const words evictions{"adaptive", "s3_fifo", "lru"};
const words superseded{"cancel", "share"};
const words overlaps{"queue", "concurrent", "cancel"};
const words exits{"join", "cancel", "grace"};
const words chaos_kinds{"none", "latency", "failure", "outcome", "hang"};

namespace {

const std::array<std::pair<weir::status, const char *>, 23> statuses{{
    {weir::status::ok, "ok"},
    {weir::status::invalid, "invalid"},
    {weir::status::no_memory, "no_memory"},
    {weir::status::abi, "abi"},
    {weir::status::cancelled, "cancelled"},
    {weir::status::timed_out, "timed_out"},
    {weir::status::no_time, "no_time"},
    {weir::status::open, "open"},
    {weir::status::limited, "limited"},
    {weir::status::full, "full"},
    {weir::status::failed, "failed"},
    {weir::status::aggregate, "aggregate"},
    {weir::status::exhausted, "exhausted"},
    {weir::status::superseded, "superseded"},
    {weir::status::stale, "stale"},
    {weir::status::closed, "closed"},
    {weir::status::not_found, "not_found"},
    {weir::status::exists, "exists"},
    {weir::status::unsupported, "not_supported"},
    {weir::status::wrong_thread, "wrong_thread"},
    {weir::status::expired, "expired"},
    {weir::status::forked, "forked"},
    {weir::status::stop, "stop"},
}};

const std::array<std::pair<weir::domain, const char *>, 7> domains{{
    {weir::domain::weir, "weir"},
    {weir::domain::error_number, "errno"},
    {weir::domain::uv, "uv"},
    {weir::domain::http, "http"},
    {weir::domain::grpc, "grpc"},
    {weir::domain::curl, "curl"},
    {weir::domain::user, "user"},
}};

}  // namespace

std::uint32_t number_of(const words &list, const std::string &word) {
  auto found = std::find(list.begin(), list.end(), word);
  if (found == list.end()) throw wrong_table("there is no word '" + word + "'");
  return static_cast<std::uint32_t>(found - list.begin());
}

std::string status_word(weir::status status) {
  for (auto &[number, word] : statuses) {
    if (number == status) return word;
  }
  return "unknown";
}

weir::status status_of(const std::string &word) {
  for (auto &[number, text] : statuses) {
    if (text == word) return number;
  }
  throw wrong_table("there is no status '" + word + "'");
}

weir::domain domain_of(const json &error) {
  std::string word = error.value("domain", "user");
  for (auto &[number, text] : domains) {
    if (text == word) return number;
  }
  throw wrong_table("there is no domain '" + word + "'");
}

std::int64_t whole(const json &value) { return value.is_string() ? -1 : value.get<std::int64_t>(); }

void read(const json &def, const char *name, std::int64_t &field) {
  if (def.contains(name)) field = whole(def[name]);
}
void read(const json &def, const char *name, std::uint32_t &field) {
  if (def.contains(name)) field = static_cast<std::uint32_t>(whole(def[name]));
}
void read(const json &def, const char *name, std::uint64_t &field) {
  if (def.contains(name)) field = static_cast<std::uint64_t>(whole(def[name]));
}
void read(const json &def, const char *name, double &field) {
  if (def.contains(name)) field = def[name].get<double>();
}
void read(const json &def, const char *name, bool &field) {
  if (def.contains(name)) field = def[name].get<bool>();
}
void read(const json &def, const char *name, milliseconds &field) {
  if (def.contains(name)) field = milliseconds(whole(def[name]));
}
void read(const json &def, const char *name, std::string &field) {
  if (def.contains(name)) field = def[name].get<std::string>();
}
void read(const json &def, std::vector<weir::error_range> &failures) {
  if (!def.contains("failures")) return;
  for (const json &range : def["failures"]) {
    failures.push_back({domain_of(range), whole(range["code_min"]), whole(range["code_max"])});
  }
}

weir::value to_value(const json &from) {
  if (from.is_null()) return {};
  if (!from.is_array()) return weir::value::of(from);
  std::vector<weir::result<weir::value>> items;
  for (const json &item : from) items.push_back(to_value(item));
  return weir::value::of_list(items);
}

json to_json(const weir::value &from) {
  if (!from) return nullptr;
  if (const json *object = from.as<json>()) return *object;
  if (!from.is_list()) return std::string(from.bytes());
  json list = json::array();
  for (std::size_t i = 0; i < from.size(); ++i) {
    weir::result<weir::value> item = from.item(i);
    list.push_back(item ? to_json(*item) : describe(item.error()));
  }
  return list;
}

weir::error to_error(const json &from) {
  return weir::error(whole(from["code"]), from.value("message", ""), domain_of(from));
}

json to_json(const weir::error &from) {
  json made{{"code", from.code()}, {"message", from.message()}};
  for (auto &[number, word] : domains) {
    if (number == from.domain()) made["domain"] = word;
  }
  return made;
}

json describe(const weir::error &from) {
  return {{"index", from.index()},
          {"status", status_word(from.status())},
          {"error", to_json(from)},
          {"message", from.message()}};
}

}  // namespace table
