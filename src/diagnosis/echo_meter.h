// How far, how fast and how large echo requests get to one address and back.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "diagnosis/echo.h"

namespace ferrule::diagnosis {

/// What echo requests carried there and back.
struct EchoThroughput {
  double seconds = 0;
  std::uint64_t sent_bytes = 0;  // packets of the tunnel, with their IP headers
  std::uint64_t back_bytes = 0;
  [[nodiscard]] double bits_per_second() const noexcept {
    return seconds > 0 ? static_cast<double>(back_bytes) * 8 / seconds : 0;
  }
};

/// Measures with a socket of somebody else's, which must outlive it, one question after the other. What
/// came for other requests in the meantime is lost.
class EchoMeter {
 public:
  /// `sequence`: the last one that was used; this counts on.
  EchoMeter(EchoSocket& socket, const IpAddress& target, std::uint16_t& sequence)
      : socket_(socket), target_(target), sequence_(sequence) {}

  /// Milliseconds until the answer to one request; none: there was none in time.
  [[nodiscard]] std::optional<double> round_trip_ms(std::chrono::milliseconds patience);
  /// The largest packet that is answered, up to `most_bytes`. A dozen requests, two tries each.
  [[nodiscard]] std::uint32_t largest_packet(std::uint32_t most_bytes);
  /// Keeps as many requests of so many bytes under way as come back, for a time and up to a number of bytes.
  [[nodiscard]] EchoThroughput throughput(std::size_t packet_bytes, std::chrono::milliseconds time,
                                          std::uint64_t most_bytes);

 private:
  [[nodiscard]] bool comes_back(std::uint16_t sequence, std::chrono::milliseconds patience);
  [[nodiscard]] bool is_echoed(std::size_t bytes);
  EchoSocket& socket_;
  IpAddress target_;
  std::uint16_t& sequence_;
};

}  // namespace ferrule::diagnosis
