// TCP and UDP packets of a fuzzer's choice.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "packet/packets_testing.h"
#include "tests/fuzz/choices.h"

namespace ferrule::fuzz {

/// `size` bytes that are not all alike; the fuzzer chooses the first ones.
inline packet::testing::Packet filled(Choices& choices, std::size_t size) {
  packet::testing::Packet bytes(size);
  const Bytes chosen = choices.bytes(std::min<std::size_t>(size, choices.byte() % 8));
  copy(chosen, bytes);
  for (std::size_t i = chosen.size(); i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i);
  return bytes;
}

/// The headers of a sound packet. No payload yet.
inline packet::testing::Spec choose_spec(Choices& choices) {
  packet::testing::Spec spec;
  const unsigned kind = choices.byte();
  spec.v6 = (kind & 1) != 0;
  spec.udp = (kind & 2) != 0;
  if ((kind & 4) == 0) return spec;
  spec.traffic_class = choices.byte();
  spec.ttl = choices.byte();
  spec.id = choices.word();
  spec.fragment = choices.flag() ? 0x4000 : 0;
  spec.sequence = choices.long_word();
  spec.acknowledgement = choices.long_word();
  spec.flags = choices.byte();
  spec.reserved = choices.byte() & 15;
  spec.window = choices.word();
  spec.urgent = choices.word();
  if ((kind & 8) != 0) spec.tcp_options = filled(choices, 4 * choices.number(1, 10));
  if ((kind & 16) != 0) spec.ip_options = filled(choices, 4 * choices.number(1, 10));
  return spec;
}

}  // namespace ferrule::fuzz
