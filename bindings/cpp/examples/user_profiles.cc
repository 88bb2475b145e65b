// SPDX-License-Identifier: MIT
//
// U6: user profiles: three equal calls load once, what was loaded is kept for a minute, and serves
// stale when the backend is down. Virtual time.
#include <cstdio>
#include <stdexcept>
#include <weir/testing.hpp>
#include <weir/weir.hpp>

using namespace std::chrono_literals;

struct profile {
  std::string name;
};

int main() {
  weir::testing::runtime runtime;
  weir::cache<std::string, profile> profiles{runtime, {.ttl = 1min, .stale_if_error = 1h}};

  int loads = 0;
  bool backend_is_up = true;
  auto load = profiles.loader([&](const std::string &id) {
    ++loads;
    if (!backend_is_up) throw std::runtime_error("the backend is down");
    return profile{"user " + id};
  });

  auto first = profiles.get("7", load);
  auto second = profiles.get("7", load);
  auto third = profiles.get("7", load);
  for (auto *call : {&first, &second, &third}) {
    std::printf("%s\n", runtime.get_result(*call).value().name.c_str());
  }
  std::printf("by %d load\n", loads);
  if (loads != 1 || !profiles.lookup("7")) return 1;

  runtime.advance(2min);
  backend_is_up = false;
  std::printf("%s, though stale\n",
              runtime.get_result(profiles.get("7", load)).value().name.c_str());
  try {
    runtime.get_result(profiles.get("8", load)).value();
    return 1;
  } catch (const std::runtime_error &down) {
    std::printf("user 8: %s\n", down.what());
  }
  return 0;
}
