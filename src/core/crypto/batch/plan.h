// How a group of packets is laid on the lanes of ChaCha passes: for each packet block 0, which makes
// its one-time key, and the blocks of data. A pass runs across the borders of packets, so that no lane
// is idle but in the last one.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "crypto/aead.h"

namespace ferrule::crypto::batch {

/// Packets that are worked on together.
constexpr std::size_t kMaxGroup = 16;

/// ChaCha20's, in bytes.
constexpr std::size_t kBlockSize = 64;

/// In what order blocks are made. Who opens wants to authenticate before there is plaintext, so all
/// one-time keys come first; who seals has nothing to authenticate before there is ciphertext.
enum class Order { keys_first, packet_by_packet };

/// Consecutive blocks of one packet on consecutive lanes.
struct BlockRun {
  unsigned packet;
  unsigned lane;
  unsigned lanes;
  std::uint32_t block;  // ChaCha's counter in the first lane

  /// Whether the first lane makes the one-time key. Data starts with block 1.
  [[nodiscard]] constexpr bool has_key() const noexcept { return block == 0; }
  /// The first lane with key stream for data.
  [[nodiscard]] constexpr unsigned data_lane() const noexcept { return lane + (has_key() ? 1 : 0); }
  /// Where in the packet the data of that lane lie.
  [[nodiscard]] constexpr std::size_t offset() const noexcept {
    return (std::max(block, std::uint32_t{1}) - std::size_t{1}) * kBlockSize;
  }
  /// How many bytes of a packet of `size` the run covers: the last block may be short.
  [[nodiscard]] constexpr std::size_t bytes(std::size_t size) const noexcept {
    return std::min((lane + lanes - data_lane()) * kBlockSize, size - offset());
  }
};

/// How many blocks a packet takes: one for its key, and those of its data.
constexpr std::size_t blocks_of(const AeadPacket& packet) noexcept {
  return (packet.size + kBlockSize - 1) / kBlockSize + 1;
}

/// Whether packets take `limit` blocks at most.
constexpr bool fit_in(std::span<const AeadPacket> packets, std::size_t limit) noexcept {
  if (packets.size() > limit) return false;
  std::size_t blocks = 0;
  for (const AeadPacket& packet : packets) blocks += blocks_of(packet);
  return blocks <= limit;
}

/// How far a group's data have key stream: the first `packets` of them have all of theirs, and of
/// the next one, if there is one, the first `bytes` bytes have.
struct Progress {
  unsigned packets = 0;
  std::size_t bytes = 0;
};

/// One pass over at most `kLanes` lanes: the runs on them, in ascending order.
template <unsigned kLanes>
class Pass {
 public:
  /// A pass whose first lanes make the one-time keys of `keys` packets from `packet` on.
  void start(unsigned packet, unsigned keys) noexcept {
    for (unsigned i = 0; i < keys; ++i) runs_[i] = {packet + i, i, 1, 0};
    count_ = keys_ = lanes_ = keys;
  }
  /// Adds as many of `blocks` blocks as there is room for; returns their number.
  unsigned add(unsigned packet, std::uint32_t block, std::uint32_t blocks) noexcept {
    const unsigned lanes = std::min(blocks, kLanes - lanes_);
    runs_[count_++] = {packet, lanes_, lanes, block};
    lanes_ += lanes;
    return lanes;
  }
  void end(const Progress& after) noexcept { after_ = after; }

  [[nodiscard]] std::span<const BlockRun> runs() const noexcept {
    return std::span(runs_).first(count_);
  }
  /// Those of them that have data.
  [[nodiscard]] std::span<const BlockRun> data() const noexcept { return runs().subspan(keys_); }
  [[nodiscard]] unsigned lanes() const noexcept { return lanes_; }
  [[nodiscard]] bool is_full() const noexcept { return lanes_ == kLanes; }
  /// How far the group is after this pass.
  [[nodiscard]] const Progress& after() const noexcept { return after_; }

 private:
  std::array<BlockRun, kLanes> runs_;
  unsigned count_ = 0;
  unsigned keys_ = 0;  // the first ones, which make a key and nothing else
  unsigned lanes_ = 0;
  Progress after_;
};

/// Hands out the passes of a group of 1 to 16 packets one by one. The packets must outlive it.
template <unsigned kLanes>
class Plan {
 public:
  Plan(std::span<const AeadPacket> packets, Order order) noexcept
      : packets_(packets), first_block_(order == Order::keys_first ? 1 : 0), next_(first_block_) {
    if (order == Order::packet_by_packet) keys_ = count();
  }

  /// The next pass; false when there is no more. There is one at least.
  bool next(Pass<kLanes>& pass) noexcept {
    const unsigned keys = std::min(count() - keys_, kLanes);
    pass.start(keys_, keys);
    keys_ += keys;
    if (keys_ == count()) add_packets(pass);
    pass.end({packet_, next_ == 0 ? 0 : (next_ - std::size_t{1}) * kBlockSize});
    return pass.lanes() != 0;
  }

 private:
  void add_packets(Pass<kLanes>& pass) noexcept {
    for (; packet_ < count(); ++packet_, next_ = first_block_) {
      const auto end = static_cast<std::uint32_t>(blocks_of(packets_[packet_]));
      if (next_ < end && !pass.is_full()) next_ += pass.add(packet_, next_, end - next_);
      if (next_ < end) return;
    }
  }
  [[nodiscard]] unsigned count() const noexcept { return static_cast<unsigned>(packets_.size()); }

  std::span<const AeadPacket> packets_;
  std::uint32_t first_block_;  // of a packet, among those that are added with it
  unsigned keys_ = 0;          // how many packets need no lane of their own for the key any more
  unsigned packet_ = 0;        // the first whose blocks are not all handed out
  std::uint32_t next_;         // of its blocks
};

}  // namespace ferrule::crypto::batch
