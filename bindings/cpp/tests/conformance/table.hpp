// SPDX-License-Identifier: MIT
//
// The conformance table (tests/conformance/schema.json) in C++: its words, its values, and the
// world in which one scenario is played. A JSON value is an object inside a weir::value, a list a
// list of such; all operations are operation<weir::value, weir::value>.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <variant>
#include <vector>

#include "weir/testing.hpp"
#include "weir/weir.hpp"

using json = nlohmann::ordered_json;

// A key that is any JSON value, as memoize has them.
template <>
struct weir::key_traits<json> {
  static std::string bytes(const json &key) { return key.dump(); }
  static json read(std::string_view bytes) { return json::parse(bytes); }
};

namespace table {

using weir::milliseconds;
using any_operation = weir::operation<weir::value, weir::value>;

// The table, or the runner, is wrong: not what a scenario is about.
struct wrong_table : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// ---- words: the constants in lower case, in the order of their numbers ----

using words = std::vector<std::string>;
extern const words classes, stop_reasons, cancel_reasons, channels, policy_kinds, rejection_reasons,
    breaker_states, breaker_modes, backoffs, jitters, algorithms, queue_orders, overflows,
    adaptives, evictions, superseded, overlaps, exits, chaos_kinds;

std::uint32_t number_of(const words &list, const std::string &word);
template <class E>
E word(const words &list, const std::string &text) {
  return static_cast<E>(number_of(list, text));
}
std::string status_word(weir::status status);
weir::status status_of(const std::string &word);
weir::domain domain_of(const json &error);

// ---- fields: absent ones leave what is there ----

std::int64_t whole(const json &value);  // also "forever", "unlimited", "off"
void read(const json &def, const char *name, std::int64_t &field);
void read(const json &def, const char *name, std::uint32_t &field);
void read(const json &def, const char *name, std::uint64_t &field);
void read(const json &def, const char *name, double &field);
void read(const json &def, const char *name, bool &field);
void read(const json &def, const char *name, milliseconds &field);
void read(const json &def, const char *name, std::string &field);
void read(const json &def, std::vector<weir::error_range> &failures);
template <class E>
void read(const json &def, const char *name, const words &list, E &field) {
  if (def.contains(name)) field = word<E>(list, def[name]);
}

// ---- values and errors ----

weir::value to_value(const json &from);
json to_json(const weir::value &from);
weir::error to_error(const json &from);
json to_json(const weir::error &from);
// {status, error} and the rest, as in an expected item or cause.
json describe(const weir::error &from);

// ---- the world of one scenario ----

struct entry;

struct leaf {
  json fates;
  std::string by = "attempt";
  std::uint64_t started = 0;
  // [{event, value}] as they came.
  json starts = json::array();
  json inputs = json::array();
  json stops = json::array();
};

using policy_kind = std::variant<std::monostate, weir::retry, weir::budget, weir::breaker,
                                 weir::limiter, weir::timeout, weir::pipeline, weir::hedge,
                                 weir::fallback, weir::chaos, weir::policy>;
using json_cache = weir::cache<std::string, json>;
using pacer = std::variant<std::monostate, weir::debounce<weir::value, weir::value>,
                           weir::throttle<weir::value, weir::value>>;

struct world {
  world(const json &played, bool reversed);

  weir::policy policy(const std::string &name);
  any_operation operation(const std::string &name);
  // Settled problems are kept: the first says what differs.
  void problem(const std::string &what);

  std::int64_t now_ms() const;
  void play();

  // Of make.cc.
  void build_all();
  policy_kind make_policy(const std::string &name, const json &def);
  any_operation make_operation(const std::string &name, const json &def);
  json_cache make_cache(const std::string &name, const json &def);
  weir::result<void> set_options(const std::string &name, const json &def);
  any_operation make_leaf(const std::string &name, const json &def);

  // Of steps.cc and decide.cc.
  void step(const json &step);
  bool decide(const json &step);
  json stats_of(const std::string &name);
  void expect_status(const json &step, weir::status status);
  void expect_status(const json &step, const weir::result<void> &result);
  void expect_number(const json &step, const char *name, std::int64_t number);

  // Of record.cc.
  std::function<void(weir::result<weir::value>, const weir::outcome &)> recorder(
      const std::string &label);
  void record(const std::string &label, const weir::outcome &outcome, const json &value);
  void compare();

  const json &scenario;
  bool reversed;
  std::string first_problem;
  weir::testing::runtime runtime;
  weir::time_point began;
  std::uint64_t event = 0;
  json settled = json::array();
  std::map<std::string, policy_kind> policies;
  std::map<std::string, any_operation> operations;
  std::map<std::string, std::unique_ptr<leaf>> leaves;
  std::map<std::string, json_cache> caches;
  std::map<std::string, weir::memoize<json, json>> memoizes;
  std::map<std::string, weir::flight<>> flights;
  std::map<std::string, weir::scope> scopes;
  std::map<std::string, pacer> pacers;
  std::map<std::string, weir::pool<weir::value>> pools;
  std::map<std::string, weir::call_base> calls;
  std::map<std::string, weir_permit> permits;
  std::map<std::string, weir::limiter::reservation> reservations;
  std::map<std::string, std::string> snapshots;
  std::map<std::string, weir::retry::tries> tries;
  // Attempts that wait for their completion, in the order of their begins.
  std::vector<std::shared_ptr<entry>> agenda;

 private:
  void live_moment(std::int64_t moment, std::size_t &next_step);
  bool complete_due(std::int64_t moment);
  std::int64_t next_moment(std::int64_t moment, std::size_t next_step) const;
  void end_event();
  void compare_left();
};

// One attempt of a leaf.
struct entry {
  leaf *of;
  json fate;
  std::int64_t due_ms;
  weir::value result;
  std::optional<weir::completer<weir::value>> done;
};

}  // namespace table
