// The other end of the configuration protocol: what a tool asks, and what it is answered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/keys.h"
#include "base/local_place.h"
#include "control/endpoint_text.h"
#include "control/wiped_text.h"
#include "protocol/configuration.h"

namespace ferrule::control {

/// What a device says of itself. Move-only, since it holds keys.
struct DeviceStatus {
  std::optional<PrivateKey> private_key;  // none: it has none, or does not tell
  std::optional<PublicKey> public_key;    // of the private key; UAPI leaves it to the reader
  std::uint16_t listen_port = 0;          // 0: none
  std::uint32_t fwmark = 0;               // 0: none
  std::vector<protocol::PeerStatus> peers;
};

/// A request is its text, up to and with the empty line.
constexpr std::string_view kGetRequest = "get=1\n\n";
constexpr std::string_view kStatsRequest = "stats=1\n\n";
constexpr std::string_view kSettingsRequest = "settings=1\n\n";

/// Names and numbers that a daemon counts, in its own order.
using Stats = std::vector<std::pair<std::string, std::uint64_t>>;

/// What a daemon counts of itself, and of its peers.
struct DeviceStats {
  Stats counters;
  std::map<PublicKey, protocol::MessageCounts> peers;
};

/// What was set of a daemon of ours with keys of ours.
struct DeviceSettings {
  LocalPlace place;
  std::vector<std::string> missing;  // of the place: not on the machine now
};

/// The text of a set request. It holds keys, hence the type.
[[nodiscard]] WipedText set_request(const protocol::DeviceChange& change, ScopeName name_of);

/// Reads an answer from the bytes of a connection. Keys that are not known are passed over: a newer
/// daemon may have more to say. Not thread-safe; serves one answer.
class UapiAnswer {
 public:
  explicit UapiAnswer(ScopeLookup scope_of) noexcept : scope_of_(scope_of) {}

  /// True once the answer is complete. False asks for more bytes.
  [[nodiscard]] bool feed(std::string_view bytes);

  /// What a complete answer says: nothing, or the error whose errno it gave. protocol_error when it is no
  /// answer that can be understood, or was not complete.
  [[nodiscard]] Result<void> outcome() const;
  /// The device, of a complete answer to a get request without error.
  [[nodiscard]] DeviceStatus& device() noexcept { return device_; }
  /// Names and numbers, of an answer to a stats request.
  [[nodiscard]] Stats& stats() noexcept { return stats_; }
  /// The same, with those of the peers.
  [[nodiscard]] DeviceStats device_stats() &&;
  /// Of an answer to a settings request.
  [[nodiscard]] DeviceSettings& settings() noexcept { return settings_; }

 private:
  void take_line(std::string_view line);
  [[nodiscard]] bool take(std::string_view key, std::string_view value);
  [[nodiscard]] bool take_device_key(std::string_view key, std::string_view value);
  [[nodiscard]] bool take_peer_key(std::string_view key, std::string_view value);

  ScopeLookup scope_of_;
  WipedText line_;  // the start of a line whose end is still to come
  bool is_complete_ = false;
  bool is_bad_ = false;
  std::optional<int> errno_;  // positive, as on the wire
  DeviceStatus device_;
  Stats stats_;
  DeviceSettings settings_;
};

}  // namespace ferrule::control
