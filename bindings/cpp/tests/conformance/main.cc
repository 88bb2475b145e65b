// SPDX-License-Identifier: MIT
//
// conformance [--must-fail] [--only NAME] FILE...
//
// Plays each scenario of the files twice, the second time with completions that are due at one
// moment the other way round, and reports each as a line of TAP. --must-fail: each scenario is
// wrong on purpose, and one that passes is the failure.
#include <algorithm>
#include <cstdio>
#include <fstream>

#include "table.hpp"

namespace table {

world::world(const json &played, bool reversed)
    : scenario(played),
      reversed(reversed),
      runtime([&] {
        json given = played.value("runtime", json::object());
        weir::runtime_options options;
        options.seed = 1;
        read(given, "seed", options.seed);
        read(given, "max_in_flight", options.max_in_flight);
        read(given, "close_grace_ms", options.close_grace);
        return options;
      }()),
      began(runtime.now()) {}

void world::problem(const std::string &what) {
  if (first_problem.empty()) first_problem = what;
}

std::int64_t world::now_ms() const {
  return std::chrono::floor<milliseconds>(runtime.now() - began).count();
}

// ---- leaves ----

namespace {

void leave_agenda(world &world, const entry &one) {
  auto &agenda = world.agenda;
  agenda.erase(std::remove_if(agenda.begin(), agenda.end(),
                              [&](auto &other) { return other.get() == &one; }),
               agenda.end());
}

void complete_entry(world &world, std::shared_ptr<entry> one) {
  leave_agenda(world, *one);
  auto done = std::exchange(one->done, std::nullopt);
  const json &fate = one->fate;
  std::optional<milliseconds> retry_after;
  if (fate.contains("retry_after_ms")) retry_after = milliseconds(whole(fate["retry_after_ms"]));
  auto judged = word<weir::classification>(classes, fate.value("class", "none"));
  if (fate.contains("error")) {
    weir::error error = to_error(fate["error"]).with_class(judged);
    if (retry_after) error = std::move(error).with_retry_after(*retry_after);
    if (fate.value("final", false)) error = std::move(error).as_final();
    done->fail(error);
  } else {
    weir::value value = fate.contains("value") ? to_value(fate["value"]) : one->result;
    done->complete({value, judged, fate.value("final", false), retry_after});
  }
}

void stop_entry(world &world, const std::shared_ptr<entry> &one) {
  if (std::find(world.agenda.begin(), world.agenda.end(), one) == world.agenda.end()) return;
  one->of->stops.push_back({{"event", world.event}, {"value", world.now_ms()}});
  if (one->fate.value("on_cancel", "finish") == "ignore") return;
  leave_agenda(world, *one);
  std::exchange(one->done, std::nullopt)->fail(0, "told to stop");
}

weir::value value_in_scope(const weir::scope_view &scope, const std::string &key) {
  if (!scope) return {};
  if (auto number = scope.number(key)) return weir::value::of(json(*number));
  auto value = scope.value(key);
  return value ? *value : weir::value();
}

}  // namespace

any_operation world::make_leaf(const std::string &name, const json &def) {
  leaves[name] = std::make_unique<leaf>();
  leaf *self = leaves[name].get();
  self->fates = def["attempts"];
  self->by = def.value("by", "attempt");
  return {runtime, [this, self](const weir::value &input, weir::attempt &attempt,
                                weir::completer<weir::value> done) {
            std::uint64_t position = self->by == "start"   ? self->started
                                     : self->by == "index" ? attempt.index()
                                                           : attempt.number() - 1;
            self->started++;
            auto one = std::make_shared<entry>();
            one->of = self;
            one->fate = self->fates[std::min<std::uint64_t>(position, self->fates.size() - 1)];
            one->due_ms = one->fate.contains("never")
                              ? INT64_MAX
                              : now_ms() + one->fate.value("after_ms", std::int64_t{0});
            if (one->fate.contains("echo")) one->result = weir::value::of(to_json(input));
            if (one->fate.contains("scope_value")) {
              one->result = value_in_scope(attempt.scope(), one->fate["scope_value"]);
            }
            one->done.emplace(std::move(done));
            self->starts.push_back({{"event", event}, {"value", now_ms()}});
            self->inputs.push_back({{"event", event}, {"value", to_json(input)}});
            agenda.push_back(one);
            attempt.on_cancel([this, weak = std::weak_ptr<entry>(one)](weir::cancel_reason) {
              if (auto entry = weak.lock()) stop_entry(*this, entry);
            });
          }};
}

// ---- from moment to moment ----

void world::end_event() {
  runtime.run_until_idle();
  ++event;
}

bool world::complete_due(std::int64_t moment) {
  std::shared_ptr<entry> chosen;
  for (auto &one : agenda) {
    if (one->due_ms <= moment && (!chosen || reversed)) chosen = one;
  }
  if (!chosen) return false;
  complete_entry(*this, chosen);
  return true;
}

void world::live_moment(std::int64_t moment, std::size_t &next_step) {
  if (moment > now_ms()) runtime.advance(milliseconds(moment - now_ms()));
  end_event();
  const json &script = scenario["script"];
  for (; next_step < script.size() && whole(script[next_step]["at"]) == moment; ++next_step) {
    step(script[next_step]);
    end_event();
  }
  while (complete_due(moment)) end_event();
}

std::int64_t world::next_moment(std::int64_t moment, std::size_t next_step) const {
  std::int64_t next = INT64_MAX;
  if (next_step < scenario["script"].size()) next = whole(scenario["script"][next_step]["at"]);
  for (auto &one : agenda) next = std::min(next, one->due_ms);
  if (auto timer = runtime.next_deadline()) {
    next = std::min(next, std::chrono::ceil<milliseconds>(*timer - began).count());
  }
  return std::min(std::max(next, moment + 1), whole(scenario["end_ms"]));
}

void world::compare_left() {
  json left = scenario.value("left", json::object());
  auto stats = runtime.stats();
  if (static_cast<std::int64_t>(stats.live_calls) != left.value("calls", 0) ||
      static_cast<std::int64_t>(stats.orphans) != left.value("orphans", 0)) {
    problem("left are " + std::to_string(stats.live_calls) + " calls and " +
            std::to_string(stats.orphans) + " orphans");
  }
}

void world::play() {
  build_all();
  std::size_t next_step = 0;
  for (std::int64_t moment = 0;; moment = next_moment(moment, next_step)) {
    live_moment(moment, next_step);
    if (moment == whole(scenario["end_ms"])) break;
  }
  compare();
  compare_left();
  runtime.close();
  runtime.run_until_idle();
  while (!agenda.empty()) complete_entry(*this, agenda.front());
  runtime.run_until_idle();
}

}  // namespace table

namespace {

struct totals {
  std::string only;
  bool must_fail = false;
  int run = 0;
  int failed = 0;
};

// What is wrong; empty if nothing is.
std::string play(const json &scenario, bool reversed) {
  table::world world(scenario, reversed);
  try {
    world.play();
  } catch (const std::exception &thrown) {
    world.problem(std::string("thrown: ") + thrown.what());
    world.runtime.close();
    world.runtime.run_until_idle();
    world.agenda.clear();
  }
  return world.first_problem;
}

void report(totals &totals, const std::string &name, const std::string &problem) {
  ++totals.run;
  if (!problem.empty()) ++totals.failed;
  std::printf("%s %d - %s\n", problem.empty() ? "ok" : "not ok", totals.run, name.c_str());
  if (!problem.empty()) std::printf("# %s: %s\n", name.c_str(), problem.c_str());
}

void run_one(totals &totals, const json &scenario) {
  std::string name = scenario["name"];
  if (!totals.only.empty() && name != totals.only) return;
  std::string problem = play(scenario, false);
  if (totals.must_fail) {
    report(totals, name, problem.empty() ? "a wrong expectation went unnoticed" : "");
    return;
  }
  if (problem.empty()) problem = play(scenario, true);
  report(totals, name, problem);
}

void run_file(totals &totals, const char *path) {
  json file;
  try {
    file = json::parse(std::ifstream(path));
  } catch (const json::exception &) {
  }
  if (file.value("format", 0) != 1) {
    report(totals, path, "not a table of format 1");
    return;
  }
  for (const json &scenario : file["scenarios"]) run_one(totals, scenario);
}

}  // namespace

int main(int count, char **arguments) {
  totals totals;
  for (int i = 1; i < count; ++i) {
    std::string argument = arguments[i];
    if (argument == "--must-fail") {
      totals.must_fail = true;
    } else if (argument == "--only" && i + 1 < count) {
      totals.only = arguments[++i];
    } else if (argument.find("schema.json") == std::string::npos) {
      run_file(totals, arguments[i]);
    }
  }
  std::printf("1..%d\n", totals.run);
  return totals.failed != 0 || totals.run == 0 ? 1 : 0;
}
