// SPDX-License-Identifier: MIT
//
// U8: user, orders, total, discount: each step is fed by the last, and the types say so.
#include <cstdio>
#include <numeric>
#include <weir/weir.hpp>

struct user {
  int id;
};
struct order {
  double price;
};

int main() {
  weir::runtime runtime;
  weir::operation find_user{runtime, [](const std::string &name) -> weir::result<user> {
                              if (name != "ann") return weir::error(404, "no user " + name);
                              return user{7};
                            }};
  weir::operation orders{runtime, [](const user &) {
                           return std::vector<order>{{10}, {20}, {70}};
                         }};
  weir::operation total{runtime, [](const std::vector<order> &list) {
                          return std::accumulate(
                              list.begin(), list.end(), 0.0,
                              [](double sum, const order &one) { return sum + one.price; });
                        }};
  weir::operation discount{runtime, [](double sum) { return sum > 50 ? sum * 0.9 : sum; }};

  auto price = weir::waterfall(find_user, orders, total, discount);
  double ann = price.run("ann").get().value();
  weir::result<double> bob = price.run("bob").get();
  std::printf("ann pays %.2f; bob: %s\n", ann, bob.error().c_message());
  return ann == 90 && bob.error().code() == 404 ? 0 : 1;
}
