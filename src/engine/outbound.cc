// Tunnel interface to network.
#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <optional>

#include "engine/outbound.h"
#include "engine/outcome.h"
#include "packet/ecn.h"
#include "packet/icmp.h"
#include "packet/split.h"

namespace ferrule::engine {

using protocol::Drop;
using protocol::OutboundPacket;
using protocol::TransportLayout;
using protocol::Verdict;

namespace {

// Reads in small bites, so that a batch ends at kBatchBytes and not at kTunSlots super-packets.
constexpr std::size_t kBite = 4;

// Of a message with so much padded text.
constexpr std::size_t wire_size(std::size_t padded) noexcept {
  return kWirePrefix + padded + TransportLayout::kOverhead;
}

MutBytes packet_of(const io::TunRead& read) { return read.room.subspan(read.headroom, read.size); }

// How a packet will look on the wire; false when its offload request makes no sense.
bool describe(const io::TunRead& read, std::size_t mtu, OutboundPacket& packet) {
  packet = {};
  packet.inner = packet_of(read);
  if (read.offload.gso == packet::GsoType::none) {
    packet.wire_bytes = protocol::transport_size(read.size, mtu);
    return true;
  }
  const packet::Splitter splitter(packet.inner, read.offload);
  if (splitter.count() == 0) return false;
  packet.datagrams = static_cast<std::uint32_t>(splitter.count());
  const std::size_t full = protocol::transport_size(splitter.size_of(0), mtu);
  const std::size_t last = protocol::transport_size(splitter.size_of(splitter.count() - 1), mtu);
  packet.wire_bytes = full * (splitter.count() - 1) + last;
  return true;
}

}  // namespace

Pumped Outbound::pump(const Now& now, Worker worker, Lead& lead) noexcept {
  Scratch& scratch = worker.scratch;
  Pumped pumped = Pumped::some;
  try {
    pumped = carry(now, worker, lead);
  } catch (const std::bad_alloc&) {
    parts_.data_path.drops().count(Drop::no_resources, scratch.outbound.size());
  }
  scratch.send_plan.clear();  // lets go of the keypairs (P46)
  parts_.inbox.post(scratch.attention);
  return pumped;
}

Pumped Outbound::carry(const Now& now, Worker worker, Lead& lead) {
  Scratch& scratch = worker.scratch;
  std::size_t count = 0;
  std::optional<Turn> turn;
  {
    MutexLock lock(lead_);
    const Result<Batch> batch = read_batch(scratch);
    if (!batch) {
      parts_.inbox.tun_failed();
      return Pumped::broken;
    }
    if (batch->count == 0) return Pumped::nothing;
    count = batch->count;
    plan(now, worker, count);
    turn.emplace(turns_);
    if (batch->bytes >= kPassLeadBytes) lead.pass();
  }
  Cut cut;
  do {
    make_messages(scratch, count, cut);
    parts_.aead.seal(scratch.aead);
    make_trains(scratch);
    turn->await();
    send_trains(worker);
  } while (cut.packet < count);
  turn.reset();
  scratch.send_plan.clear();  // before the answers, which take system calls
  answer_unreachable(now, scratch, count);
  return Pumped::some;
}

Result<Outbound::Batch> Outbound::read_batch(Scratch& scratch) {
  Batch batch;
  while (batch.count < kTunSlots && batch.bytes < kBatchBytes) {
    const std::size_t bite = std::min(kBite, kTunSlots - batch.count);
    const auto room = std::span(scratch.reads).subspan(batch.count, bite);
    const Result<std::size_t> read = parts_.tun.read(room);
    if (!read) return std::unexpected(read.error());
    for (const io::TunRead& packet : room.first(*read)) batch.bytes += packet.size;
    batch.count += *read;
    if (*read < bite) break;
  }
  return batch;
}

void Outbound::plan(const Now& now, Worker worker, std::size_t count) {
  Scratch& scratch = worker.scratch;
  scratch.mtu = parts_.data_path.mtu();
  scratch.outbound.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    // An empty packet is dropped by its header.
    if (!describe(scratch.reads[i], scratch.mtu, scratch.outbound[i]))
      scratch.outbound[i].inner = {};
  }
  Locks::TablesShared tables(parts_.locks, worker.reader);
  parts_.data_path.plan_send(now, scratch.outbound, scratch.send_plan, scratch.attention);
  for (std::size_t i = 0; i < count; ++i) {
    const OutboundPacket& packet = scratch.outbound[i];
    if (packet.verdict != Verdict::stage) continue;
    const MutBytes inner = packet_of(scratch.reads[i]);
    const packet::Offload& offload = scratch.reads[i].offload;
    if (offload.gso == packet::GsoType::none) {
      packet::complete_checksum(inner, offload);
      parts_.data_path.stage(now, packet.place_of(0), inner, lane_, scratch.attention);
      continue;
    }
    const packet::Splitter splitter(inner, offload);
    for (std::size_t n = 0; n < splitter.count(); ++n) {
      const std::size_t size = splitter.write(n, scratch.split_room());
      parts_.data_path.stage(now, packet.place_of(n), scratch.split_room().first(size), lane_,
                             scratch.attention);
    }
  }
}

void Outbound::add_message(Scratch& scratch, const NewMessage& made) {
  const protocol::SendRun& run = scratch.send_plan.runs[made.run];
  scratch.aead.push_back(
      protocol::begin_message(made.data, made.size, made.padded, *run.keypair, made.counter));
  scratch.messages.push_back({made.data - kWirePrefix, wire_size(made.padded), made.run, made.ecn});
}

// Small segments make much more of a super-packet than it was: when the room is full, what there is
// goes first, and `cut` says where to go on.
void Outbound::make_messages(Scratch& scratch, std::size_t count, Cut& cut) {
  scratch.aead.clear();
  scratch.messages.clear();
  std::size_t used = 0;
  for (; cut.packet < count; ++cut.packet, cut.segment = 0) {
    const OutboundPacket& packet = scratch.outbound[cut.packet];
    if (packet.verdict != Verdict::send) continue;
    const io::TunRead& read = scratch.reads[cut.packet];
    if (read.offload.gso != packet::GsoType::none) {
      if (!cut_segments(scratch, cut, used)) return;
      continue;
    }
    packet::complete_checksum(packet_of(read), read.offload);
    add_message(scratch, {.data = read.room.data() + read.headroom - TransportLayout::kHeaderSize,
                          .size = read.size,
                          .padded = protocol::padded_size(read.size, scratch.mtu),
                          .counter = packet.first_counter,
                          .run = packet.run,
                          .ecn = packet.ecn});
  }
}

// Each segment goes straight to its place in the train: one copy, and a fixed stride. False when the
// room ended before the super-packet did.
bool Outbound::cut_segments(Scratch& scratch, Cut& cut, std::size_t& used) {
  const OutboundPacket& packet = scratch.outbound[cut.packet];
  const io::TunRead& read = scratch.reads[cut.packet];
  const packet::Splitter splitter(packet_of(read), read.offload);
  const MutBytes room = scratch.split_room();
  for (; cut.segment < splitter.count(); ++cut.segment) {
    const std::size_t size = splitter.size_of(cut.segment);
    const std::size_t padded = protocol::padded_size(size, scratch.mtu);
    if (used + wire_size(padded) > room.size()) return false;
    const MutBytes text = room.subspan(used + kHeadroom);
    (void)splitter.write(cut.segment, text);
    add_message(scratch, {.data = room.data() + used + kWirePrefix,
                          .size = size,
                          .padded = padded,
                          .counter = packet.first_counter + cut.segment,
                          .run = packet.run,
                          .ecn = packet.ecn});
    used += wire_size(padded);
  }
  return true;
}

void Outbound::make_trains(Scratch& scratch) {
  scratch.parts.clear();
  scratch.trains.clear();
  scratch.train_runs.clear();
  scratch.parts.reserve(scratch.messages.size());  // trains point into it
  for (std::size_t begin = 0; begin < scratch.messages.size();) {
    const OutboundMessage& first = scratch.messages[begin];
    const std::size_t first_part = scratch.parts.size();
    std::size_t bytes = 0;
    std::size_t end = begin;
    // A train: one peer, one ECN mark, one size, and perhaps a shorter last one.
    for (bool open = true; open && end < scratch.messages.size(); ++end) {
      const OutboundMessage& next = scratch.messages[end];
      if (next.run != first.run || next.ecn != first.ecn || next.size > first.size ||
          bytes + next.size > io::kMaxSendSize || end - begin == io::kMaxSegments) {
        break;
      }
      open = next.size == first.size;
      bytes += next.size;
      const bool adjoins = scratch.parts.size() > first_part &&
                           scratch.parts.back().data() + scratch.parts.back().size() == next.data;
      if (adjoins) {
        scratch.parts.back() = {scratch.parts.back().data(),
                                scratch.parts.back().size() + next.size};
      } else {
        scratch.parts.push_back({next.data, next.size});
      }
    }
    const protocol::SendRun& run = scratch.send_plan.runs[first.run];
    io::OutgoingDatagrams train;
    train.parts = std::span(scratch.parts).subspan(first_part);
    train.segment_size = end - begin > 1 ? first.size : 0;
    train.to = run.to;
    train.from = run.from;
    train.traffic_class = first.ecn;
    scratch.trains.push_back(train);
    scratch.train_runs.push_back(first.run);
    begin = end;
  }
}

void Outbound::send_trains(Worker worker) {
  Scratch& scratch = worker.scratch;
  if (scratch.trains.empty()) return;
  packets_.fetch_add(scratch.messages.size(), std::memory_order_relaxed);
  (void)udp_->send(scratch.trains);
  Locks::TablesShared tables(parts_.locks, worker.reader);
  for (std::size_t i = 0; i < scratch.trains.size();) {
    const std::uint32_t run = scratch.train_runs[i];
    Outcome outcome(scratch.send_plan.runs[run].peer);
    for (; i < scratch.trains.size() && scratch.train_runs[i] == run; ++i) {
      outcome.add(scratch.trains[i]);
    }
    outcome.tell(parts_.data_path, scratch.attention);
  }
}

void Outbound::answer_unreachable(const Now& now, Scratch& scratch, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const OutboundPacket& packet = scratch.outbound[i];
    if (packet.drop != Drop::no_route && packet.drop != Drop::no_endpoint) continue;
    {
      MutexLock lock(unreachables_mutex_);
      if (!unreachables_.take(now.boot)) return;
    }
    std::array<std::uint8_t, packet::kMaxUnreachableSize> answer;
    const auto why = packet.drop == Drop::no_route ? packet::Unreachable::no_route
                                                   : packet::Unreachable::address;
    const std::size_t size = packet::make_unreachable(packet.inner, why, answer);
    if (size == 0) continue;
    const Bytes part(answer.data(), size);
    const io::TunWrite plain{{&part, 1}, {}};
    (void)parts_.write({&plain, 1});
  }
}

void Outbound::flush(const Now& now, std::span<const PeerId> peers, Worker worker) noexcept {
  Scratch& scratch = worker.scratch;
  for (const PeerId peer : peers) {
    try {
      flush_peer(now, peer, worker);
    } catch (const std::bad_alloc&) {
      parts_.data_path.drops().count(Drop::no_resources, scratch.staged.packets.size());
    }
    scratch.send_plan.clear();  // lets go of the keypair (P46)
    scratch.staged.run = {};
    scratch.staged.packets.clear();
  }
  parts_.inbox.post(scratch.attention);
}

void Outbound::flush_peer(const Now& now, PeerId peer, Worker worker) {
  Scratch& scratch = worker.scratch;
  std::optional<Turn> turn;
  {
    // Under the lead, so that no newer packet of the lane gets a ticket before these (P77).
    MutexLock lock(lead_);
    Locks::TablesShared tables(parts_.locks, worker.reader);
    parts_.data_path.take_staged(now, peer, lane_, scratch.staged, scratch.attention);
    turn.emplace(turns_);
  }
  scratch.aead.clear();
  scratch.messages.clear();
  scratch.send_plan.runs.push_back(scratch.staged.run);
  std::uint64_t counter = scratch.staged.first_counter;
  for (protocol::StagedPacket& packet : scratch.staged.packets) {
    std::uint8_t* const message = packet.message.data() + kWirePrefix;
    const Bytes inner(message + TransportLayout::kHeaderSize, packet.size);
    packet::IpView ip;
    const bool parsed = packet::parse_ip(inner, ip) == packet::IpFault::none;
    // The message has the size that the MTU gave it when it was staged.
    add_message(scratch,
                {.data = message,
                 .size = packet.size,
                 .padded = packet.message.size() - wire_size(0),
                 .counter = counter++,
                 .run = 0,
                 .ecn = parsed ? packet::encapsulated_ecn(ip.traffic_class) : std::uint8_t{0}});
  }
  parts_.aead.seal(scratch.aead);
  make_trains(scratch);
  turn->await();
  send_trains(worker);
}

}  // namespace ferrule::engine
