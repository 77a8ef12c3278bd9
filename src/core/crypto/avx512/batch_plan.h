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
#include "crypto/avx512/chacha.h"

namespace ferrule::crypto::avx512 {

/// Packets that are worked on together: their one-time keys fill half of the first pass.
constexpr std::size_t kMaxGroup = 16;
static_assert(kMaxGroup <= kMaxLanes);

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
};

/// One pass: its lanes, and the segments on them in ascending order.
class Pass {
 public:
  /// A pass whose first lanes are for one-time keys.
  void start(unsigned key_lanes) noexcept {
    count_ = 0;
    lanes_ = key_lanes;
  }
  /// Adds as many of `blocks` blocks as there is room for; returns their number.
  unsigned add(unsigned packet, std::uint32_t block, std::uint32_t blocks) noexcept {
    const unsigned lanes = std::min(blocks, kMaxLanes - lanes_);
    segments_[count_++] = {packet, lanes_, lanes, block};
    lanes_ += lanes;
    return lanes;
  }

  [[nodiscard]] std::span<const Segment> segments() const noexcept {
    return std::span(segments_).first(count_);
  }
  [[nodiscard]] unsigned lanes() const noexcept { return lanes_; }

 private:
  std::array<Segment, kMaxLanes> segments_;
  std::size_t count_ = 0;
  unsigned lanes_ = 0;
};

/// Hands out the passes of a group of 1 to 16 packets one by one. The packets must outlive it.
class BatchPlan {
 public:
  explicit BatchPlan(std::span<const AeadPacket> packets) noexcept : packets_(packets) {}

  /// The first pass: lane i is for the one-time key of packet i.
  void first(Pass& pass) noexcept {
    pass.start(static_cast<unsigned>(packets_.size()));
    fill(pass);
  }
  /// The next pass; false when there is no more.
  bool next(Pass& pass) noexcept {
    pass.start(0);
    fill(pass);
    return pass.lanes() != 0;
  }

 private:
  void fill(Pass& pass) noexcept {
    while (packet_ < packets_.size() && pass.lanes() < kMaxLanes) {
      const std::uint32_t blocks = blocks_of(packets_[packet_]);
      if (done_ < blocks) done_ += pass.add(packet_, done_ + 1, blocks - done_);
      if (done_ < blocks) return;
      ++packet_;
      done_ = 0;
    }
  }
  static std::uint32_t blocks_of(const AeadPacket& packet) noexcept {
    return static_cast<std::uint32_t>((packet.size + kBlockSize - 1) / kBlockSize);
  }

  std::span<const AeadPacket> packets_;
  unsigned packet_ = 0;     // the first whose blocks are not all handed out
  std::uint32_t done_ = 0;  // how many of its blocks are
};

}  // namespace ferrule::crypto::avx512
