// What the control side of a device wants done: messages to send, and staged packets to let go.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/net.h"
#include "protocol/messages.h"

namespace ferrule::protocol {

/// A message that the control side wants sent: a handshake message, a cookie reply or a keepalive.
struct OutgoingMessage {
  std::array<std::uint8_t, kMaxHandshakeSize> bytes;
  std::uint8_t size = 0;
  std::uint8_t traffic_class = 0;
  Endpoint to;
  Source from;
  PeerId peer;  // none for a cookie reply

  [[nodiscard]] Bytes view() const noexcept { return Bytes(bytes.data(), size); }
  [[nodiscard]] MutBytes room() noexcept { return MutBytes(bytes.data(), size); }
};

/// A handshake message of ours, still without its bytes.
[[nodiscard]] OutgoingMessage outgoing_handshake(PeerId peer, std::size_t size, const Endpoint& to,
                                                 const Source& from);

/// What the control side wants done. The caller sends `messages` in order and has every lane call
/// DataPath::take_staged for each peer in `flush`, then clears both.
struct Outbox {
  std::vector<OutgoingMessage> messages;
  std::vector<PeerId> flush;
};

}  // namespace ferrule::protocol
