// SPDX-License-Identifier: MIT
//
// U13: adds work to a pool while it runs; the results come when it is drained.
#include <cstdio>
#include <weir/weir.hpp>

int main() {
  weir::runtime runtime;
  auto crunch = weir::blocking(runtime, [](int n) {
    long sum = 0;
    for (int i = 0; i <= n; ++i) sum += i;
    return sum;
  });

  weir::pool<long> pool{runtime, {.concurrency = 4}};
  auto drained = pool.run();
  for (int i = 1; i <= 10; ++i) pool.add(crunch, i * 1000).value();
  pool.seal().value();

  weir::results<long> sums = drained.get().value();
  std::printf("%zu results, the last is %ld\n", sums.size(), sums.back().value());
  return sums.size() == 10 && *sums.back() == 50005000 ? 0 : 1;
}
