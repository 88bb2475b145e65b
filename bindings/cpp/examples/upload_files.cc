// SPDX-License-Identifier: MIT
//
// U2: uploads 100 files, five at a time, with progress. The uploads are on a thread of the
// library's; each completes when its timer is over, as a request would when its response is there.
#include <cstdio>
#include <weir/weir.hpp>

using namespace std::chrono_literals;

int main() {
  weir::runtime runtime;

  weir::operation upload{runtime, [&](const std::string &file, weir::completer<std::size_t> done) {
                           auto wire = weir::sleep(runtime, 1ms);
                           wire.run({}, [done = std::move(done), size = file.size()](
                                            weir::result<void>) mutable { done.complete(size); });
                         }};

  std::vector<std::string> files;
  for (int i = 0; i < 100; ++i) files.push_back("photo-" + std::to_string(i) + ".jpg");

  auto all = weir::parallel_each(
      upload, files,
      {.concurrency = 5, .on_progress = [](std::uint64_t done, std::optional<std::uint64_t> total) {
         if (done % 20 == 0) {
           std::printf("%llu of %llu\n", static_cast<unsigned long long>(done),
                       static_cast<unsigned long long>(*total));
         }
       }});
  weir::results<std::size_t> sizes = all.run().get().value();
  std::size_t bytes = 0;
  for (auto &size : sizes) bytes += size.value();
  std::printf("%zu files, %zu bytes\n", sizes.size(), bytes);
  return sizes.size() == 100 ? 0 : 1;
}
