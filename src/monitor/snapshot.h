// What devices say of themselves at one moment, for commands that go on looking.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "client/device_client.h"
#include "control/uapi_client.h"
#include "monitor/peer_names.h"

namespace ferrule::monitor {

/// A device at one moment. Its secrets have been let go.
struct DeviceSnapshot {
  std::string name;
  control::DeviceStatus status;
  control::Stats stats;  // empty where the daemon does not tell
  std::shared_ptr<const PeerNames> names = std::make_shared<const PeerNames>();

  /// Adds what the daemon counts: `stats`, and `messages` of peers.
  void take(control::DeviceStats told);
  /// A counter by its name; 0 where there is none.
  [[nodiscard]] std::uint64_t stat(std::string_view counter) const noexcept;
  /// What people call a peer; "" where they call it nothing.
  [[nodiscard]] std::string_view name_of(const PublicKey& peer) const noexcept;
};

/// One that did not answer, and the errno that says why: ENODEV when it is not there.
struct AbsentDevice {
  std::string name;
  int code = 0;
};

/// The devices that answered, and those that did not, by name.
struct Snapshot {
  Now now;
  std::vector<DeviceSnapshot> devices;
  std::vector<AbsentDevice> absent = {};
  int list_error = 0;  // the errno when nobody could say which there are
};

/// Asks the devices of these names, or all when there are none.
[[nodiscard]] Snapshot take_snapshot(client::DeviceClient& client,
                                     const std::vector<std::string>& names, NameBook& book,
                                     const Now& now);

/// Whether the peer's last handshake is recent enough for a session (P45).
[[nodiscard]] bool has_session(const protocol::PeerStatus& peer, const WallTime& now) noexcept;

}  // namespace ferrule::monitor
