// What goes into and comes out of the data path, a batch at a time: plan (under locks, short), seal or
// open (no lock, any thread), finish (under locks, in order).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "base/ids.h"
#include "base/net.h"
#include "packet/ip.h"
#include "protocol/drop.h"
#include "protocol/keypair.h"
#include "protocol/peer.h"

namespace ferrule::protocol {

/// Peers that the control side must look at (Handshaker::attend), raised once each until it has.
using Attention = std::vector<PeerId>;

enum class Verdict : std::uint8_t {
  send,   // seal it with the run's keypair
  stage,  // no session: hand its datagrams to DataPath::stage
  drop,
};

/// Where one datagram stands among those that wait for its peer's session: behind all that were planned
/// before it, and before all that were planned later (P44a, P77).
struct StagingPlace {
  PeerId peer;
  std::uint64_t number = 0;
};

/// A packet from the tunnel interface. The first three fields are the caller's, the rest is the plan.
struct OutboundPacket {
  Bytes inner;                   // an IP packet, or a super-packet that will become several
  std::uint32_t datagrams = 1;   // how many
  std::uint64_t wire_bytes = 0;  // their sizes as messages, summed (transport_size of each)

  Verdict verdict = Verdict::drop;
  Drop drop = Drop::none;
  std::uint8_t ecn = 0;      // for the outer header
  bool may_be_ours = false;  // a message in UDP, as we send them
  PeerId peer;
  std::uint32_t run = 0;            // its place in SendPlan::runs
  std::uint64_t first_counter = 0;  // `datagrams` consecutive ones are its own
  std::uint64_t first_place = 0;    // the same, where it is to be staged

  /// For DataPath::stage, of each of its datagrams.
  [[nodiscard]] StagingPlace place_of(std::size_t datagram) const noexcept {
    return {peer, first_place + datagram};
  }
};

/// Consecutive packets to one peer, and all that sealing and sending them needs. Owns a reference to
/// the keypair: let it go (SendPlan::clear) as soon as the batch is done.
struct SendRun {
  PeerId peer;
  KeypairRef keypair;
  Endpoint to;
  Source from;
};

struct SendPlan {
  std::vector<SendRun> runs;
  void clear() noexcept { runs.clear(); }
};

/// Staged packets that may go now; each is a whole message but for its sealing.
struct StagedBatch {
  SendRun run;
  std::uint64_t first_counter = 0;
  StagedPackets packets;
};

/// A transport data message from the network (type 4, classified). The first four fields are the
/// caller's.
struct InboundMessage {
  MutBytes message;
  Endpoint from;
  Source to;
  std::uint8_t outer_ecn = 0;

  static constexpr std::uint32_t kNoKeypair = UINT32_MAX;
  std::uint32_t keypair = kNoKeypair;  // its place in ReceivePlan::keypairs, unless dropped
  std::uint64_t counter = 0;
  bool opened = false;     // set by whoever opens: the tag was right
  Drop drop = Drop::none;  // after each step
  MutBytes inner;          // after finish_receive: the IP packet to deliver; empty for keepalives
  packet::IpView ip{};     // its header, parsed

  /// It is to be opened.
  [[nodiscard]] bool is_planned() const noexcept { return keypair != kNoKeypair; }
  [[nodiscard]] MutBytes ciphertext() const noexcept {  // without the tag
    return message.subspan(TransportLayout::kHeaderSize,
                           message.size() - TransportLayout::kOverhead);
  }
};

/// Owns a reference to each keypair of a batch of messages: clear it as soon as the batch is done (P46).
/// Messages name their keypairs by places in here, and are of no use with another plan or none.
struct ReceivePlan {
  std::vector<KeypairRef> keypairs;

  /// Of a message that is planned.
  [[nodiscard]] Keypair& keypair_of(const InboundMessage& message) const noexcept {
    FERRULE_CHECK(message.keypair < keypairs.size());
    return *keypairs[message.keypair];
  }
  void clear() noexcept { keypairs.clear(); }
};

}  // namespace ferrule::protocol
