// What has happened between two looks at a machine's devices.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/keys.h"
#include "monitor/snapshot.h"

namespace ferrule::monitor {

enum class EventKind : std::uint8_t {
  device_appeared,
  device_vanished,
  peer_added,
  peer_removed,
  connected,  // a handshake, after a time without a session
  quiet,      // the session has died: no handshake for 180 s
  roamed,     // the peer's endpoint moved from `from` to `to`
  no_answer,  // handshakes have been sent for a while, in vain
  refused,    // `count` messages or packets were dropped for `reason`
};

/// The name of a kind as programs read it: that of the enumerator.
[[nodiscard]] std::string_view name_of(EventKind kind) noexcept;

struct Event {
  EventKind kind;
  std::string device;
  std::optional<PublicKey> peer = {};
  std::string name = {};  // of the peer, where it has one
  Endpoint from = {};     // none if it had none
  Endpoint to = {};
  std::string reason = {};
  std::uint64_t count = 0;
};

/// Compares each snapshot with what it knows from those before. What is there at the first look is
/// not news. Not thread-safe; reads no clock.
class EventFinder {
 public:
  [[nodiscard]] std::vector<Event> look(const Snapshot& snapshot);

 private:
  // So long must a peer have been called in vain before that is an event.
  static constexpr Duration kPatience = 15s;

  struct Peer {
    Endpoint endpoint;
    std::uint64_t tx_bytes = 0;
    bool has_session = false;
    std::optional<Instant> calling_since;
    bool told_no_answer = false;
  };
  struct Device {
    std::map<PublicKey, Peer> peers;
    std::map<std::string, std::uint64_t> drops;
  };

  static void look_at_peers(const Now& now, const DeviceSnapshot& seen, Device& known,
                            std::vector<Event>& events);
  static void look_at(const Now& now, const DeviceSnapshot& device,
                      const protocol::PeerStatus& status, Peer& known, std::vector<Event>& events);
  static void note_calls(const Now& now, const DeviceSnapshot& device,
                         const protocol::PeerStatus& status, Peer& known,
                         std::vector<Event>& events);
  static void look_at_drops(const DeviceSnapshot& seen, Device& known, bool is_new,
                            std::vector<Event>& events);

  bool has_looked_ = false;
  std::map<std::string, Device> devices_;
};

}  // namespace ferrule::monitor
