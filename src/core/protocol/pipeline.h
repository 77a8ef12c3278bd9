// Packets in, messages out, and back: the steps of the data path and of the control side in their order,
// for whoever has one thread. Tunnels, simulations and tests stand on it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/net.h"
#include "base/wire.h"
#include "crypto/aead.h"
#include "packet/ecn.h"
#include "packet/ip.h"
#include "protocol/batch.h"
#include "protocol/budget.h"
#include "protocol/device.h"
#include "protocol/transport.h"

namespace ferrule::protocol {

/// A datagram to send. It begins with kWirePrefix bytes for the transport.
struct OutgoingDatagram {
  Bytes bytes;
  Endpoint to;
  Source from;                     // none: the system chooses
  std::uint8_t traffic_class = 0;  // of the outer header, ECN included
  PeerId peer;                     // none for a cookie reply
};

/// Where what a pipeline makes goes, and whose memory it lies in.
class PipelineExit {
 public:
  virtual ~PipelineExit() = default;
  /// Memory for datagrams of `size` bytes in all, which is its owner's to keep for as long as they are.
  virtual MutBytes room(std::size_t size) = 0;
  /// To be sent, in order.
  virtual void send(const OutgoingDatagram& datagram) = 0;

  // For those who watch.
  virtual void planned(std::span<const OutboundPacket> /*packets*/) {}
  /// So many that waited for a peer's session go now; perhaps none.
  virtual void flushed(std::size_t /*packets*/) {}
  /// A packet in its message, padded; `send` of it follows.
  virtual void sealing(Bytes /*text*/, PeerId /*to*/, std::uint16_t /*lane*/) {}
  /// Of the lane whose packets keep their order, where there are several.
  [[nodiscard]] virtual std::uint16_t lane_of(Bytes /*packet*/) const { return 0; }
};

/// For one thread. `DevicePointer`: a Device*, or what has its ->. Keeps its memory from batch to batch, and
/// no keypair (P46). std::bad_alloc: the batch is lost, and all else sound.
template <class DevicePointer = Device*>
class Pipeline {
 public:
  Pipeline(DevicePointer device, const crypto::AeadBackend& aead, std::uint16_t lanes = 1)
      : device_(device), aead_(aead), lanes_(lanes) {}

  /// Packets from the interface: sealed and sent, staged, or dropped.
  void encapsulate(const Now& now, std::span<const Bytes> packets, PipelineExit& exit);
  /// Transport data from the network (classified): opened where it lies, and judged.
  void decapsulate(const Now& now, std::span<InboundMessage> messages);
  /// One turn of the control side, of which each kind of work gets a budget, and what comes of it. True
  /// when there is more.
  bool work(const Now& now, const Budget& each, PipelineExit& exit);
  /// The share of it that data asks for: no timer fires.
  bool attend(const Now& now, const Budget& budget, PipelineExit& exit);
  /// What control calls have left in the outbox: sent; and for whom they have a session now: staged packets.
  void emit(const Now& now, PipelineExit& exit);

  /// For control calls, and for calls that raise it.
  [[nodiscard]] Outbox& outbox() noexcept { return outbox_; }
  [[nodiscard]] Attention& attention() noexcept { return attention_; }
  /// A device that starts anew has nothing under way.
  void clear() noexcept {
    outbox_ = {};
    attention_.clear();
  }

 private:
  // Of the outbox and such: what a turn fills.
  static constexpr std::size_t kKept = 64;

  void attend_some(const Now& now, Budget budget);
  void seal(PipelineExit& exit);
  void flush(const Now& now, PeerId peer, std::uint16_t lane, PipelineExit& exit);
  template <class T>
  static void reset(std::vector<T>& list) noexcept {
    list.clear();
    if (list.capacity() > kKept) std::vector<T>().swap(list);
  }

  DevicePointer device_;
  const crypto::AeadBackend& aead_;
  std::uint16_t lanes_;

  std::vector<OutboundPacket> outbound_;
  SendPlan send_plan_;
  std::vector<crypto::AeadPacket> sealing_;
  std::vector<OutgoingDatagram> datagrams_;
  ReceivePlan receive_plan_;
  Opening opening_;
  Attention attention_;
  Outbox outbox_;
};

template <class DevicePointer>
void Pipeline<DevicePointer>::encapsulate(const Now& now, std::span<const Bytes> packets,
                                          PipelineExit& exit) {
  const std::size_t mtu = device_->mtu();
  outbound_.assign(packets.size(), {});
  for (std::size_t i = 0; i < packets.size(); ++i) {
    outbound_[i].inner = packets[i];
    outbound_[i].wire_bytes = transport_size(packets[i].size(), mtu);
  }
  send_plan_.clear();
  device_->plan_send(now, outbound_, send_plan_, attention_);
  exit.planned(outbound_);
  for (const OutboundPacket& packet : outbound_) {
    if (packet.verdict != Verdict::stage) continue;
    device_->stage(now, packet.place_of(0), packet.inner, exit.lane_of(packet.inner), attention_);
  }
  seal(exit);
  send_plan_.clear();  // lets go of the keypairs (P46)
}

template <class DevicePointer>
void Pipeline<DevicePointer>::seal(PipelineExit& exit) {
  std::size_t size = 0;
  for (const OutboundPacket& packet : outbound_) {
    if (packet.verdict != Verdict::send) continue;
    size += kWirePrefix + static_cast<std::size_t>(packet.wire_bytes);
  }
  if (size == 0) return;
  MutBytes room = exit.room(size);
  sealing_.clear();
  datagrams_.clear();
  for (const OutboundPacket& packet : outbound_) {
    if (packet.verdict != Verdict::send) continue;
    const SendRun& run = send_plan_.runs[packet.run];
    const MutBytes datagram = room.first(kWirePrefix + static_cast<std::size_t>(packet.wire_bytes));
    room = room.subspan(datagram.size());
    const MutBytes message = datagram.subspan(kWirePrefix);
    copy(packet.inner, message.subspan(TransportLayout::kHeaderSize));
    sealing_.push_back(begin_message(message.data(), packet.inner.size(),
                                     message.size() - TransportLayout::kOverhead, *run.keypair,
                                     packet.first_counter));
    datagrams_.push_back({datagram, run.to, run.from, packet.ecn, run.peer});
    exit.sealing({sealing_.back().data, sealing_.back().size}, run.peer,
                 exit.lane_of(packet.inner));
  }
  aead_.seal(sealing_);
  for (const OutgoingDatagram& datagram : datagrams_) exit.send(datagram);
}

template <class DevicePointer>
void Pipeline<DevicePointer>::decapsulate(const Now& now, std::span<InboundMessage> messages) {
  receive_plan_.clear();
  device_->plan_receive(now, messages, receive_plan_);
  opening_.open(aead_, receive_plan_, messages);
  device_->finish_receive(now, receive_plan_, messages, attention_);
  receive_plan_.clear();  // lets go of the keypairs (P46)
}

template <class DevicePointer>
void Pipeline<DevicePointer>::attend_some(const Now& now, Budget budget) {
  const std::size_t attended = device_->attend(now, attention_, budget, outbox_);
  attention_.erase(attention_.begin(), attention_.begin() + static_cast<std::ptrdiff_t>(attended));
}

template <class DevicePointer>
bool Pipeline<DevicePointer>::attend(const Now& now, const Budget& budget, PipelineExit& exit) {
  attend_some(now, budget);
  emit(now, exit);
  return !attention_.empty();
}

template <class DevicePointer>
bool Pipeline<DevicePointer>::work(const Now& now, const Budget& each, PipelineExit& exit) {
  attend_some(now, each);
  Budget catching_up = each;
  const bool more_to_catch_up = device_->catch_up(now, catching_up);
  Budget firing = each;
  const bool more_to_fire = device_->fire_timers(now, firing, outbox_);
  emit(now, exit);
  return more_to_catch_up || more_to_fire || !attention_.empty();
}

template <class DevicePointer>
void Pipeline<DevicePointer>::emit(const Now& now, PipelineExit& exit) {
  for (const OutgoingMessage& message : outbox_.messages) {
    MutBytes datagram = exit.room(kWirePrefix + message.size);
    copy(message.view(), datagram.subspan(kWirePrefix));
    exit.send({datagram, message.to, message.from, message.traffic_class, message.peer});
  }
  reset(outbox_.messages);
  for (const PeerId peer : outbox_.flush) {
    for (std::uint16_t lane = 0; lane < lanes_; ++lane) flush(now, peer, lane, exit);
  }
  reset(outbox_.flush);
}

template <class DevicePointer>
void Pipeline<DevicePointer>::flush(const Now& now, PeerId peer, std::uint16_t lane,
                                    PipelineExit& exit) {
  StagedBatch batch;
  device_->take_staged(now, peer, lane, batch, attention_);
  exit.flushed(batch.packets.size());
  if (batch.packets.empty()) return;
  std::size_t size = 0;
  for (const StagedPacket& packet : batch.packets) size += packet.message.view().size();
  MutBytes room = exit.room(size);
  std::uint64_t counter = batch.first_counter;
  sealing_.clear();
  datagrams_.clear();
  for (const StagedPacket& packet : batch.packets) {
    const Bytes staged = packet.message.view();
    const MutBytes datagram = room.first(staged.size());
    room = room.subspan(staged.size());
    copy(staged, datagram);
    const MutBytes message = datagram.subspan(kWirePrefix);
    packet::IpView ip;
    const Bytes inner = Bytes(message).subspan(TransportLayout::kHeaderSize, packet.size);
    const bool parsed = packet::parse_ip(inner, ip) == packet::IpFault::none;
    sealing_.push_back(begin_message(message.data(), packet.size,
                                     message.size() - TransportLayout::kOverhead,
                                     *batch.run.keypair, counter++));
    datagrams_.push_back({datagram, batch.run.to, batch.run.from,
                          parsed ? packet::encapsulated_ecn(ip.traffic_class) : std::uint8_t{0},
                          peer});
    exit.sealing({sealing_.back().data, sealing_.back().size}, peer, lane);
  }
  aead_.seal(sealing_);
  for (const OutgoingDatagram& datagram : datagrams_) exit.send(datagram);
}

}  // namespace ferrule::protocol
