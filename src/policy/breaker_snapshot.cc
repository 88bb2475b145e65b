// SPDX-License-Identifier: MIT
//
// A breaker's state as bytes, little-endian whatever the machine:
//
//   offset  size  what
//   0       4     "weir" in ASCII
//   4       1     version, 1
//   5       1     state: closed, open, half-open
//   6       1     forced state; closed: none
//   7       1     0
//   8       4     isolations
//   12      4     failures in a row
//   16      8     open time that is left, ns; INT64_MAX for ever
//   24      8     what reopenings multiply the open time with, an IEEE 754 double's bits
//   32      24    the counts that opened it: calls, failures, slow calls
//   56      4     FNV-1a of bytes 0 to 55 (Fowler, Noll, Vo)
//
// Reading trusts nothing: whatever the bytes are, the breaker gets a state that it could have had.

#include <bit>
#include <cstring>

#include "policy/breaker.hh"

namespace weir {
namespace {

constexpr char snapshot_magic[4] = {'w', 'e', 'i', 'r'};
constexpr uint8_t snapshot_version = 1;
constexpr size_t snapshot_size = 60;
constexpr size_t checksum_offset = 56;
constexpr double max_image_stretch = 1e19;
static_assert(snapshot_size <= WEIR_BREAKER_SNAPSHOT_SIZE);

using SnapshotBytes = unsigned char[snapshot_size];

void put_little(SnapshotBytes &bytes, size_t offset, size_t size, uint64_t number) {
  for (size_t i = 0; i < size; ++i) bytes[offset + i] = static_cast<uint8_t>(number >> (8 * i));
}

uint64_t get_little(const SnapshotBytes &bytes, size_t offset, size_t size) {
  uint64_t number = 0;
  for (size_t i = 0; i < size; ++i) number |= uint64_t{bytes[offset + i]} << (8 * i);
  return number;
}

uint32_t snapshot_checksum(const SnapshotBytes &bytes) {
  uint32_t hash = 0x811c9dc5;
  for (size_t i = 0; i < checksum_offset; ++i) hash = (hash ^ bytes[i]) * 0x01000193;
  return hash;
}

void encode_snapshot(SnapshotBytes &bytes, const BreakerImage &image) {
  std::memset(bytes, 0, sizeof(bytes));
  std::memcpy(bytes, snapshot_magic, sizeof(snapshot_magic));
  bytes[4] = snapshot_version;
  bytes[5] = static_cast<uint8_t>(image.state);
  bytes[6] = static_cast<uint8_t>(image.forced);
  put_little(bytes, 8, 4, image.isolations);
  put_little(bytes, 12, 4, image.failures);
  put_little(bytes, 16, 8, static_cast<uint64_t>(image.open_remaining_ns));
  put_little(bytes, 24, 8, std::bit_cast<uint64_t>(image.stretch));
  put_little(bytes, 32, 8, image.opened_by.calls);
  put_little(bytes, 40, 8, image.opened_by.failures);
  put_little(bytes, 48, 8, image.opened_by.slow_calls);
  put_little(bytes, checksum_offset, 4, snapshot_checksum(bytes));
}

BreakerImage decode_snapshot(const SnapshotBytes &bytes) {
  BreakerImage image;
  image.state = static_cast<BreakerState>(bytes[5]);
  image.forced = static_cast<BreakerState>(bytes[6]);
  image.isolations = static_cast<uint32_t>(get_little(bytes, 8, 4));
  image.failures = static_cast<uint32_t>(get_little(bytes, 12, 4));
  image.open_remaining_ns = static_cast<int64_t>(get_little(bytes, 16, 8));
  image.stretch = std::bit_cast<double>(get_little(bytes, 24, 8));
  image.opened_by = {get_little(bytes, 32, 8), get_little(bytes, 40, 8), get_little(bytes, 48, 8)};
  return image;
}

bool plausible_image(const BreakerImage &image) {
  bool automatic = image.state == BreakerState::closed || image.state == BreakerState::open ||
                   image.state == BreakerState::half_open;
  bool manual = image.forced == BreakerState::closed || image.forced == BreakerState::forced_open ||
                image.forced == BreakerState::forced_closed ||
                image.forced == BreakerState::metrics_only;
  return automatic && manual && image.open_remaining_ns >= 0 && image.stretch >= 1 &&
         image.stretch <= max_image_stretch;
}

// WEIR_EINVAL: no snapshot. WEIR_EABI: a later version's.
weir_status read_snapshot(BreakerImage &image, const void *source, size_t size) {
  if (size < sizeof(snapshot_magic) + 1 ||
      std::memcmp(source, snapshot_magic, sizeof(snapshot_magic)) != 0) {
    return WEIR_EINVAL;
  }
  if (static_cast<const unsigned char *>(source)[4] > snapshot_version) return WEIR_EABI;
  if (size != snapshot_size) return WEIR_EINVAL;
  SnapshotBytes bytes;
  std::memcpy(bytes, source, snapshot_size);
  if (bytes[4] != snapshot_version || bytes[7] != 0) return WEIR_EINVAL;
  if (get_little(bytes, checksum_offset, 4) != snapshot_checksum(bytes)) return WEIR_EINVAL;
  image = decode_snapshot(bytes);
  return plausible_image(image) ? WEIR_OK : WEIR_EINVAL;
}

}  // namespace
}  // namespace weir

weir_status weir_breaker_snapshot(weir_breaker *breaker, void *buffer, size_t *size) {
  if (breaker == nullptr || size == nullptr) return WEIR_EINVAL;
  size_t given = *size;
  *size = weir::snapshot_size;
  if (buffer == nullptr || given < weir::snapshot_size) return WEIR_EINVAL;
  if (breaker->runtime()->forked()) return WEIR_EFORKED;
  weir::Moment moment = weir::Moment::live(*breaker->runtime());
  weir::SnapshotBytes bytes;
  weir::encode_snapshot(bytes, breaker->core.image(moment));
  std::memcpy(buffer, bytes, sizeof(bytes));
  return WEIR_OK;
}

weir_status weir_breaker_restore(weir_breaker *breaker, const void *bytes, size_t size,
                                 int64_t elapsed_ms) {
  if (breaker == nullptr || bytes == nullptr || elapsed_ms < 0) return WEIR_EINVAL;
  if (breaker->runtime()->forked()) return WEIR_EFORKED;
  weir::BreakerImage image;
  weir_status status = weir::read_snapshot(image, bytes, size);
  if (status != WEIR_OK) return status;
  if (image.open_remaining_ns != weir::never_ns) {
    image.open_remaining_ns =
        weir::saturating_sub(image.open_remaining_ns, weir::ms_to_ns(elapsed_ms));
  }
  weir::Moment moment = weir::Moment::live(*breaker->runtime());
  breaker->core.restore(image, moment);
  return WEIR_OK;
}
