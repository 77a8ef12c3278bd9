// What must hold: each checker is told what happens and throws a Violation when it may not.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/batch.h"
#include "sim/datagram.h"

namespace ferrule::sim {

class Host;
class World;
struct Session;

struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A handshake message that a device has dealt with.
struct Handled {
  const Host& host;
  const Datagram& in;
  bool under_load;
  std::uint64_t drops;            // how many were counted meanwhile
  std::span<const Datagram> out;  // what the device sent meanwhile
  bool flushed;                   // staged packets were asked for
  bool moved_endpoints;           // the device now believes a peer elsewhere
};

/// A transport message that a device has dealt with.
struct Received {
  const Host& host;
  const Datagram& in;
  const Session* session;  // which its index names, if the device still has it or had it once
  std::uint64_t counter;
  protocol::Drop drop;
  Bytes plaintext;  // whatever became of it; empty if it was not opened, or a keepalive
  bool taken;       // its sender has proven himself, and it is new
  bool delivered;
  bool was_alone;  // not in a batch with others
};

/// Datagrams that a device found together.
struct Batch {
  const Host& host;
  bool only_strangers;    // nobody who holds a key made any of them, as it is
  std::uint64_t taken;    // transport messages whose sender has proven himself, and new ones
  std::uint64_t refused;  // transport messages
  std::uint64_t drops;    // counted for them
  std::span<const Datagram> out;  // what they made the device send
  bool moved_endpoints;
};

/// Checkers see, and never touch. One object for each rule, for all hosts of a world.
class Checker {
 public:
  virtual ~Checker() = default;
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;

  /// A host's AEAD was given a key to seal with.
  virtual void sealed(const Host&, Bytes /*key*/, std::uint64_t /*counter*/) {}
  /// A device wants this sent, and its socket may yet refuse. `peer` is none for cookie replies.
  virtual void emitted(const Host&, const Datagram&, PeerId /*peer*/) {}
  /// An inner packet was sealed; part of a call of `emitted` that follows.
  virtual void packet_left(const Host&, std::uint64_t /*number*/, PeerId, std::uint16_t /*lane*/) {}
  /// A device has planned a batch of inner packets; `drops` were counted meanwhile.
  virtual void planned(const Host&, std::span<const protocol::OutboundPacket>,
                       std::uint64_t /*drops*/) {}
  virtual void handled(const Handled&) {}
  virtual void received(const Received&) {}
  virtual void received_batch(const Batch&) {}
  /// The device of a host was replaced, downed, or got another private key.
  virtual void began_anew(const Host&) {}
  /// A device was told to remove peers: what it knew of them is gone.
  virtual void forgot_peers(const Host&) {}
  /// After each step of the world.
  virtual void stepped(World&) {}
  /// Nobody sent anything of his own accord for longer than any timer takes.
  virtual void rested(World&) {}

 protected:
  [[noreturn]] void fail(const std::string& what) const {
    throw Violation(std::string(name()) + ": " + what);
  }
};

using Checkers = std::vector<std::unique_ptr<Checker>>;

/// One of each.
[[nodiscard]] Checkers make_checkers();

}  // namespace ferrule::sim
