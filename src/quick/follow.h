// Names of peers that are looked up again while the peers do not answer: dynamic DNS.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "client/device_client.h"
#include "control/values.h"
#include "files/listener.h"
#include "protocol/configuration.h"
#include "quick/quick_file.h"
#include "quick/transaction.h"

namespace ferrule::quick {

using Seconds = std::chrono::seconds;

/// A session in use makes a handshake every two minutes, and tries for 15 s.
constexpr Seconds kUsualSilence{135};
constexpr Seconds kCheckPause{30};

/// True when the name is one, and no address.
[[nodiscard]] bool is_name(const control::HostPort& endpoint);

/// Whether someone follows the names of this interface.
[[nodiscard]] bool are_names_followed(const std::string& interface);

/// Where a peer of the file is a name: starts `resolve --follow` in the background, which ends with
/// the interface.
[[nodiscard]] Result<void> follow_names(const QuickFile& file, files::Listener& listener,
                                        Run run = Run::real);

/// Hears what came of looking up the names of an interface's peers.
class NameListener : public files::Listener {
 public:
  virtual void moved(const PublicKey& peer, const std::string& host, const Endpoint& to) = 0;
  virtual void failed(const PublicKey& peer, const std::string& host, const std::string& why) = 0;
};

/// Looks up the names of peers that do not answer. What it is given outlives it. Used by one thread.
class Follower {
 public:
  /// `read_file` reads the file again, when it has changed; none leaves us with what we have.
  using ReadFile = std::function<std::optional<QuickFile>()>;
  Follower(client::DeviceClient& devices, QuickFile file, ReadFile read_file, Seconds silence,
           NameListener& listener)
      : devices_(devices),
        file_(std::move(file)),
        read_file_(std::move(read_file)),
        silence_(silence),
        listener_(listener) {}

  /// Looks up the names of all peers that are silent and due. Fails when the device can't be asked.
  [[nodiscard]] Result<void> check(std::int64_t now_s, bool is_once);
  /// Checks until the interface is gone, unless somebody does so already.
  [[nodiscard]] Result<void> follow();

 private:
  struct Pace {
    std::chrono::steady_clock::time_point next_try;
    Seconds pause = kCheckPause;
    std::uint64_t sent_bytes = 0;  // when this peer's silence began, or its endpoint was changed
  };

  void read_again();
  [[nodiscard]] bool is_silent(const protocol::PeerStatus& peer, std::int64_t now_s) const {
    return now_s - peer.last_handshake.seconds >= silence_.count();
  }
  [[nodiscard]] bool is_due(const protocol::PeerStatus& peer);
  [[nodiscard]] bool is_still(const protocol::PeerStatus& peer);
  void look_up_again(const protocol::PeerStatus& peer, const control::HostPort& name);

  client::DeviceClient& devices_;
  QuickFile file_;
  ReadFile read_file_;
  Seconds silence_;
  NameListener& listener_;
  timespec read_at_{};
  std::map<PublicKey, Pace> paces_;
  bool is_hasty_ = false;  // a peer is looked up that has never answered
};

}  // namespace ferrule::quick
