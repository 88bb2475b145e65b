// SPDX-License-Identifier: MIT
//
// What the C++ headers cost over the C API, side by side in one program. Each row is the least of
// many short rounds, as what else the machine does can only add; C and C++ take turns. Prints
// `name|value|unit|target|met or missed`. bench [--quick]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>

#include "weir/weir.hpp"

namespace {

template <class T>
void keep(const T &value) {
  asm volatile("" : : "g"(&value) : "memory");
}

int rounds = 300;

// Nanoseconds that one call of each took, at the least.
std::pair<double, double> least(int calls, const std::function<void(int)> &in_c,
                                const std::function<void(int)> &in_cpp) {
  auto time = [calls](const std::function<void(int)> &run) {
    auto began = std::chrono::steady_clock::now();
    run(calls);
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - began)
               .count() /
           calls;
  };
  std::pair<double, double> best{1e9, 1e9};
  for (int i = 0; i < rounds; ++i) {
    best.first = std::min(best.first, time(in_c));
    best.second = std::min(best.second, time(in_cpp));
  }
  return best;
}

void print(const char *name, std::pair<double, double> times, double more) {
  std::printf("C: %s|%.1f|ns||\n", name, times.first);
  std::printf("C++: %s|%.1f|ns|<= C + %.0f ns|%s\n", name, times.second, more,
              times.second <= times.first + more ? "met" : "missed");
}

void breaker_row(const weir::runtime &runtime) {
  weir::breaker breaker{runtime};
  weir_breaker *c = breaker.native();
  print("breaker acquire + report",
        least(
            2000,
            [c](int calls) {
              for (int i = 0; i < calls; ++i) {
                weir_permit permit;
                if (weir_breaker_acquire(c, &permit, nullptr) != WEIR_OK) continue;
                keep(weir_breaker_report(c, permit, WEIR_CLASS_SUCCESS, 0));
              }
            },
            [&breaker](int calls) {
              for (int i = 0; i < calls; ++i) {
                if (auto permit = breaker.acquire()) keep(permit.succeed());
              }
            }),
        2);
}

void cache_row(const weir::runtime &runtime) {
  struct profile {
    char text[100];
  };
  weir::cache<std::string, profile> cache{runtime};
  const std::string key = "sixteen bytes ..";
  (void)cache.put(key, profile{"somebody"});
  weir_cache *c = cache.get();
  print("cache lookup",
        least(
            2000,
            [c, &key](int calls) {
              for (int i = 0; i < calls; ++i) {
                weir_value *value = nullptr;
                weir_cache_lookup(c, key.data(), key.size(), &value);
                keep(*static_cast<const char *>(weir_value_pointer(value)));
                weir_value_unref(value);
              }
            },
            [&](int calls) {
              for (int i = 0; i < calls; ++i) {
                auto hit = cache.lookup(key);
                keep(hit->text[0]);
              }
            }),
        8);
}

// A run that succeeds with a number and tells it; the same in both.
struct told_in_c {
  long *sum;
};

void start_in_c(void *, weir_attempt *attempt) {
  int answer = 42;
  weir_complete_bytes(attempt->runtime, attempt->token, &answer, sizeof answer);
}

void settle_in_c(void *data, weir_call *, const weir_outcome *outcome) {
  int answer;
  std::memcpy(&answer, weir_value_data(outcome->value), sizeof answer);
  *static_cast<told_in_c *>(data)->sum += answer;
}

void run_row() {
  weir::runtime runtime{{.driver = weir::driver::manual}};
  weir::retry retry{runtime};
  long sum = 0;
  weir_operation *in_c = nullptr;
  weir_operation_new(runtime.get(), start_in_c, nullptr, nullptr, &in_c, nullptr);
  weir::operation in_cpp{runtime, [] { return 42; }};
  auto turn = [&] { runtime.process(weir::time_point(weir::nanoseconds(1))); };
  print("run through retry",
        least(
            64,
            [&](int calls) {
              for (int i = 0; i < calls; ++i) {
                weir_run_options options = WEIR_RUN_OPTIONS_INIT;
                options.policy = retry.get();
                weir_run(
                    in_c, &options, settle_in_c, new told_in_c{&sum},
                    [](void *data) { delete static_cast<told_in_c *>(data); }, nullptr, nullptr);
              }
              turn();
            },
            [&](int calls) {
              for (int i = 0; i < calls; ++i) {
                in_cpp.run({.policy = retry}, [&sum](weir::result<int> answer) { sum += *answer; });
              }
              turn();
            }),
        40);
  weir_operation_unref(in_c);
  keep(sum);
}

}  // namespace

int main(int count, char **arguments) {
  if (count > 1 && std::strcmp(arguments[1], "--quick") == 0) rounds = 3;
  weir::runtime runtime{{.driver = weir::driver::manual}};
  breaker_row(runtime);
  cache_row(runtime);
  run_row();
  return 0;
}
