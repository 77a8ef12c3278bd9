// Network to tunnel interface.
#include <algorithm>
#include <new>
#include <optional>

#include "engine/inbound.h"
#include "packet/split.h"

namespace ferrule::engine {

using protocol::Drop;
using protocol::InboundMessage;
using protocol::MessageType;

Pumped Inbound::pump(const Now& now, Worker worker, Lead& lead) noexcept {
  Scratch& scratch = worker.scratch;
  Pumped pumped = Pumped::some;
  try {
    pumped = carry(now, worker, lead);
  } catch (const std::bad_alloc&) {
    parts_.data_path.drops().count(Drop::no_resources, scratch.inbound.size());
    scratch.merger.forget();  // what is read next comes to stand where its packets stand
  }
  scratch.receive_plan.clear();  // lets go of the keypairs (P46)
  parts_.inbox.post(scratch.attention);
  return pumped;
}

Pumped Inbound::carry(const Now& now, Worker worker, Lead& lead) {
  Scratch& scratch = worker.scratch;
  std::optional<Turn> turn;
  {
    MutexLock lock(lead_);
    const Result<std::size_t> received = udp_->receive(scratch.received);
    if (!received) {
      parts_.inbox.socket_died();
      return Pumped::broken;
    }
    if (*received == 0) return Pumped::nothing;
    Locks::TablesShared tables(parts_.locks, worker.reader);
    const std::size_t bytes = sort_datagrams(now, scratch, *received);
    parts_.data_path.plan_receive(now, scratch.inbound, scratch.receive_plan);
    turn.emplace(turns_);
    if (bytes >= kPassLeadBytes) lead.pass();
  }
  scratch.opening.open(parts_.aead, scratch.receive_plan, scratch.inbound);
  turn->await();
  {
    Locks::TablesShared tables(parts_.locks, worker.reader);
    parts_.data_path.finish_receive(now, scratch.receive_plan, scratch.inbound, scratch.attention);
  }
  deliver(scratch);
  return Pumped::some;
}

std::size_t Inbound::sort_datagrams(const Now& now, Scratch& scratch, std::size_t count) {
  std::size_t bytes = 0;
  scratch.inbound.clear();
  for (std::size_t i = 0; i < count; ++i) {
    const io::ReceivedDatagrams& slot = scratch.received[i];
    bytes += slot.size;
    const std::size_t stride = std::max<std::size_t>(slot.segment_size, 1);
    for (std::size_t at = 0; at < slot.size; at += stride) {
      const MutBytes datagram = slot.room.subspan(at, std::min(stride, slot.size - at));
      const MutBytes message = datagram.subspan(std::min(kWirePrefix, datagram.size()));
      const std::optional<MessageType> type = protocol::classify(message);
      if (!type) {
        parts_.data_path.drops().count(Drop::malformed);
      } else if (*type == MessageType::transport_data) {
        InboundMessage inbound;
        inbound.message = message;
        inbound.from = slot.from;
        inbound.to = slot.to;
        inbound.outer_ecn = slot.ecn;
        scratch.inbound.push_back(inbound);
      } else {
        take_handshake(now, slot, message, *type);
      }
    }
  }
  return bytes;
}

void Inbound::take_handshake(const Now& now, const io::ReceivedDatagrams& slot, Bytes message,
                             MessageType type) {
  protocol::HandshakeMessage queued;
  queued.size = static_cast<std::uint8_t>(message.size());
  copy(message, queued.bytes);
  queued.from = slot.from;
  queued.to = slot.to;
  Drop drop = parts_.data_path.admit_handshake(queued, type);
  if (drop == Drop::none) drop = parts_.intake.post(now.boot, queued);
  if (drop != Drop::none) parts_.data_path.drops().count(drop);
}

void Inbound::deliver(Scratch& scratch) {
  scratch.merger.set_support(parts_.tun.offload_support());
  std::size_t packets = 0;
  for (const InboundMessage& message : scratch.inbound) {
    const bool delivered = message.is_planned() && message.drop == Drop::none;
    if (!delivered || message.inner.empty()) continue;
    scratch.merger.add(message.inner);
    ++packets;
  }
  packets_.fetch_add(packets, std::memory_order_relaxed);
  scratch.writes.clear();
  for (const packet::MergedPacket& packet : scratch.merger.finish()) {
    scratch.writes.push_back({packet.parts, packet.offload});
  }
  std::span<const io::TunWrite> rest = scratch.writes;
  while (!rest.empty()) {
    const Result<std::size_t> written = parts_.write(rest);
    if (!written) {
      parts_.inbox.tun_failed();
      return;
    }
    rest = rest.subspan(*written);
    if (rest.empty()) return;
    write_split(scratch, rest.front());  // the interface refuses this super-packet
    rest = rest.subspan(1);
  }
}

void Inbound::write_split(Scratch& scratch, const io::TunWrite& refused) {
  const MutBytes whole = scratch.split_room();
  std::size_t size = 0;
  for (const Bytes part : refused.parts) {
    copy(part, whole.subspan(size));
    size += part.size();
  }
  const packet::Splitter splitter(whole.first(size), refused.offload);
  const MutBytes room = whole.subspan(size);
  for (std::size_t i = 0; i < splitter.count(); ++i) {
    const Bytes segment = room.first(splitter.write(i, room));
    const io::TunWrite plain{{&segment, 1}, {}};
    if (!parts_.write({&plain, 1})) return;  // gone: the next read says so too
  }
}

}  // namespace ferrule::engine
