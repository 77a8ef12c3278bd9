// Packets on their way through a device, sans-IO, a batch at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/rng.h"
#include "base/time.h"
#include "protocol/batch.h"
#include "protocol/device_tables.h"
#include "protocol/handshake_queue.h"
#include "protocol/messages.h"

namespace ferrule::protocol {

/// The size of the message that carries an inner packet of `size` bytes: header, the packet padded to
/// a multiple of 16 but never beyond the MTU (P70), tag.
[[nodiscard]] std::size_t padded_size(std::size_t size, std::size_t mtu) noexcept;
[[nodiscard]] inline std::size_t transport_size(std::size_t size, std::size_t mtu) noexcept {
  return padded_size(size, mtu) + TransportLayout::kOverhead;
}

/// The data path of a Device. Any number of threads, each holding the tables shared (exclusion.h) around
/// each call. What it finds and may not do itself, it puts on the caller's Attention list.
///
/// Without memory (P35) a packet is dropped, and counted as no_resources. The only std::bad_alloc comes
/// from plan_send and plan_receive, where lists of the caller's can't grow; the device is sound then.
class DataPath {
 public:
  /// Keeps references. `rng` must be thread-safe if there is more than one thread.
  DataPath(Rng& rng, DeviceTables& tables) noexcept : rng_(rng), tables_(tables) {}

  // --- outwards (data_path_send.cc, data_path_staging.cc) ---

  /// Routes each packet, takes keypairs and reserves counters; timers and byte counts are told at
  /// once. Appends the runs to `plan`. Packets of one flow keep their order over calls (P73, P77).
  void plan_send(const Now& now, std::span<OutboundPacket> packets, SendPlan& plan,
                 Attention& attention);
  /// Keeps one datagram's inner packet until its peer has a session (P73), and asks for one whatever
  /// becomes of the packet (P73a). `place` is the datagram's by its plan; `lane` will be asked for it.
  void stage(const Now& now, const StagingPlace& place, Bytes packet, std::uint16_t lane,
             Attention& attention) noexcept;
  /// Gives a lane the packets that it staged, if the peer has a session now.
  void take_staged(const Now& now, PeerId peer, std::uint16_t lane, StagedBatch& out,
                   Attention& attention) noexcept;

  // --- inwards (data_path_receive.cc) ---

  /// Drop::none when a handshake message (types 1 to 3) is worth queueing: its mac1 is ours (P80), and
  /// that is noted in it. Handshaker::handle believes the note, and checks messages without one itself.
  [[nodiscard]] Drop admit_handshake(HandshakeMessage& message, MessageType type) const noexcept;
  /// Finds each message's keypair and checks age and limits (P72). Messages keep their slot; those
  /// with a drop are done.
  void plan_receive(const Now& now, std::span<InboundMessage> messages, ReceivePlan& plan);
  /// After opening, in the order of receipt, with the plan that the messages were opened by: replay window,
  /// endpoint, key confirmation, timers, inner header, ECN, source (P72).
  void finish_receive(const Now& now, const ReceivePlan& plan, std::span<InboundMessage> messages,
                      Attention& attention) noexcept;

  // --- what became of it (data_path_outcome.cc) ---

  /// What became of messages to a peer, of every kind, once they were handed to the system: it took
  /// `bytes` of them (P78), and refused others for `error`, an errno; 0: none.
  void sent(PeerId peer, std::uint64_t bytes, int error, Attention& attention) noexcept;
  /// The kernel refused this source for the peer, whole or with its interface: `left` is `nothing` or
  /// `address`. Messages that come to it do not bring it back (P75).
  void source_refused(PeerId peer, const Source& refused, SourceUse left);

  [[nodiscard]] DropCounters& drops() noexcept { return tables_.drops; }
  [[nodiscard]] std::size_t mtu() const noexcept {
    return tables_.mtu.load(std::memory_order_relaxed);
  }

 private:
  using RunOf = std::span<OutboundPacket>;

  void route(std::span<OutboundPacket> packets) const noexcept;
  void plan_run(const Now& now, RunOf run, RunOf before, SendPlan& plan, Attention& attention);
  void plan_run_locked(const Now& now, Peer& peer, RunOf run, bool must_wait, SendPlan& plan);
  void plan_to_stage(PeerTraffic& traffic, RunOf run) noexcept;
  void refuse(RunOf run, Drop why) noexcept;
  static void raise_attention(Peer& peer, Attention& attention) noexcept;

  // loops (data_path_loop.cc)
  [[nodiscard]] static bool may_be_ours(Bytes packet, const packet::IpView& ip) noexcept;
  [[nodiscard]] bool is_of_locked(const Peer& peer, std::uint32_t index,
                                  bool is_data) const noexcept;
  [[nodiscard]] Peer* returned_to(const Now& now, const ReturnedMessage& message,
                                  Peer& through) noexcept;
  void drop_loop(const Now& now, OutboundPacket& packet, Attention& attention) noexcept;

  // staged packets
  [[nodiscard]] bool may_stage() const noexcept {
    return tables_.up && tables_.mac1.has_identity();
  }
  static void ask_to_send(const Now& now, PeerTraffic& traffic) noexcept;
  void make_room(Peer& own) noexcept;

  Drop accept_locked(const Now& now, Peer& peer, Keypair& keypair, InboundMessage& message);
  Drop inspect_inner(const Peer& peer, InboundMessage& message) const noexcept;

  Rng& rng_;
  DeviceTables& tables_;
};

}  // namespace ferrule::protocol
