// A worker's buffers and lists: allocated once, touched as far as traffic needs them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/wire.h"
#include "crypto/aead.h"
#include "io/tun.h"
#include "io/udp.h"
#include "packet/merge.h"
#include "protocol/batch.h"
#include "protocol/messages.h"
#include "protocol/transport.h"

namespace ferrule::engine {

// --- bounds of a batch ---
constexpr std::size_t kMaxPacketSize = 65535;
// A batch ends when this much was read: the L2 cache holds it until it is sealed and sent.
constexpr std::size_t kBatchBytes = std::size_t{256} << 10;
// A batch of this size is worth waking another worker for, so that it reads on meanwhile.
constexpr std::size_t kPassLeadBytes = std::size_t{64} << 10;
constexpr std::size_t kTunSlots = 64;
constexpr std::size_t kReceiveSlots = 16;
// Room for a packet where it is sealed in place: prefix and header before it, padding and tag behind it.
constexpr std::size_t kHeadroom = kWirePrefix + protocol::TransportLayout::kHeaderSize;
constexpr std::size_t kPacketRoom = kHeadroom + kMaxPacketSize + 1 + protocol::kPaddingMultiple +
                                    protocol::TransportLayout::kTagSize;
constexpr std::size_t kDatagramRoom = 65536;
// For segments of a batch's super-packets, as messages. Each segment carries its headers again: a batch
// of very small ones is sent in several rounds.
constexpr std::size_t kSplitRoom = 2 * (kBatchBytes + kMaxPacketSize);

/// A transport data message on its way out, from its wire prefix on.
struct OutboundMessage {
  std::uint8_t* data;
  std::size_t size;
  std::uint32_t run;  // its place in SendPlan::runs
  std::uint8_t ecn;
};

/// Not thread-safe: each worker has its own. Memory is untouched, and so not resident, until used.
class Scratch {
 public:
  Scratch();

  // outwards
  std::vector<io::TunRead> reads;
  std::size_t mtu = 0;  // of the batch: it may change at any time
  std::vector<protocol::OutboundPacket> outbound;
  protocol::SendPlan send_plan;
  protocol::StagedBatch staged;
  std::vector<crypto::AeadPacket> aead;
  std::vector<OutboundMessage> messages;
  std::vector<Bytes> parts;
  std::vector<io::OutgoingDatagrams> trains;
  std::vector<std::uint32_t> train_runs;  // of each train

  // inwards
  std::vector<io::ReceivedDatagrams> received;
  std::vector<protocol::InboundMessage> inbound;
  protocol::ReceivePlan receive_plan;
  protocol::Opening opening;
  packet::Merger merger;
  std::vector<io::TunWrite> writes;

  // both
  protocol::Attention attention;

  [[nodiscard]] MutBytes tun_room(std::size_t slot) noexcept {
    return {tun_rooms_.get() + slot * kPacketRoom, kPacketRoom};
  }
  [[nodiscard]] MutBytes split_room() noexcept { return {split_room_.get(), kSplitRoom}; }

 private:
  std::unique_ptr<std::uint8_t[]> tun_rooms_;
  std::unique_ptr<std::uint8_t[]> split_room_;
  std::unique_ptr<std::uint8_t[]> datagram_rooms_;
};

}  // namespace ferrule::engine
