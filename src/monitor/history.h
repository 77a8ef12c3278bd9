// How fast things went, look by look.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/keys.h"
#include "monitor/snapshot.h"

namespace ferrule::monitor {

/// The last values of something, oldest first.
class Series {
 public:
  static constexpr std::size_t kLength = 60;

  void add(double value);
  [[nodiscard]] double last() const noexcept { return values_.empty() ? 0 : values_.back(); }
  [[nodiscard]] const std::vector<double>& values() const noexcept { return values_; }
  /// Of the last `count`; 0 where there are none.
  [[nodiscard]] double highest_of(std::size_t count) const noexcept;

 private:
  std::vector<double> values_;
};

/// Of a peer or a device, look by look.
struct Traffic {
  Series rx;        // bytes a second
  Series tx;        // bytes a second
  Series received;  // data messages, where their number is told
  Series expected;  // how many of them the peer had sent meanwhile

  /// The part of the last kLossLooks looks' messages that was lost on the way here, from 0 to 1. None
  /// where it is not told, or nothing was expected.
  [[nodiscard]] std::optional<double> loss() const;
  static constexpr std::size_t kLossLooks = 10;
};

/// Rates of all devices, from one snapshot to the next. Devices and peers that are gone are forgotten.
class History {
 public:
  void add(const Snapshot& snapshot);

  /// Of a peer, or all of a device; empty series for what was not seen twice.
  [[nodiscard]] const Traffic& peer(const std::string& device, const PublicKey& key) const;
  [[nodiscard]] const Traffic& device(const std::string& device) const;
  /// By how much a counter of the device grows a second.
  [[nodiscard]] double rate(const std::string& device, const std::string& counter) const;

 private:
  struct Counted {
    std::uint64_t rx = 0;
    std::uint64_t tx = 0;
    std::optional<protocol::MessageCounts> messages;
    Traffic traffic;
  };
  struct Device {
    std::map<PublicKey, Counted> peers;
    Traffic traffic;
    std::map<std::string, std::uint64_t> counters;
    std::map<std::string, double> rates;
  };

  static void add_messages(const protocol::PeerStatus& peer, Counted& counted);
  static void add_peers(const DeviceSnapshot& seen, Device& known, double seconds);
  static void add_counters(const DeviceSnapshot& seen, Device& known, double seconds);

  std::map<std::string, Device> devices_;
  Instant at_;
};

}  // namespace ferrule::monitor
