// SPDX-License-Identifier: MIT
//
// Storms: many threads that run, complete, cancel and close at once; also under ThreadSanitizer.
#include <atomic>

#include "support.hpp"

namespace {

constexpr int threads = 4;

template <class F>
void on_threads(F each) {
  std::vector<std::thread> list;
  for (int i = 0; i < threads; ++i) list.emplace_back(each, i);
  for (std::thread &one : list) one.join();
}

}  // namespace

TEST_CASE("runs, completions and cancels from many threads settle once each") {
  std::atomic<int> settled{0};
  std::atomic<int> started{0};
  {
    weir::runtime runtime;
    weir::retry retry{runtime, {.max_attempts = 2, .base_delay = 1ms}};
    weir::breaker breaker{runtime, {.failure_threshold = 1000000}};
    auto both = breaker | retry;
    weir::operation work{runtime,
                         [](int n, weir::attempt &attempt, weir::completer<std::string> done) {
                           attempt.on_cancel([](weir::cancel_reason) {});
                           if (n % 3 == 0) {
                             done.complete(std::to_string(n));
                           } else if (n % 3 == 1) {
                             throw support::mishap("thrown");
                           } else {
                             std::thread([done = std::move(done), n]() mutable {
                               done.complete(std::string(100, static_cast<char>('a' + n % 26)));
                             }).detach();
                           }
                         }};
    auto guarded = work.with(both);
    on_threads([&](int thread) {
      for (int i = 0; i < 300; ++i) {
        auto call = guarded.run(i + thread, {}, [&](weir::result<std::string>) { ++settled; });
        if (call.started()) ++started;
        if (i % 5 == 0) call.cancel();
      }
    });
    on_threads([&](int thread) {
      for (int i = 0; i < 100; ++i) {
        auto result = guarded.run(3 * (i + thread)).get();
        CHECK(result.has_value());
      }
    });
  }
  CHECK(settled == started);
  CHECK(started == threads * 300);
}

TEST_CASE("a runtime that closes under load settles every run") {
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> settled{0};
    std::atomic<int> started{0};
    std::atomic<int> freed{0};
    struct tally {
      std::atomic<int> *freed;
      ~tally() { ++*freed; }
    };
    weir::runtime runtime;
    auto hangs = support::hangs(runtime);
    std::thread closer([&] {
      while (started < 50) std::this_thread::yield();
      runtime.close();
    });
    on_threads([&](int) {
      for (int i = 0; i < 100; ++i) {
        auto owned = std::make_shared<tally>(tally{&freed});
        auto call = hangs.run({}, [&, owned](weir::result<int>) { ++settled; });
        if (call.started()) ++started;
      }
    });
    closer.join();
    CHECK(runtime.close_wait(10s));
    CHECK(settled == started);
  }
}

TEST_CASE("decide doors take any thread, and the total is exact") {
  weir::runtime runtime;
  weir::limiter limiter{runtime, {.permits = 100, .interval = 1h}};
  weir::breaker breaker{runtime};
  weir::cache<int, std::string> cache{runtime, {.max_entries = 100}};
  std::atomic<int> granted{0};
  on_threads([&](int) {
    for (int i = 0; i < 1000; ++i) {
      if (limiter.try_acquire()) ++granted;
      if (auto permit = breaker.acquire()) permit.succeed();
      (void)cache.put(i % 50, std::to_string(i % 50));
      if (auto hit = cache.lookup(i % 50)) CHECK(*hit == std::to_string(i % 50));
    }
  });
  CHECK(granted == 100);
  CHECK(breaker.stats().succeeded == threads * 1000);
}

TEST_CASE("one cache's value is read by many while it is replaced") {
  weir::runtime runtime;
  weir::cache<std::string, std::vector<int>> cache{runtime};
  auto load = cache.loader([](const std::string &) { return std::vector<int>(100, 7); });
  on_threads([&](int thread) {
    for (int i = 0; i < 100; ++i) {
      auto list = cache.get("key", load).get().value();
      CHECK(list.size() == 100);
      if (thread == 0) cache.invalidate("key");
    }
  });
}

TEST_CASE("a scope's end meets runs that begin") {
  for (int round = 0; round < 20; ++round) {
    weir::runtime runtime;
    std::atomic<int> settled{0};
    std::atomic<int> started{0};
    {
      weir::scope scope{runtime, {.exit = weir::scope_exit::cancel}};
      on_threads([&](int) {
        for (int i = 0; i < 20; ++i) {
          auto call = weir::sleep(runtime, 1h).run({.scope = scope}, [&](weir::result<void>) {
            ++settled;
          });
          if (call.started()) ++started;
          if (i == 10) scope.cancel();
        }
      });
    }
    CHECK(settled == started);
  }
}
