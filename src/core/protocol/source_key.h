// Whom a handshake message counts against, before anybody has proven anything.
#pragma once

#include <bit>
#include <cstdint>

#include "base/bytes.h"
#include "base/net.h"

namespace ferrule::protocol {

/// An IPv4 address or an IPv6 /64: what one attacker commonly has to himself (P82). Value type.
struct SourceKey {
  std::uint64_t prefix = 0;  // the first eight bytes, zeros behind an IPv4 address
  Family family = Family::none;

  [[nodiscard]] static SourceKey of(const IpAddress& address) noexcept {
    SourceKey key;
    key.family = address.family();
    if (key.family == Family::v4) key.prefix = load_le32(address.bytes().data());
    if (key.family == Family::v6) key.prefix = load_le64(address.bytes().data());
    return key;
  }
  auto operator<=>(const SourceKey&) const noexcept = default;
};

/// SipHash-2-4 with a random key of 128 bits, of the nine bytes prefix || family: nobody who does not
/// know the key can choose sources that share a bucket.
class SourceHash {
 public:
  constexpr SourceHash(std::uint64_t key_low, std::uint64_t key_high) noexcept
      : key_low_(key_low), key_high_(key_high) {}

  [[nodiscard]] constexpr std::uint64_t operator()(const SourceKey& source) const noexcept {
    State state{key_low_ ^ 0x736f6d6570736575u, key_high_ ^ 0x646f72616e646f6du,
                key_low_ ^ 0x6c7967656e657261u, key_high_ ^ 0x7465646279746573u};
    state.absorb(source.prefix);
    state.absorb(std::uint64_t{9} << 56 | static_cast<std::uint64_t>(source.family));
    state.v2 ^= 0xff;
    for (int i = 0; i < 4; ++i) state.round();
    return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
  }

 private:
  struct State {
    std::uint64_t v0, v1, v2, v3;

    constexpr void round() noexcept {
      v0 += v1;
      v1 = std::rotl(v1, 13) ^ v0;
      v0 = std::rotl(v0, 32);
      v2 += v3;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 += v3;
      v3 = std::rotl(v3, 21) ^ v0;
      v2 += v1;
      v1 = std::rotl(v1, 17) ^ v2;
      v2 = std::rotl(v2, 32);
    }
    constexpr void absorb(std::uint64_t word) noexcept {
      v3 ^= word;
      round();
      round();
      v0 ^= word;
    }
  };

  std::uint64_t key_low_;
  std::uint64_t key_high_;
};

}  // namespace ferrule::protocol
