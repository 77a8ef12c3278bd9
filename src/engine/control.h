// The control side of a device: what lanes point out, handshakes, timers, and sending what they want.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "base/time.h"
#include "base/wire.h"
#include "engine/handshake_intake.h"
#include "engine/inbox.h"
#include "io/udp.h"
#include "protocol/device.h"

namespace ferrule::engine {

/// For one thread. Knows no system calls but the socket's, so that it also runs in virtual time.
class Control {
 public:
  /// Has every lane send what it staged for these peers (Outbound::flush).
  using Flush = std::function<void(std::span<const PeerId> peers)>;

  /// Keeps references: all outlive it.
  Control(protocol::Device& device, Inbox& inbox, HandshakeIntake& intake, Flush flush)
      : device_(device), inbox_(inbox), intake_(intake), flush_(std::move(flush)) {
    received_.reserve(protocol::kHandshakesTogether);
    parts_.reserve(kSendTogether * (kWirePrefix > 0 ? 2 : 1));
    datagrams_.reserve(kSendTogether);
  }

  /// One turn: a batch of the handshake queue and its answers, then a bounded share of the timers that
  /// are due, of what lanes posted, and of what all peers are to follow. The inbox is roused when there
  /// is more. Sends through `udp`; null: there is no socket, and messages are lost.
  /// Needs no memory: what it can't have is dropped and counted, or waits for the next call (P35).
  void work(const Now& now, io::Udp* udp);

  /// For calls of the device that want something sent; `send` sends it.
  [[nodiscard]] protocol::Outbox& outbox() noexcept { return outbox_; }
  void send(io::Udp* udp);

 private:
  static constexpr std::size_t kSendTogether = 64;
  // Lists that a burst made longer than this give their memory back.
  static constexpr std::size_t kKeptRoom = 1024;

  [[nodiscard]] bool attend(const Now& now, protocol::Budget& budget);
  void send_together(io::Udp& udp, std::span<const protocol::OutgoingMessage> messages);

  protocol::Device& device_;
  Inbox& inbox_;
  HandshakeIntake& intake_;
  Flush flush_;
  protocol::Attention attention_;
  std::size_t attended_ = 0;  // of attention_
  std::vector<protocol::ReceivedHandshake> received_;
  protocol::Outbox outbox_;
  protocol::Attention unsent_;  // raised by what became of messages
  std::vector<Bytes> parts_;
  std::vector<io::OutgoingDatagrams> datagrams_;
};

}  // namespace ferrule::engine
