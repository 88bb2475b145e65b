// SPDX-License-Identifier: MIT
//
// U12: a scope that sets a default TTL, has a deadline, opens and closes its resources, and logs
// under its name. Virtual time.
#include <cstdio>
#include <weir/testing.hpp>
#include <weir/weir.hpp>

using namespace std::chrono_literals;

int main() {
  std::string closed;
  weir::testing::runtime runtime{weir::runtime_options{
      .log =
          [](weir::log_level, std::string_view subject, std::string_view message) {
            std::printf("[%.*s] %.*s\n", static_cast<int>(subject.size()), subject.data(),
                        static_cast<int>(message.size()), message.data());
          },
      .log_level = weir::log_level::info}};

  auto opening = [&](const char *name) {
    return weir::resource(
        weir::operation{runtime, [name] { return std::string(name); }},
        weir::operation{runtime, [&](const std::string &resource) { closed += resource + " "; }},
        name);
  };
  weir::operation settings{
      runtime, [](weir::attempt &attempt) { return attempt.scope().set_number("ttl_ms", 60000); }};
  weir::operation work{runtime, [](weir::attempt &attempt) -> weir::result<std::string> {
                         weir::scope_view scope = attempt.scope();
                         scope.log(
                             weir::log_level::info,
                             "importing with a TTL of " + std::to_string(*scope.number("ttl_ms")));
                         return *scope.get<std::string>("database").value() + " is read";
                       }};
  auto import = weir::scoped(weir::waterfall(settings, opening("database"), opening("file"), work),
                             {.deadline = 30s, .name = "import"});

  std::string read = runtime.get_result(import.run()).value();
  std::printf("%s; closed: %s\n", read.c_str(), closed.c_str());
  return closed == "file database " ? 0 : 1;
}
