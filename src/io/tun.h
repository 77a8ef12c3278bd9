// The inner door: IP packets of the tunnel interface, in batches, super-packets included.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "packet/offload.h"

namespace ferrule::io {

/// Room for one IP packet or super-packet, and what came. The packet starts at `room[headroom]`;
/// the bytes before it, and behind it up to the end of `room`, are the caller's to use afterwards.
struct TunRead {
  MutBytes room;
  std::size_t headroom = 0;  // set by the caller
  std::size_t size = 0;      // bytes of packet
  packet::Offload offload;   // what the kernel left to do: segmentation, checksum
};

/// One IP packet or super-packet to hand to the kernel, gathered from `parts`.
struct TunWrite {
  std::span<const Bytes> parts;
  packet::Offload offload;
};

/// One queue of a tunnel interface that is up or down: while it is down, reads give nothing and
/// writes are lost. `read` may be called by one thread at a time, `write` by any.
class Tun {
 public:
  virtual ~Tun() = default;

  /// Takes what is there without waiting: up to slots.size() packets. 0 when nothing is. An Error
  /// means that the interface is gone.
  [[nodiscard]] virtual Result<std::size_t> read(std::span<TunRead> slots) = 0;

  /// Hands over packets in order and returns how many of the batch are done with, from its start. An
  /// ordinary packet that the kernel refuses is lost and counted. A super-packet that it refuses ends
  /// the call: when the result is less than batch.size(), batch[result] is one, nothing of it and of
  /// what follows was taken, and the caller writes its segments and then the rest, so that the order
  /// holds (P77). An Error means that the interface is gone.
  [[nodiscard]] virtual Result<std::size_t> write(std::span<const TunWrite> batch) = 0;

  /// Packets that `write` has lost since the last call of this: refused by the kernel, or the interface
  /// was down. Any thread.
  [[nodiscard]] virtual std::uint64_t take_write_failures() noexcept = 0;

  /// Whether super-packets may come and go (IFF_VNET_HDR with TSO; USO besides). A kind that the
  /// kernel keeps refusing to take turns false.
  [[nodiscard]] virtual packet::OffloadSupport offload_support() const noexcept = 0;
};

}  // namespace ferrule::io
