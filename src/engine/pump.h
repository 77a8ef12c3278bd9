// What both ways through a lane have in common: what they work with, and who works.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "crypto/aead.h"
#include "engine/handshake_intake.h"
#include "engine/inbox.h"
#include "engine/locks.h"
#include "engine/scratch.h"
#include "io/tun.h"
#include "protocol/data_path.h"

namespace ferrule::engine {

/// A worker's identity towards a lane: its buffers and its number as a reader of the tables.
struct Worker {
  Scratch& scratch;
  std::size_t reader;
};

enum class Pumped : std::uint8_t {
  nothing,  // the source was empty
  some,     // a batch went through
  broken,   // the door is gone; the inbox knows
};

/// How a worker that reads hands the lead to another one.
class Lead {
 public:
  virtual ~Lead() = default;
  /// Called when a batch is read that is worth another worker's while: from now on one may read on.
  virtual void pass() noexcept = 0;
};

/// What packets meet on their way. Owns nothing.
struct LaneParts {
  protocol::DataPath& data_path;
  Locks& locks;
  const crypto::AeadBackend& aead;
  Inbox& inbox;
  HandshakeIntake& intake;
  io::Tun& tun;

  /// Writes to the tunnel interface as io::Tun::write does, and counts what got lost.
  [[nodiscard]] Result<std::size_t> write(std::span<const io::TunWrite> batch) const {
    Result<std::size_t> written = tun.write(batch);
    if (const std::uint64_t lost = tun.take_write_failures(); lost > 0) {
      data_path.drops().count(protocol::Drop::tun_write_failed, lost);
    }
    return written;
  }
};

}  // namespace ferrule::engine
