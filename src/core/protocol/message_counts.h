// How many data messages of a peer have come, and how many it has sent.
#pragma once

#include <cstdint>

namespace ferrule::protocol {

/// Peers number the data messages of a session without gaps, so that what is missing below the
/// greatest number that came was lost on the way, or is late. What was sent after that is not known.
struct MessageCounts {
  std::uint64_t received = 0;  // authentic, each number once
  std::uint64_t expected = 0;  // sent, up to the last that came; at least `received`

  [[nodiscard]] std::uint64_t lost() const noexcept {
    return expected > received ? expected - received : 0;
  }
  MessageCounts& operator+=(const MessageCounts& other) noexcept {
    received += other.received;
    expected += other.expected;
    return *this;
  }
  bool operator==(const MessageCounts&) const noexcept = default;
};

}  // namespace ferrule::protocol
