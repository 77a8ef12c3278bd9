// A whole tunnel in one object, for programs that bring their own sockets, clock and randomness:
// packets in, datagrams out, and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"
#include "base/net.h"
#include "base/rng.h"
#include "base/time.h"
#include "control/wiped_text.h"
#include "crypto/aead.h"
#include "protocol/device.h"
#include "protocol/exclusion.h"
#include "protocol/handshake_queue.h"
#include "protocol/pipeline.h"

namespace ferrule::tunnel {

using Outgoing = protocol::OutgoingDatagram;

/// A datagram that came. It is opened where it lies.
struct Incoming {
  MutBytes bytes;
  Endpoint from;
  Source to;             // the local address and interface that it came to, where they are known
  std::uint8_t ecn = 0;  // the two ECN bits of the outer header
};

/// What a call leads to. Its owner keeps it from call to call: each clears it first, and keeps its
/// memory. Datagrams lie in `room`; packets in the datagrams that they came in.
struct Output {
  std::vector<Outgoing> datagrams;  // to be sent, in order
  std::vector<Bytes> packets;       // IP packets for the inside, in order
  std::deque<std::vector<std::uint8_t>> room;

  void clear() noexcept;
};

/// All of it is for one thread. It does no work of its own: `tick` is wanted at `next_deadline()`, and
/// each other call does what there is to do as well. Each takes a bounded turn (Budget); with more to do,
/// the next deadline is one that has passed. Costs of a call grow with its batch alone.
///
/// Super-packets and many cores are the engine's (docs/decisions/0023-who-stands-on-the-pipeline.md).
/// std::bad_alloc: the batch is lost, the tunnel is sound.
class Tunnel {
 public:
  /// Keeps references. `aead`: null: the fastest.
  Tunnel(Rng& rng, Log& log, const crypto::AeadBackend* aead = nullptr);
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  /// IP packets from the inside, each for the peer whose allowed IPs hold its destination. Those whose
  /// peer has no session yet are staged, and go when it has.
  void encapsulate(const Now& now, std::span<const Bytes> packets, Output& out);
  /// Datagrams from the network, which may hold anything, from anybody.
  void decapsulate(const Now& now, std::span<const Incoming> datagrams, Output& out);
  /// What became of a datagram that was handed out: `error` is the system's number, 0 for sent. Bytes count
  /// as sent when this says so (P78), and a refusal is logged once.
  void sent(const Outgoing& datagram, int error = 0) noexcept;
  /// What time asks for: handshakes and keepalives, ends of keys.
  void tick(const Now& now, Output& out);
  /// When tick is wanted; none when nothing is waited for.
  [[nodiscard]] std::optional<Instant> next_deadline() noexcept;

  /// All or nothing. Port and mark are kept for `get` and for who binds sockets; a place to bind to is
  /// refused (operation_not_supported), since nobody would hear of it.
  [[nodiscard]] Result<void> configure(const Now& now, protocol::DeviceChange change, Output& out);
  /// Requests in UAPI's text (set=1, get=1), and the answer to each. What is no whole request is
  /// answered with an error. The text of a set holds keys: it is the caller's to wipe.
  [[nodiscard]] control::WipedText configure(const Now& now, std::string_view uapi, Output& out);
  /// A tunnel is down at first: nothing is sent or taken.
  void up(const Now& now, Output& out);
  void down() noexcept { device_.down(); }

  [[nodiscard]] std::uint16_t listen_port() const noexcept { return listen_port_; }
  [[nodiscard]] std::uint32_t fwmark() const noexcept { return fwmark_; }
  /// For what is asked seldom: peers, counters, MTU.
  [[nodiscard]] protocol::Device& device() noexcept { return device_; }

 private:
  void sort(const Now& now, std::span<const Incoming> datagrams);
  void queue_handshake(const Now& now, const Incoming& incoming, Bytes message,
                       protocol::MessageType type);
  void work(const Now& now, Output& out);
  int answer_set(const Now& now, protocol::DeviceChange change, Output& out);

  const crypto::AeadBackend& aead_;
  protocol::NoExclusion exclusion_;
  protocol::Device device_;
  protocol::Pipeline<> pipeline_;
  protocol::HandshakeQueue queue_;
  std::uint16_t listen_port_ = 0;
  std::uint32_t fwmark_ = 0;
  bool has_more_ = false;

  // Kept for their memory.
  std::vector<protocol::InboundMessage> inbound_;
  std::vector<protocol::ReceivedHandshake> received_;
};

}  // namespace ferrule::tunnel
