#include "tunnel/tunnel.h"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "base/wire.h"
#include "control/uapi_parser.h"
#include "control/uapi_writer.h"
#include "packet/ecn.h"
#include "packet/ip.h"

namespace ferrule::tunnel {

using protocol::Drop;
using protocol::MessageType;
using protocol::OutboundPacket;
using protocol::TransportLayout;
using protocol::Verdict;

namespace {

constexpr std::uint16_t kLane = 0;  // there is one
constexpr std::size_t kPeersAtOnce = 64;

std::uint64_t random_salt(Rng& rng) {
  std::array<std::uint8_t, 8> bytes{};
  (void)rng.fill(bytes);  // without randomness there are no handshakes to queue either (P35)
  return load_le64(bytes.data());
}

// Names of interfaces are for who has some.
std::uint32_t no_scope(const char* /*interface_name*/) { return 0; }

}  // namespace

void Output::clear() noexcept {
  datagrams.clear();
  packets.clear();
  room.clear();
}

Tunnel::Tunnel(Rng& rng, Log& log, const crypto::AeadBackend* aead)
    : aead_(aead != nullptr ? *aead : crypto::best_aead_backend()),
      device_(rng, aead_, exclusion_, log),
      queue_(random_salt(rng)) {
  received_.reserve(protocol::kHandshakesTogether);
}

void Tunnel::encapsulate(const Now& now, std::span<const Bytes> packets, Output& out) {
  out.clear();
  outbound_.assign(packets.size(), {});
  for (std::size_t i = 0; i < packets.size(); ++i) {
    outbound_[i].inner = packets[i];
    outbound_[i].wire_bytes = protocol::transport_size(packets[i].size(), device_.mtu());
  }
  send_plan_.clear();
  device_.plan_send(now, outbound_, send_plan_, attention_);
  for (const OutboundPacket& packet : outbound_) {
    if (packet.verdict != Verdict::stage) continue;
    device_.stage(now, packet.place_of(0), packet.inner, kLane, attention_);
  }
  seal_planned(packets, out);
  send_plan_.clear();  // lets go of the keypairs (P46)
  work(now, out);
}

void Tunnel::seal_planned(std::span<const Bytes> packets, Output& out) {
  std::size_t size = 0;
  for (const OutboundPacket& packet : outbound_) {
    if (packet.verdict == Verdict::send) size += kWirePrefix + packet.wire_bytes;
  }
  if (size == 0) return;
  MutBytes room = out.room.emplace_back(size);
  sealing_.clear();
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const OutboundPacket& packet = outbound_[i];
    if (packet.verdict != Verdict::send) continue;
    const protocol::SendRun& run = send_plan_.runs[packet.run];
    const MutBytes datagram = room.first(kWirePrefix + packet.wire_bytes);
    room = room.subspan(datagram.size());
    const MutBytes message = datagram.subspan(kWirePrefix);
    copy(packets[i], message.subspan(TransportLayout::kHeaderSize));
    sealing_.push_back(protocol::begin_message(message.data(), packets[i].size(),
                                               message.size() - TransportLayout::kOverhead,
                                               *run.keypair, packet.first_counter));
    out.datagrams.push_back({datagram, run.to, run.from, packet.ecn, run.peer});
  }
  aead_.seal(sealing_);
}

void Tunnel::decapsulate(const Now& now, std::span<const Incoming> datagrams, Output& out) {
  out.clear();
  sort(now, datagrams);
  receive_plan_.clear();
  device_.plan_receive(now, inbound_, receive_plan_);
  opening_.open(aead_, receive_plan_, inbound_);
  device_.finish_receive(now, receive_plan_, inbound_, attention_);
  for (const protocol::InboundMessage& message : inbound_) {
    const bool is_good = message.is_planned() && message.drop == Drop::none;
    if (is_good && !message.inner.empty()) out.packets.push_back(message.inner);
  }
  receive_plan_.clear();  // lets go of the keypairs (P46)
  work(now, out);
}

void Tunnel::sort(const Now& now, std::span<const Incoming> datagrams) {
  inbound_.clear();
  for (const Incoming& incoming : datagrams) {
    const MutBytes message = incoming.bytes.subspan(std::min(kWirePrefix, incoming.bytes.size()));
    const std::optional<MessageType> type = protocol::classify(message);
    if (!type) {
      device_.drops().count(Drop::malformed);
    } else if (*type == MessageType::transport_data) {
      protocol::InboundMessage& inbound = inbound_.emplace_back();
      inbound.message = message;
      inbound.from = incoming.from;
      inbound.to = incoming.to;
      inbound.outer_ecn = incoming.ecn;
    } else {
      queue_handshake(now, incoming, message, *type);
    }
  }
}

void Tunnel::queue_handshake(const Now& now, const Incoming& incoming, Bytes message,
                             MessageType type) {
  protocol::HandshakeMessage queued;
  queued.size = static_cast<std::uint8_t>(message.size());
  copy(message, queued.bytes);
  queued.from = incoming.from;
  queued.to = incoming.to;
  Drop drop = device_.admit_handshake(queued, type);
  if (drop == Drop::none) drop = queue_.push(now.boot, queued);
  if (drop != Drop::none) device_.drops().count(drop);
}

void Tunnel::sent(const Outgoing& datagram, int error) noexcept {
  const std::size_t bytes = error == 0 ? datagram.bytes.size() - kWirePrefix : 0;
  device_.sent(datagram.peer, bytes, error, attention_);
}

void Tunnel::tick(const Now& now, Output& out) {
  out.clear();
  work(now, out);
}

// One turn: a batch of handshakes, and of each other kind what a budget allows.
void Tunnel::work(const Now& now, Output& out) {
  received_.clear();
  while (received_.size() < protocol::kHandshakesTogether) {
    const std::optional<protocol::HandshakeMessage> message = queue_.pop(now.boot);
    if (!message) break;
    received_.push_back({*message, queue_.under_load(now.boot, message->from.address)});
  }
  device_.handle(now, received_, outbox_);

  protocol::Budget attending(protocol::kTurnBudget);
  const std::size_t attended = device_.attend(now, attention_, attending, outbox_);
  attention_.erase(attention_.begin(), attention_.begin() + static_cast<std::ptrdiff_t>(attended));
  protocol::Budget catching_up(protocol::kTurnBudget);
  const bool more_to_catch_up = device_.catch_up(now, catching_up);
  protocol::Budget firing(protocol::kTurnBudget);
  const bool more_to_fire = device_.fire_timers(now, firing, outbox_);

  emit(now, out);
  has_more_ = more_to_catch_up || more_to_fire || queue_.size() != 0 || !attention_.empty();
}

void Tunnel::emit(const Now& now, Output& out) {
  for (const protocol::OutgoingMessage& message : outbox_.messages) {
    MutBytes datagram = out.room.emplace_back(kWirePrefix + message.size);
    copy(message.view(), datagram.subspan(kWirePrefix));
    out.datagrams.push_back(
        {datagram, message.to, message.from, message.traffic_class, message.peer});
  }
  outbox_.messages.clear();
  for (const PeerId peer : outbox_.flush) flush(now, peer, out);
  outbox_.flush.clear();
}

void Tunnel::flush(const Now& now, PeerId peer, Output& out) {
  protocol::StagedBatch batch;
  device_.take_staged(now, peer, kLane, batch, attention_);
  std::uint64_t counter = batch.first_counter;
  sealing_.clear();
  for (const protocol::StagedPacket& packet : batch.packets) {
    const Bytes staged = packet.message.view();
    MutBytes datagram = out.room.emplace_back(staged.begin(), staged.end());
    const MutBytes message = datagram.subspan(kWirePrefix);
    packet::IpView ip;
    const bool parsed =
        packet::parse_ip(Bytes(message).subspan(TransportLayout::kHeaderSize, packet.size), ip) ==
        packet::IpFault::none;
    sealing_.push_back(protocol::begin_message(message.data(), packet.size,
                                               message.size() - TransportLayout::kOverhead,
                                               *batch.run.keypair, counter++));
    out.datagrams.push_back({datagram, batch.run.to, batch.run.from,
                             parsed ? packet::encapsulated_ecn(ip.traffic_class) : std::uint8_t{0},
                             peer});
  }
  aead_.seal(sealing_);
}

std::optional<Instant> Tunnel::next_deadline() noexcept {
  if (has_more_ || !attention_.empty()) return Instant();
  const std::optional<protocol::Device::Deadline> next = device_.next_deadline();
  return next ? std::optional(next->at) : std::nullopt;
}

Result<void> Tunnel::configure(const Now& now, protocol::DeviceChange change, Output& out) {
  out.clear();
  if (Result<void> fits = device_.prepare(change); !fits) return fits;
  listen_port_ = change.listen_port.value_or(listen_port_);
  fwmark_ = change.fwmark.value_or(fwmark_);
  device_.apply(now, std::move(change), outbox_);
  work(now, out);
  return {};
}

control::WipedText Tunnel::configure(const Now& now, std::string_view uapi, Output& out) {
  out.clear();
  control::WipedText text;
  control::UapiParser parser(no_scope);
  control::UapiWriter writer([&text](std::string_view piece) { text.append(piece); });
  for (;;) {
    std::optional<control::UapiRequest> request = parser.feed(uapi);
    if (!request) request = parser.cut_off();
    if (!request) return text;
    if (auto* change = std::get_if<protocol::DeviceChange>(&*request)) {
      writer.finish(answer_set(now, std::move(*change), out));
    } else if (const Error* error = std::get_if<Error>(&*request)) {
      writer.finish(error->code);
    } else if (std::holds_alternative<control::GetRequest>(*request)) {
      writer.device(device_.private_key(), listen_port_, fwmark_);
      std::optional<protocol::Device::PeerCursor> cursor;
      while (
          device_.visit_peers(cursor, kPeersAtOnce, [&](const auto& peer) { writer.peer(peer); })) {
      }
      writer.finish(0);
    } else {
      writer.finish(static_cast<int>(std::errc::operation_not_supported));
    }
  }
}

// Several sets may stand in one text: what each leads to is sent, and nothing of it cleared.
int Tunnel::answer_set(const Now& now, protocol::DeviceChange change, Output& out) {
  Output one;
  const Result<void> done = configure(now, std::move(change), one);
  std::ranges::move(one.datagrams, std::back_inserter(out.datagrams));
  std::ranges::move(one.room, std::back_inserter(out.room));  // its bytes stay where they are
  return done ? 0 : done.error().code;
}

void Tunnel::up(const Now& now, Output& out) {
  out.clear();
  device_.up();
  work(now, out);
}

}  // namespace ferrule::tunnel
