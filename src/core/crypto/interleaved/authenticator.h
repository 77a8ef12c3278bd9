// The tags of a group of packets, made packet after packet, as far as their ciphertext is at hand. So
// that the work may be done in pieces of any size, between other work: by whoever asks for a run of
// blocks and adds them to its sum, or here, when all that is at hand must be done.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "crypto/batch/plan.h"
#include "crypto/interleaved/machine.h"
#include "crypto/interleaved/poly1305.h"

namespace ferrule::crypto::interleaved {

/// Whole blocks of one packet, one after the other in memory.
struct Run {
  PolySum sum;   // of what lies before
  Multiplier r;  // by which it is multiplied
  const std::uint8_t* next;
  std::size_t blocks;

  /// Adds the next `count` blocks, of which there must be as many.
  __attribute__((always_inline)) void add(std::size_t count) noexcept {
    PolySum h = sum;
    const std::uint8_t* block = next;
    for (std::size_t i = 0; i < count; ++i, block += kPolyBlockSize) add_block(h, r, block);
    sum = h;
    next = block;
    blocks -= count;
  }
};

/// For one group of 1 to 16 packets, which must outlive it. Branches and addresses depend on lengths
/// alone.
class Authenticator {
 public:
  /// Begins with a new group.
  void start(std::span<const AeadPacket> packets) noexcept;
  /// The one-time key of the next packet, from its block of key stream.
  void add_key(const std::uint8_t* block) noexcept { keys_[key_count_++] = one_time_key(block); }
  /// So far the packets hold their ciphertext now.
  void release(const batch::Progress& progress) noexcept { released_ = progress; }

  /// Whether there are `count` blocks or more as one run, released and of a packet whose key is there;
  /// if not, there may be fewer of them. Ends packets, and begins with others, on the way.
  bool has_run(std::size_t count) noexcept { return has_run_in(released_, count); }
  /// The run that has_run found.
  [[nodiscard]] Run& run() noexcept { return run_; }
  /// Whether anything is released beyond that run.
  [[nodiscard]] bool has_more_than_run() const noexcept { return now_ < released_.packets; }
  /// Does what is still to be done up to there.
  void catch_up(const batch::Progress& end) noexcept;

  /// The tag of a packet, once everything is released and done.
  [[nodiscard]] const Tag& tag(std::size_t packet) const noexcept { return tags_[packet]; }

  /// Overwrites what is secret.
  FERRULE_VECTOR_INLINE void wipe() noexcept {
    interleaved::wipe(keys_.data(), vectors(most_packets_ * sizeof keys_[0]));
    interleaved::wipe(tags_.data(), vectors(most_packets_ * sizeof tags_[0]));
    interleaved::wipe(&run_, sizeof run_ / kVecSize);
  }

 private:
  static constexpr std::size_t vectors(std::size_t bytes) noexcept {
    return (bytes + kVecSize - 1) / kVecSize;
  }
  [[nodiscard]] const AeadPacket& packet() const noexcept { return packets_[now_]; }
  bool has_run_in(const batch::Progress& released, std::size_t count) noexcept;
  bool start_packet(bool is_whole, std::size_t bytes) noexcept;
  void end_packet() noexcept;

  std::span<const AeadPacket> packets_;
  batch::Progress released_;
  std::size_t key_count_ = 0;
  std::size_t now_ = 0;  // the packet whose sum is being made
  bool started_ = false;
  std::size_t most_packets_ = 0;  // of any group
  alignas(kVecSize) Run run_;
  alignas(kVecSize) std::array<OneTimeKey, batch::kMaxGroup> keys_;
  alignas(kVecSize) std::array<Tag, batch::kMaxGroup> tags_;
  static_assert(sizeof run_ % kVecSize == 0 && sizeof keys_ % kVecSize == 0);
};

}  // namespace ferrule::crypto::interleaved
