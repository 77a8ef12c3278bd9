#include "engine/scratch.h"

#include "protocol/constants.h"

namespace ferrule::engine {

Scratch::Scratch()
    : tun_rooms_(std::make_unique_for_overwrite<std::uint8_t[]>(kTunSlots * kPacketRoom)),
      split_room_(std::make_unique_for_overwrite<std::uint8_t[]>(kSplitRoom)),
      datagram_rooms_(
          std::make_unique_for_overwrite<std::uint8_t[]>(kReceiveSlots * kDatagramRoom)) {
  reads.resize(kTunSlots);
  for (std::size_t i = 0; i < kTunSlots; ++i) {
    // What is behind it is for padding and tag, whatever comes.
    reads[i].room = tun_room(i).first(kHeadroom + kMaxPacketSize);
    reads[i].headroom = kHeadroom;
  }
  outbound.reserve(kTunSlots);
  send_plan.runs.reserve(kTunSlots);
  messages.reserve(protocol::kMaxStagedPackets);
  parts.reserve(protocol::kMaxStagedPackets);
  trains.reserve(protocol::kMaxStagedPackets);
  train_runs.reserve(protocol::kMaxStagedPackets);
  aead.reserve(protocol::kMaxStagedPackets);
  received.resize(kReceiveSlots);
  for (std::size_t i = 0; i < kReceiveSlots; ++i) {
    received[i].room = {datagram_rooms_.get() + i * kDatagramRoom, kDatagramRoom};
  }
}

}  // namespace ferrule::engine
