// The control side of a device: what lanes point out, handshakes, timers, and sending what they want.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "base/time.h"
#include "engine/inbox.h"
#include "io/udp.h"
#include "protocol/device.h"

namespace ferrule::engine {

/// For one thread. Knows no system calls but the socket's, so that it also runs in virtual time.
class Control {
 public:
  /// Has every lane send what it staged for these peers (Lane::flush).
  using Flush = std::function<void(std::span<const PeerId> peers)>;

  /// Keeps references: all outlive it.
  Control(protocol::Device& device, Inbox& inbox, Flush flush)
      : device_(device), inbox_(inbox), flush_(std::move(flush)) {}

  /// All that is due: what lanes posted, a slice of the handshake queue (the inbox is roused when there
  /// is more), timers. Sends through `udp`; null: there is no socket, and messages are lost.
  void work(const Now& now, io::Udp* udp);

  /// For calls of the device that want something sent; `send` sends it.
  [[nodiscard]] protocol::Outbox& outbox() noexcept { return outbox_; }
  void send(io::Udp* udp);

 private:
  void send_messages(io::Udp& udp);

  protocol::Device& device_;
  Inbox& inbox_;
  Flush flush_;
  protocol::Attention attention_;
  std::vector<protocol::ReceivedHandshake> received_;
  protocol::Outbox outbox_;
  std::vector<Bytes> parts_;
  std::vector<io::OutgoingDatagrams> datagrams_;
};

}  // namespace ferrule::engine
