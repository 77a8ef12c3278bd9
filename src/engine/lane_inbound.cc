// Network to tunnel interface.
#include <algorithm>

#include "engine/lane.h"

namespace ferrule::engine {

using protocol::Drop;
using protocol::InboundMessage;
using protocol::MessageType;

Pumped Lane::pump_inbound(const Now& now, Worker worker, Lead& lead) {
  Scratch& scratch = worker.scratch;
  Turns::Ticket ticket;
  {
    MutexLock lock(inbound_lead_);
    const Result<std::size_t> received = udp_->receive(scratch.received);
    if (!received) {
      inbox_.socket_died();
      return Pumped::broken;
    }
    if (*received == 0) return Pumped::nothing;
    Locks::TablesShared tables(locks_, worker.reader);
    const std::size_t bytes = sort_datagrams(now, scratch, *received);
    scratch.receive_plan.clear();
    device_.plan_receive(now, scratch.inbound, scratch.receive_plan);
    ticket = inbound_turns_.draw();
    if (bytes >= kPassLeadBytes) lead.pass();
  }
  open_messages(scratch);
  inbound_turns_.await(ticket);
  {
    Locks::TablesShared tables(locks_, worker.reader);
    device_.finish_receive(now, scratch.inbound, scratch.attention);
  }
  deliver(scratch);
  inbound_turns_.pass(ticket);
  scratch.receive_plan.clear();  // lets go of the keypairs (P46)
  inbox_.post(scratch.attention);
  return Pumped::some;
}

std::size_t Lane::sort_datagrams(const Now& now, Scratch& scratch, std::size_t count) {
  std::size_t bytes = 0;
  scratch.inbound.clear();
  for (std::size_t i = 0; i < count; ++i) {
    const io::ReceivedDatagrams& slot = scratch.received[i];
    bytes += slot.size;
    const std::size_t stride = std::max<std::size_t>(slot.segment_size, 1);
    for (std::size_t at = 0; at < slot.size; at += stride) {
      const MutBytes message = slot.room.subspan(at, std::min(stride, slot.size - at));
      const std::optional<MessageType> type = protocol::classify(message);
      if (!type) {
        device_.drops().count(Drop::malformed);
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

void Lane::take_handshake(const Now& now, const io::ReceivedDatagrams& slot, Bytes message,
                          MessageType type) {
  Drop drop = device_.admit_handshake(message, type);
  if (drop == Drop::none) {
    protocol::HandshakeMessage queued;
    queued.size = static_cast<std::uint8_t>(message.size());
    copy(message, queued.bytes);
    queued.from = slot.from;
    queued.to = slot.to;
    drop = inbox_.post(now.boot, queued);
  }
  if (drop != Drop::none) device_.drops().count(drop);
}

void Lane::open_messages(Scratch& scratch) const {
  scratch.aead.clear();
  for (InboundMessage& message : scratch.inbound) {
    if (message.keypair == nullptr) continue;
    const MutBytes text = message.ciphertext();
    scratch.aead.push_back(
        {text.data(), text.size(), &message.keypair->receiving_key(), message.counter});
  }
  const std::span<bool> opened = scratch.opened(scratch.aead.size());
  aead_.open(scratch.aead, opened);
  std::size_t next = 0;
  for (InboundMessage& message : scratch.inbound) {
    if (message.keypair != nullptr) message.opened = opened[next++];
  }
}

void Lane::deliver(Scratch& scratch) {
  scratch.parts.clear();
  scratch.writes.clear();
  scratch.parts.reserve(scratch.inbound.size());  // writes point into it
  for (const InboundMessage& message : scratch.inbound) {
    if (message.keypair == nullptr || message.drop != Drop::none || message.inner.empty()) continue;
    scratch.parts.push_back(message.inner);
    scratch.writes.push_back({{&scratch.parts.back(), 1}, {}});
  }
  if (scratch.writes.empty()) return;
  if (const Result<std::size_t> written = tun_.write(scratch.writes); !written) {
    inbox_.tun_gone();
  }
}

}  // namespace ferrule::engine
