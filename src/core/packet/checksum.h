// The Internet checksum (RFC 1071): sums in progress, and what becomes of them.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"

namespace ferrule::packet {

/// A one's complement sum of 16-bit big-endian words, in progress. Sums may be added up in any order.
/// Value type. There is room for 2^28 additions of any kind.
class InternetSum {
 public:
  constexpr InternetSum() noexcept = default;

  /// Adds `bytes`, which lie at an even offset of what is summed. An odd last byte counts as if a
  /// zero followed: only the last span may have one.
  void add(Bytes bytes) noexcept;
  /// The same, and copies `from` to the start of `to`, which is at least as long and does not overlap
  /// it: one pass over memory instead of two.
  void add_copying(Bytes from, MutBytes to) noexcept;
  /// The same for the few bytes of a header, a number that is known beforehand: without a call.
  template <std::size_t kSize>
    requires(kSize % 4 == 0)
  void add_header(const std::uint8_t* from) noexcept {
    for (std::size_t at = 0; at < kSize; at += 4) {
      std::uint32_t word;
      std::memcpy(&word, from + at, sizeof word);
      words_ += word;
    }
  }
  void add_word(std::uint16_t value) noexcept { words_ += in_memory(value); }
  void add_long(std::uint32_t value) noexcept {
    add_word(static_cast<std::uint16_t>(value >> 16));
    add_word(static_cast<std::uint16_t>(value));
  }
  void add(InternetSum other) noexcept { words_ += folded_to_32(other.words_); }

  /// The sum as one word. 0 only if every byte that was added is 0.
  [[nodiscard]] std::uint16_t folded() const noexcept {
    std::uint64_t sum = folded_to_32(words_);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return in_memory(static_cast<std::uint16_t>(sum));
  }
  /// What a checksum field holds: the complement of the sum.
  [[nodiscard]] std::uint16_t checksum() const noexcept {
    return static_cast<std::uint16_t>(~folded());
  }

 private:
  // The sum is kept in the order in which words lie in memory, so that no word need be swapped while
  // it is added: RFC 1071 §2(B).
  static constexpr std::uint16_t in_memory(std::uint16_t value) noexcept {
    return std::endian::native == std::endian::little ? __builtin_bswap16(value) : value;
  }
  static constexpr std::uint64_t folded_to_32(std::uint64_t sum) noexcept {
    sum = (sum & 0xffffffff) + (sum >> 32);
    return (sum & 0xffffffff) + (sum >> 32);
  }

  std::uint64_t words_ = 0;
};

/// The sum of the pseudo-header that TCP, UDP and ICMPv6 checksums include. `addresses` is source then
/// destination (IpView::addresses); `length` that of the upper-layer packet, its header included.
[[nodiscard]] InternetSum pseudo_header_sum(Bytes addresses, std::uint8_t protocol,
                                            std::size_t length) noexcept;

/// The checksum after one of the words under it has changed (RFC 1624, equation 3).
[[nodiscard]] constexpr std::uint16_t updated_checksum(std::uint16_t checksum, std::uint16_t before,
                                                       std::uint16_t after) noexcept {
  std::uint32_t sum = static_cast<std::uint16_t>(~checksum) + std::uint32_t{after} +
                      static_cast<std::uint16_t>(~before);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

/// UDP says "no checksum" with 0, so a checksum that comes out as 0 is sent as its equal, 0xffff.
[[nodiscard]] constexpr std::uint16_t never_zero(std::uint16_t checksum) noexcept {
  return checksum == 0 ? 0xffff : checksum;
}

}  // namespace ferrule::packet
