#include "sim/host.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "packet/ip.h"
#include "sim/packets.h"
#include "sim/world.h"

namespace ferrule::sim {

namespace {

using protocol::Drop;
using protocol::HandshakeMessage;
using protocol::InboundMessage;
using protocol::MessageType;
using protocol::OutboundPacket;
using protocol::TransportLayout;
using protocol::Verdict;

// A handshake takes the worker this long, so that floods make queues.
constexpr Duration kHandshakeTime = 100us;
constexpr std::uint32_t kInterface = 1;
constexpr std::uint32_t kStampsAhead_s = 30;
constexpr std::uint32_t kStampsOfTheClockAhead_s = 20;
// As many initiations, each in the smallest step, as the seconds between those two have room for.
constexpr Duration kStateInterval = 5s;  // once there is a file
constexpr Duration kStampsLast = 40min;
constexpr WallTime kEpoch{1'700'000'000, 0};

// The second of a stamp, and a little more: smallest steps follow it (P29).
WallTime wall_of(const protocol::Timestamp& stamp) {
  std::uint64_t seconds = 0;
  for (std::size_t i = 0; i < 8; ++i) seconds = seconds << 8 | stamp[i];
  return {static_cast<std::int64_t>(seconds - (std::uint64_t{1} << 62)), 0};
}

WallTime wall_at(Duration since_epoch) {
  const std::int64_t second = 1'000'000'000;
  std::int64_t seconds = since_epoch.count() / second;
  std::int64_t rest = since_epoch.count() % second;
  if (rest < 0) {
    rest += second;
    --seconds;
  }
  return {kEpoch.seconds + seconds, static_cast<std::uint32_t>(rest)};
}

// Packets to one address are one flow, and a flow stays in its lane.
std::uint16_t lane_of(Bytes packet) {
  packet::IpView ip;
  if (packet::parse_ip(packet, ip) != packet::IpFault::none) return 0;
  return ip.addresses().back() % Host::kLanes;
}

// Its sender has proven himself and it is new, whatever becomes of what it holds.
bool is_taken(const InboundMessage& message) {
  return message.is_planned() && message.opened && message.drop != Drop::replayed_counter &&
         message.drop != Drop::expired_keypair;
}

}  // namespace

void WatchedAead::seal(std::span<const crypto::AeadPacket> packets) const noexcept {
  // The device calls this, but what checkers remember is not its memory, and it knows no exceptions.
  const HeapScope scope(nullptr);
  try {
    for (const crypto::AeadPacket& packet : packets) {
      for (const auto& checker : host_.world.checkers()) {
        checker->sealed(host_, packet.key->bytes(), packet.counter);
      }
    }
  } catch (const Violation& violation) {
    host_.world.object(violation.what());
  }
  crypto::best_aead_backend().seal(packets);
}

// To the socket, past the checkers.
class Host::Exit final : public protocol::PipelineExit {
 public:
  explicit Exit(Host& host) : host_(host), drops_before_(host.drops_in_all()) {}
  MutBytes room(std::size_t size) override { return room_.emplace_back(size); }
  void send(const protocol::OutgoingDatagram& datagram) override { host_.post(datagram); }
  void planned(std::span<const OutboundPacket> packets) override {
    for (const auto& checker : host_.world.checkers()) {
      checker->planned(host_, packets, host_.drops_in_all() - drops_before_);
    }
    for (const OutboundPacket& packet : packets) {
      if (packet.verdict != Verdict::stage) continue;
      ++host_.staged;
      host_.largest_staged = std::max(host_.largest_staged, packet.inner.size());
    }
    unstaged_before = host_.staged_drops();
  }
  void flushed(std::size_t packets) override {
    host_.flushed_ = true;
    host_.staged -= packets;
  }
  void sealing(Bytes text, PeerId to, std::uint16_t lane) override {
    host_.note_departure(text, to, lane);
  }
  [[nodiscard]] std::uint16_t lane_of(Bytes packet) const override { return sim::lane_of(packet); }

  std::uint64_t unstaged_before = 0;  // counted before anything was staged: a plan refuses, too

 private:
  Host& host_;
  std::uint64_t drops_before_;
  std::deque<Packet> room_;
};

Host::Host(World& in, HostId number, std::uint64_t seed)
    : world(in),
      id(number),
      heap(in.new_heap()),
      device(heap),
      rng(seed),
      dice_(~seed),
      aead_(*this),
      pipeline_(device, aead_, kLanes) {
  make_device();
}

void Host::make_device() {
  device.make(rng, aead_, exclusion_, log_);
  queue_ = std::make_unique<protocol::HandshakeQueue>(dice_.roll());
  queued_.clear();
  serves_queue_at_ = Instant::never();
}

Now Host::now() const {
  const Instant boot = world.now() + boot_offset;
  return {boot, wall_at(Duration(boot.ns()) + wall_offset)};
}

Host::DropCounts Host::drop_counts() const noexcept {
  DropCounts counts{};
  for (std::size_t i = 1; i < counts.size(); ++i) counts[i] = device->drops()[static_cast<Drop>(i)];
  return counts;
}

Drop Host::reason_since(const DropCounts& before) const noexcept {
  const DropCounts counts = drop_counts();
  return static_cast<Drop>(std::ranges::mismatch(before, counts).in1 - before.begin());
}

std::uint64_t Host::drops_in_all() const noexcept {
  std::uint64_t sum = 0;
  for (std::size_t i = 1; i < protocol::kDropCount; ++i) {
    sum += device->drops()[static_cast<Drop>(i)];
  }
  return sum;
}

std::uint64_t Host::staged_drops() const noexcept {
  std::uint64_t sum = 0;
  for (const Drop drop :
       {Drop::staged_overflow, Drop::staged_expired, Drop::device_down, Drop::peer_removed}) {
    sum += device->drops()[drop];
  }
  return sum;
}

std::uint64_t Host::count_unstaged(std::uint64_t drops_before) {
  const std::uint64_t gone = staged_drops() - drops_before;
  staged -= gone;
  return gone;
}

Endpoint Host::endpoint_of(const PublicKey& peer) const {
  Endpoint endpoint;
  std::optional<protocol::Device::PeerCursor> cursor;
  (void)device->visit_peers(cursor, SIZE_MAX, [&](const protocol::PeerStatus& status) {
    if (status.public_key == peer) endpoint = status.endpoint;
  });
  return endpoint;
}

std::vector<Endpoint> Host::endpoints() const {
  std::vector<Endpoint> all;
  std::optional<protocol::Device::PeerCursor> cursor;
  (void)device->visit_peers(cursor, SIZE_MAX, [&](const protocol::PeerStatus& status) {
    all.push_back(status.endpoint);
  });
  return all;
}

const Session* Host::session(std::uint32_t local) const noexcept {
  const auto found = sessions.find(local);
  return found == sessions.end() ? nullptr : &found->second;
}

const Session* Host::session_to(std::uint32_t remote) const noexcept {
  const auto found = by_remote.find(remote);
  return found == by_remote.end() ? nullptr : session(found->second);
}

Drop Host::probe(std::uint32_t local) {
  Packet bytes(TransportLayout::kOverhead, 0);
  protocol::write_transport_header(bytes.data(), RemoteIndex{local}, 0);
  InboundMessage message;
  message.message = bytes;
  protocol::ReceivePlan plan;
  device->plan_receive(now(), {&message, 1}, plan);
  return message.drop;
}

// --- what its user does ---

void Host::apply(protocol::DeviceChange change) {
  const std::uint64_t drops = staged_drops();
  model.apply(change);
  const bool forgets =
      change.replace_peers || std::ranges::any_of(change.peers, &protocol::PeerChange::remove);
  if (forgets) {
    forgotten_wall = greatest_wall;
    for (const auto& checker : world.checkers()) checker->forgot_peers(*this);
  }
  if (change.private_key) {
    for (const auto& checker : world.checkers()) checker->began_anew(*this);
  }
  FERRULE_CHECK(device->prepare(change).has_value());
  device->apply(now(), std::move(change), pipeline_.outbox());
  count_unstaged(drops);
  work();
}

void Host::up() {
  device->up();
  work();
}

void Host::down() {
  const std::uint64_t drops = staged_drops();
  device->down();
  count_unstaged(drops);
  for (const auto& checker : world.checkers()) checker->began_anew(*this);
}

protocol::DeviceMemory Host::memory() const {
  protocol::DeviceMemory all;
  all.identity = device->memory_identity().value_or(protocol::DeviceMemory::Identity{});
  protocol::Device::MemoryCursor cursor;
  while (device->visit_memory(
      now(), cursor, 2, [&](const protocol::PeerMemory& peer) { all.peers.push_back(peer); })) {
  }
  return all;
}

// As the daemon does it: no stamp is later than what the file says, until there is another file.
void Host::reserve_stamps(Kept& file, const std::optional<protocol::Timestamp>& floor) {
  protocol::Timestamp from = protocol::make_timestamp(now().wall);
  if (floor) from = std::max(from, *floor);
  file.memory.reserved = protocol::timestamp_after(from, kStampsAhead_s);
  device->reserve_stamps(protocol::timestamp_after(from, kStampsOfTheClockAhead_s));
}

void Host::keep_state() {
  kept_before_ = kept_;
  write_state();
}

void Host::write_state() {
  if (!device->memory_identity()) return;
  kept_ = Kept{memory(), world.now()};
  reserve_stamps(*kept_, device->stamp_floor());
}

void Host::take_up(State from) {
  const std::optional<protocol::DeviceMemory::Identity> identity = device->memory_identity();
  make_device();
  remembers_until.reset();
  if (from == State::none) kept_.reset();
  if (from == State::stale) kept_ = std::exchange(kept_before_, std::nullopt);
  const bool ours = kept_ && kept_->memory.identity == identity;
  const bool covers = ours && world.now() - kept_->at < kStampsLast;
  if (from != State::last || !covers) forgotten_wall = greatest_wall;
  if (!kept_) return;
  if (ours) remembers_until = kept_->at;
  // What it sends from now on has stamps behind these.
  if (ours && kept_->memory.reserved) {
    greatest_wall = std::max(greatest_wall, wall_of(*kept_->memory.reserved));
  }
  device->remember(kept_->memory);
  reserve_stamps(*kept_, kept_->memory.reserved);
}

void Host::restart(State from) {
  pipeline_.clear();
  take_up(from);
  sessions.clear();
  by_remote.clear();
  staged = 0;
  for (const auto& checker : world.checkers()) checker->began_anew(*this);
  protocol::DeviceChange whole = model.whole();
  FERRULE_CHECK(device->prepare(whole).has_value());
  device->apply(now(), std::move(whole), pipeline_.outbox());
  up();
}

void Host::send(std::span<const Packet> batch) {
  const std::vector<Bytes> packets(batch.begin(), batch.end());
  Exit exit(*this);
  pipeline_.encapsulate(now(), packets, exit);
  count_unstaged(exit.unstaged_before);
  work();
}

void Host::note_departure(Bytes text, PeerId peer, std::uint16_t lane) {
  const std::optional<std::uint64_t> number = number_of(text);
  PacketRecord* const record = world.ledger().find(number);
  if (record == nullptr) return;
  record->left = true;
  record->sealed_as = public_key();
  for (const auto& checker : world.checkers()) checker->packet_left(*this, *number, peer, lane);
}

// --- out of the socket ---

void Host::post(const protocol::OutgoingDatagram& outgoing) {
  const Site& site = world.network().site(id);
  const Bytes message = outgoing.bytes.subspan(kWirePrefix);
  Datagram datagram;
  datagram.from = outgoing.to.address.family() == Family::v4 ? site.v4 : site.v6;
  datagram.to = outgoing.to;
  datagram.traffic_class = outgoing.traffic_class;
  datagram.bytes.assign(message.begin(), message.end());
  datagram.author = id;
  greatest_wall = std::max(greatest_wall, now().wall);
  world.trace([&] {
    return "host " + std::to_string(id) + " sends type " + std::to_string(datagram.type()) +
           " of " + std::to_string(datagram.bytes.size()) + " bytes to " + outgoing.to.to_string();
  });
  for (const auto& checker : world.checkers()) checker->emitted(*this, datagram, outgoing.peer);
  if (watched_out_ != nullptr) watched_out_->push_back(datagram);
  transmit(datagram, outgoing.from, outgoing.peer);
}

constexpr int kRefused = 1;  // EPERM

void Host::transmit(const Datagram& datagram, const Source& source, PeerId peer) {
  const bool has_source = !source.is_none();
  const bool foreign = has_source && source.address != datagram.from.address;
  if (foreign || (has_source && dice_.chance(source_refused_percent))) {
    device->source_refused(
        peer, source, protocol::SourceUse::nothing);  // EINVAL and its kin: once more without (P75)
  }
  const bool unreachable = datagram.from.is_none();  // no address of that family
  if (unreachable || dice_.chance(send_fails_percent)) {
    device->drops().count(Drop::send_failed);
    device->sent(peer, 0, kRefused, pipeline_.attention());
    return;
  }
  world.network().send(world.now(), datagram);
  device->sent(peer, datagram.bytes.size(), 0, pipeline_.attention());
}

void Host::work() {
  if (kept_ && world.now() - kept_->at >= kStateInterval) write_state();
  const std::uint64_t drops = staged_drops();
  Exit exit(*this);
  while (pipeline_.work(now(), protocol::Budget::unlimited(), exit)) {
  }
  count_unstaged(drops);
}

void Host::attend() {
  const std::uint64_t drops = staged_drops();
  Exit exit(*this);
  while (pipeline_.attend(now(), protocol::Budget::unlimited(), exit)) {
  }
  count_unstaged(drops);
}

// --- into the socket ---

void Host::receive(std::span<const Datagram> batch) {
  if (world.now() < asleep_until) return;
  if (!device->is_up()) {
    device->drops().count(Drop::device_down, batch.size());
    return;
  }
  const std::vector<Endpoint> before = endpoints();
  std::vector<Datagram> out;
  watched_out_ = &out;
  std::vector<const Datagram*> data;
  for (const Datagram& datagram : batch) {
    const std::optional<MessageType> type = protocol::classify(datagram.bytes);
    if (!type) {
      device->drops().count(Drop::malformed);
    } else if (*type == MessageType::transport_data) {
      data.push_back(&datagram);
    } else {
      queue_handshake(datagram, *type);
    }
  }
  const Outcome outcome = receive_data(data);
  attend();
  watched_out_ = nullptr;
  const Batch finished{*this,
                       std::ranges::none_of(batch, &Datagram::genuine),
                       outcome.taken,
                       outcome.refused,
                       outcome.counted,
                       out,
                       endpoints() != before};
  for (const auto& checker : world.checkers()) checker->received_batch(finished);
}

void Host::queue_handshake(const Datagram& datagram, MessageType type) {
  HandshakeMessage message;
  message.size = static_cast<std::uint8_t>(datagram.bytes.size());
  copy(datagram.bytes, message.bytes);
  message.from = datagram.from;
  message.to = {datagram.to.address.family() == Family::v4 ? world.network().site(id).v4.address
                                                           : datagram.to.address,
                kInterface};
  Drop drop = device->admit_handshake(message, type);
  if (drop == Drop::none) drop = queue_->push(now().boot, message);
  if (drop != Drop::none) {
    device->drops().count(drop);
    return;
  }
  queued_.push_back(datagram);
  if (serves_queue_at_.is_never()) serves_queue_at_ = world.now() + kHandshakeTime;
}

void Host::handle_handshake() {
  const std::optional<HandshakeMessage> message = queue_->pop(now().boot);
  serves_queue_at_ = queue_->size() == 0 ? Instant::never() : world.now() + kHandshakeTime;
  if (!message) return;
  const Datagram in = std::move(queued_.front());
  queued_.pop_front();
  const bool under_load = queue_->under_load(now().boot, message->from.address);
  const std::uint64_t drops = drops_in_all();
  const DropCounts counts = drop_counts();
  const std::vector<Endpoint> before = endpoints();
  std::vector<Datagram> out;
  watched_out_ = &out;
  flushed_ = false;
  const std::uint64_t staged_before = staged_drops();
  queue_->learn(device->handle(now(), *message, under_load, pipeline_.outbox()));
  // What a device that is down refuses is this message, and none that waits.
  const std::uint64_t unstaged = device->is_up() ? count_unstaged(staged_before) : 0;
  const std::uint64_t dropped = drops_in_all() - drops - unstaged;
  // The session is there before what it makes possible is sent.
  for (const protocol::OutgoingMessage& answer : pipeline_.outbox().messages) {
    out.push_back(
        {{}, answer.to, 0, Packet(answer.view().begin(), answer.view().end()), id, false});
  }
  note_session(in, dropped == 0, out);
  out.clear();
  attend();
  watched_out_ = nullptr;
  world.trace([&] {
    return "host " + std::to_string(id) + " handled type " + std::to_string(in.type()) +
           (dropped == 0 ? "" : ", and refused it: " + std::string(name_of(reason_since(counts))));
  });
  for (const auto& checker : world.checkers()) {
    checker->handled({*this, in, under_load, dropped, out, flushed_, endpoints() != before});
  }
}

void Host::note_session(const Datagram& in, bool accepted, std::span<const Datagram> out) {
  const Instant birth = now().boot;
  if (in.type() == 1) {
    for (const Datagram& answer : out) {
      if (answer.type() == 2)
        add_session(answer.first_index(), {birth, in.first_index(), false, {}});
    }
  } else if (in.type() == 2 && accepted) {
    const std::uint32_t local = load_le32(in.bytes.data() + protocol::ResponseLayout::kReceiver);
    add_session(local, {birth, in.first_index(), true, {}});
  }
}

void Host::add_session(std::uint32_t local, Session session) {
  by_remote[session.remote] = local;
  sessions[local] = std::move(session);
}

Host::Outcome Host::receive_data(const std::vector<const Datagram*>& batch) {
  const std::uint64_t drops = drops_in_all();
  std::vector<Packet> bytes;
  bytes.reserve(batch.size());
  std::vector<InboundMessage> messages(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    messages[i].message = bytes.emplace_back(batch[i]->bytes);
    messages[i].from = batch[i]->from;
    messages[i].to = {batch[i]->to.address.family() == Family::v4
                          ? world.network().site(id).v4.address
                          : batch[i]->to.address,
                      kInterface};
    messages[i].outer_ecn = batch[i]->traffic_class & 3;
  }
  pipeline_.decapsulate(now(), messages);
  const auto refused = std::ranges::count_if(
      messages, [](const InboundMessage& message) { return message.drop != Drop::none; });
  const Outcome outcome{static_cast<std::uint64_t>(std::ranges::count_if(messages, is_taken)),
                        static_cast<std::uint64_t>(refused), drops_in_all() - drops};
  for (std::size_t i = 0; i < batch.size(); ++i) {
    deliver(messages[i], *batch[i], batch.size() == 1);
  }
  return outcome;
}

void Host::deliver(const InboundMessage& message, const Datagram& datagram, bool alone) {
  const auto found = sessions.find(datagram.first_index());
  Session* session = found == sessions.end() ? nullptr : &found->second;
  if (message.drop != Drop::none) {
    world.trace([&] {
      return "host " + std::to_string(id) + " drops it: " + std::string(name_of(message.drop));
    });
  }
  const bool delivered = message.drop == Drop::none && !message.inner.empty();
  const Bytes text = message.opened ? Bytes(message.ciphertext()) : Bytes();
  const Bytes inner = delivered ? Bytes(message.inner) : text;
  for (const auto& checker : world.checkers()) {
    checker->received({*this, datagram, session, message.counter, message.drop, inner,
                       is_taken(message), delivered, alone});
  }
  if (is_taken(message) && session != nullptr) {
    session->accepted.insert(message.counter);
    session->greatest = std::max(session->greatest, message.counter);
  }
  if (!delivered) return;
  if (dice_.chance(tun_fails_percent)) {
    device->drops().count(Drop::tun_write_failed);
    return;
  }
  if (PacketRecord* record = world.ledger().find(number_of(inner))) ++record->delivered;
}

Instant Host::next_wake() {
  const auto deadline = device->next_deadline();
  Instant at = serves_queue_at_;
  if (deadline) at = std::min(at, deadline->at - boot_offset);
  return std::max(at, asleep_until);
}

void Host::wake() {
  if (serves_queue_at_ <= world.now()) handle_handshake();
  work();
}

}  // namespace ferrule::sim
