#include "tunnel/tunnel.h"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "base/wire.h"
#include "control/uapi_parser.h"
#include "control/uapi_writer.h"

namespace ferrule::tunnel {

using protocol::Drop;
using protocol::MessageType;

namespace {

constexpr std::size_t kPeersAtOnce = 64;

std::uint64_t random_salt(Rng& rng) {
  std::array<std::uint8_t, 8> bytes{};
  (void)rng.fill(bytes);  // without randomness there are no handshakes to queue either (P35)
  return load_le64(bytes.data());
}

// To its caller's memory.
class IntoOutput final : public protocol::PipelineExit {
 public:
  explicit IntoOutput(Output& out) noexcept : out_(out) {}
  MutBytes room(std::size_t size) override { return out_.room.emplace_back(size); }
  void send(const Outgoing& datagram) override { out_.datagrams.push_back(datagram); }

 private:
  Output& out_;
};

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
      pipeline_(&device_, aead_),
      queue_(random_salt(rng)) {
  received_.reserve(protocol::kHandshakesTogether);
}

void Tunnel::encapsulate(const Now& now, std::span<const Bytes> packets, Output& out) {
  out.clear();
  IntoOutput exit(out);
  pipeline_.encapsulate(now, packets, exit);
  work(now, out);
}

void Tunnel::decapsulate(const Now& now, std::span<const Incoming> datagrams, Output& out) {
  out.clear();
  sort(now, datagrams);
  pipeline_.decapsulate(now, inbound_);
  for (const protocol::InboundMessage& message : inbound_) {
    const bool is_good = message.is_planned() && message.drop == Drop::none;
    if (is_good && !message.inner.empty()) out.packets.push_back(message.inner);
  }
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
  device_.sent(datagram.peer, bytes, error, pipeline_.attention());
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
  queue_.learn(device_.handle(now, received_, pipeline_.outbox()));
  IntoOutput exit(out);
  const bool more = pipeline_.work(now, protocol::Budget(protocol::kTurnBudget), exit);
  has_more_ = more || queue_.size() != 0;
}

std::optional<Instant> Tunnel::next_deadline() noexcept {
  if (has_more_ || !pipeline_.attention().empty()) return Instant();
  const std::optional<protocol::Device::Deadline> next = device_.next_deadline();
  return next ? std::optional(next->at) : std::nullopt;
}

Result<void> Tunnel::configure(const Now& now, protocol::DeviceChange change, Output& out) {
  out.clear();
  const bool binds = (change.bind && !change.bind->is_empty()) ||
                     (change.bind_interface && !change.bind_interface->empty());
  if (binds) {
    return std::unexpected(
        make_error(std::errc::operation_not_supported, "whoever brings the sockets binds them"));
  }
  if (Result<void> fits = device_.prepare(change); !fits) return fits;
  listen_port_ = change.listen_port.value_or(listen_port_);
  fwmark_ = change.fwmark.value_or(fwmark_);
  device_.apply(now, std::move(change), pipeline_.outbox());
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
