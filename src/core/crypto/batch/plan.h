// How a group of packets is laid on the lanes of ChaCha passes: first block 0 of every packet, which
// makes its one-time key, then the blocks of data, packet after packet. A pass runs across the
// borders of packets, so that no lane is idle but in the last one.
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

/// Consecutive blocks of data of one packet on consecutive lanes.
struct Segment {
  unsigned packet;
  unsigned lane;
  unsigned lanes;
  std::uint32_t block;  // ChaCha's counter in the first lane; data starts with block 1

  /// Where the first block lies in the packet.
  [[nodiscard]] constexpr std::size_t offset() const noexcept {
    return (block - std::size_t{1}) * kBlockSize;
  }
  /// How many bytes of a packet of `size` the segment covers: its last block may be short.
  [[nodiscard]] constexpr std::size_t bytes(std::size_t size) const noexcept {
    return std::min(lanes * kBlockSize, size - offset());
  }
};

/// How far a group's data have key stream: the first `packets` of them have all of theirs, and of
/// the next one, if there is one, the first `bytes` bytes have.
struct Progress {
  unsigned packets = 0;
  std::size_t bytes = 0;
};

/// One pass over at most `kLanes` lanes: lanes for one-time keys, then the segments in ascending
/// order.
template <unsigned kLanes>
class Pass {
 public:
  /// Lane i, of the first `keys`, is for the one-time key of packet `first_key` + i.
  void start(unsigned first_key, unsigned keys) noexcept {
    first_key_ = first_key;
    keys_ = lanes_ = keys;
    count_ = 0;
  }
  /// Adds as many of `blocks` blocks as there is room for; returns their number.
  unsigned add(unsigned packet, std::uint32_t block, std::uint32_t blocks) noexcept {
    const unsigned lanes = std::min(blocks, kLanes - lanes_);
    segments_[count_++] = {packet, lanes_, lanes, block};
    lanes_ += lanes;
    return lanes;
  }
  void end(const Progress& after) noexcept { after_ = after; }

  [[nodiscard]] unsigned first_key() const noexcept { return first_key_; }
  [[nodiscard]] unsigned keys() const noexcept { return keys_; }
  [[nodiscard]] std::span<const Segment> segments() const noexcept {
    return std::span(segments_).first(count_);
  }
  [[nodiscard]] unsigned lanes() const noexcept { return lanes_; }
  /// How far the group is after this pass.
  [[nodiscard]] const Progress& after() const noexcept { return after_; }

 private:
  std::array<Segment, kLanes> segments_;
  std::size_t count_ = 0;
  unsigned first_key_ = 0;
  unsigned keys_ = 0;
  unsigned lanes_ = 0;
  Progress after_;
};

/// Hands out the passes of a group of 1 to 16 packets one by one. The packets must outlive it.
template <unsigned kLanes>
class Plan {
 public:
  explicit Plan(std::span<const AeadPacket> packets) noexcept : packets_(packets) {}

  /// The next pass; false when there is no more. There is one at least.
  bool next(Pass<kLanes>& pass) noexcept {
    const auto keys = std::min(static_cast<unsigned>(packets_.size()) - keys_, kLanes);
    pass.start(keys_, keys);
    keys_ += keys;
    if (keys_ == packets_.size()) fill(pass);
    pass.end({packet_, done_ * kBlockSize});
    return pass.lanes() != 0;
  }

 private:
  void fill(Pass<kLanes>& pass) noexcept {
    while (packet_ < packets_.size()) {
      const std::uint32_t blocks = blocks_of(packets_[packet_]);
      if (done_ < blocks) {
        if (pass.lanes() == kLanes) return;
        done_ += pass.add(packet_, done_ + 1, blocks - done_);
      }
      if (done_ < blocks) return;
      ++packet_;
      done_ = 0;
    }
  }
  static std::uint32_t blocks_of(const AeadPacket& packet) noexcept {
    return static_cast<std::uint32_t>((packet.size + kBlockSize - 1) / kBlockSize);
  }

  std::span<const AeadPacket> packets_;
  unsigned keys_ = 0;       // how many packets have a lane for their one-time key
  unsigned packet_ = 0;     // the first whose blocks are not all handed out
  std::uint32_t done_ = 0;  // how many of its blocks are
};

/// Whether all packets point to one key.
inline bool share_a_key(std::span<const AeadPacket> packets) noexcept {
  return std::ranges::all_of(
      packets, [&](const AeadPacket& packet) { return packet.key == packets[0].key; });
}

}  // namespace ferrule::crypto::batch
