// How long data waits for handshakes, at the most and by a clock on the wall.
//
// A thread carries data as a lane does, batch after batch, and keeps the longest time between the ends of two.
// A second thread handles handshakes at a steady rate: of the same device, of another one that shares nothing
// with it, or none at all. What the machine does to a thread shows in all three; the load of handshakes in the
// first two; that both threads need the same tables in the first alone. Each round does all three, one after the
// other, and of the rounds the median counts.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "control_gateway.h"
#include "protocol/batch.h"
#include "protocol/transport.h"

namespace ferrule::engine {
namespace {

constexpr std::size_t kRounds = 5;
constexpr auto kRound = 500ms;  // each of its three

void prepare_and_apply(protocol::Device& device, const Now& now, DeviceChange change,
                       protocol::Outbox& outbox) {
  if (!device.prepare(change)) std::abort();
  device.apply(now, std::move(change), outbox);
}

protocol::HandshakeMessage received(const protocol::OutgoingMessage& sent, const Endpoint& from) {
  protocol::HandshakeMessage message;
  message.size = sent.size;
  copy(sent.view(), message.bytes);
  message.from = from;
  return message;
}

// A device of a gateway's peer.
class Caller {
 public:
  Caller(const PublicKey& gateway, const Now& now) : now_(now) {
    DeviceChange change;
    change.private_key = new_key();
    key_ = crypto::public_key_of(*change.private_key);
    PeerChange& to = change.peers.emplace_back();
    to.public_key = gateway;
    to.endpoint = kNowhere;
    to.persistent_keepalive_s = 25;
    protocol::Outbox outbox;
    prepare_and_apply(device_, now_, std::move(change), outbox);
    device_.up();
  }
  [[nodiscard]] const PublicKey& key() const { return key_; }
  protocol::OutgoingMessage call() {
    protocol::Outbox outbox;
    protocol::Budget all = protocol::Budget::unlimited();
    (void)device_.catch_up(now_, all);
    (void)device_.fire_timers(now_, all, outbox);
    return outbox.messages.at(0);
  }
  protocol::OutgoingMessage answer(const protocol::OutgoingMessage& initiation) {
    protocol::Outbox outbox;
    device_.handle(now_, received(initiation, kNowhere), false, outbox);
    return outbox.messages.at(0);
  }

 private:
  Now now_;
  PublicKey key_;
  crypto::SystemRng rng_;
  NullLog log_;
  protocol::NoExclusion alone_;
  protocol::Device device_{rng_, crypto::best_aead_backend(), alone_, log_};
};

// Very many peers, each of which has called once; and gateways that know them all.
class Callers {
 public:
  Callers(const PublicKey& gateway, const Now& now, std::size_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      Caller caller(gateway, now);
      keys_.push_back(caller.key());
      initiations_.push_back(received(caller.call(), {address(i), 1, 0}));
    }
  }
  void introduce_to(Gateway& gateway) const {
    DeviceChange change;
    for (const PublicKey& key : keys_) change.peers.emplace_back().public_key = key;
    gateway.apply(std::move(change));
  }
  [[nodiscard]] std::span<const protocol::HandshakeMessage> initiations() const {
    return initiations_;
  }

 private:
  std::vector<PublicKey> keys_;
  std::vector<protocol::HandshakeMessage> initiations_;
};

struct Stalls {
  double longest_ms = 0;
  double over_100us = 0;  // how many
};

// Data of a gateway to a peer that it has a session with.
class Flow {
 public:
  explicit Flow(Gateway& gateway) : gateway_(gateway), now_(gateway.now) {
    Caller friendly(crypto::public_key_of(gateway.key), now_);
    DeviceChange change;
    PeerChange& peer = change.peers.emplace_back();
    peer.public_key = friendly.key();
    peer.endpoint = kNowhere;
    peer.persistent_keepalive_s = 25;  // so that it is called
    peer.allowed_ips.push_back({Cidr(address(0), 8), false});
    protocol::Outbox outbox;
    prepare_and_apply(gateway.device, now_, std::move(change), outbox);
    protocol::Budget all = protocol::Budget::unlimited();
    (void)gateway.device.catch_up(now_, all);
    (void)gateway.device.fire_timers(now_, all, outbox);
    const protocol::OutgoingMessage response = friendly.answer(outbox.messages.at(0));
    gateway.device.handle(now_, received(response, kNowhere), false, outbox);
    for (Packet& packet : packets_) {
      packet.bytes = {0x45, 0, kPacketSize >> 8, kPacketSize & 0xFF};
      store_be32(packet.bytes.data() + 16, 0x0A000001u);
    }
  }

  Stalls carry(const std::atomic<bool>& stops) {
    Stalls stalls;
    Clock::time_point last = Clock::now();
    while (!stops.load(std::memory_order_relaxed)) {
      carry_batch();
      const Clock::time_point now = Clock::now();
      const double ms = milliseconds(now - last);
      last = now;
      stalls.longest_ms = std::max(stalls.longest_ms, ms);
      stalls.over_100us += ms > 0.1 ? 1 : 0;
    }
    return stalls;
  }

 private:
  static constexpr std::size_t kBatch = 64;
  static constexpr std::size_t kPacketSize = 1420;
  struct Packet {
    std::array<std::uint8_t, kPacketSize> bytes;
    std::array<std::uint8_t, kPacketSize + 64> message;
  };

  // As Outbound does: the tables are held to plan, and to tell what was sent.
  void carry_batch() {
    protocol::DataPath& data_path = gateway_.device.data_path();
    const std::size_t size = protocol::transport_size(kPacketSize, data_path.mtu());
    std::array<protocol::OutboundPacket, kBatch> planned;
    for (std::size_t i = 0; i < kBatch; ++i) {
      planned[i].inner = packets_[i].bytes;
      planned[i].wire_bytes = size;
    }
    plan_.clear();
    attention_.clear();
    {
      const Locks::TablesShared tables(gateway_.locks.locks, 0);
      data_path.plan_send(now_, planned, plan_, attention_);
    }
    std::array<crypto::AeadPacket, kBatch> sealed;
    for (std::size_t i = 0; i < kBatch; ++i) {
      if (planned[i].verdict != protocol::Verdict::send) std::abort();
      std::uint8_t* const message = packets_[i].message.data();
      copy(packets_[i].bytes,
           MutBytes(packets_[i].message).subspan(protocol::TransportLayout::kHeaderSize));
      sealed[i] =
          protocol::begin_message(message, kPacketSize, size - protocol::TransportLayout::kOverhead,
                                  *plan_.runs[planned[i].run].keypair, planned[i].first_counter);
    }
    aead_.seal(sealed);
    const Locks::TablesShared tables(gateway_.locks.locks, 0);
    data_path.sent(planned[0].peer, kBatch * size, 0, attention_);
  }

  Gateway& gateway_;
  Now now_;  // a flow of some seconds: its session does not grow old
  const crypto::AeadBackend& aead_ = crypto::best_aead_backend();
  std::array<Packet, kBatch> packets_{};
  protocol::SendPlan plan_;
  protocol::Attention attention_;
};

// What a control thread does that gets these so many a second, until all are answered. Whoever is late catches
// up in slices, so that nobody is under load.
bool handle(Gateway& gateway, std::span<const protocol::HandshakeMessage> initiations,
            std::size_t per_second) {
  const Instant begin = gateway.now.boot;
  const std::size_t sent_before = gateway.udp.sent;
  const Clock::time_point start = Clock::now();
  std::size_t posted = 0;
  for (Clock::duration elapsed{}; gateway.udp.sent - sent_before < initiations.size();) {
    elapsed = Clock::now() - start;
    if (elapsed > 10s) return false;
    gateway.now.boot = begin + elapsed;
    const auto due = std::min(
        static_cast<std::size_t>(milliseconds(elapsed) * static_cast<double>(per_second) / 1000),
        initiations.size());
    const std::size_t end = std::min(due, posted + protocol::kHandshakesTogether);
    for (; posted < end; ++posted) {
      (void)gateway.intake.post(gateway.now.boot, initiations[posted]);
    }
    gateway.woken = false;
    gateway.control.work(gateway.now, &gateway.udp);
    if (!gateway.woken && posted == due) std::this_thread::sleep_for(100us);
  }
  return true;
}

class Rounds {
 public:
  void add(double value) { values_.push_back(value); }
  [[nodiscard]] double median() const {
    std::vector<double> sorted = values_;
    std::ranges::sort(sorted);
    return sorted.at(sorted.size() / 2);
  }
  [[nodiscard]] double greatest() const { return *std::ranges::max_element(values_); }

 private:
  std::vector<double> values_;
};

// Initiations of very many peers come at so many a second, while a lane carries data.
void data_beside_handshakes(benchmark::State& state) {
  const auto per_second = static_cast<std::size_t>(state.range(0));
  Gateway gateway;
  Gateway elsewhere{PrivateKey(gateway.key.clone())};
  const std::size_t each_round = per_second / (1s / kRound);
  const Callers callers(crypto::public_key_of(gateway.key), gateway.now, each_round * kRounds);
  for (Gateway* each : {&gateway, &elsewhere}) callers.introduce_to(*each);
  Flow flow(gateway);
  const auto carry_beside = [&](auto others) {
    std::atomic<bool> stops = false;
    Stalls stalls;
    std::thread lane([&] { stalls = flow.carry(stops); });
    others();
    stops = true;
    lane.join();
    return stalls;
  };
  gateway.locks.longest = {};
  gateway.locks.holds = 0;
  Rounds beside;
  Rounds beside_others;
  Rounds alone;
  double over_100us = 0;
  Clock::duration handling{};
  for (auto _ : state) {
    for (std::size_t round = 0; round < kRounds; ++round) {
      const auto some = callers.initiations().subspan(round * each_round, each_round);
      alone.add(carry_beside([] { std::this_thread::sleep_for(kRound); }).longest_ms);
      bool done = true;
      const auto handle_in = [&](Gateway& of) { done = handle(of, some, per_second) && done; };
      beside_others.add(carry_beside([&] { handle_in(elsewhere); }).longest_ms);
      const Clock::time_point start = Clock::now();
      const Stalls stalls = carry_beside([&] { handle_in(gateway); });
      handling += Clock::now() - start;
      beside.add(stalls.longest_ms);
      over_100us += stalls.over_100us;
      if (!done) state.SkipWithError("handshakes were lost");
    }
  }
  const auto count = static_cast<double>(callers.initiations().size());
  state.counters["longest_hold_us"] = 1000 * gateway.locks.longest.ms();
  state.counters["holds/handshake"] = static_cast<double>(gateway.locks.holds) / count;
  state.counters["longest_stall_ms"] = beside.median();
  state.counters["stall_beside_others_ms"] = beside_others.median();
  state.counters["stall_alone_ms"] = alone.median();
  state.counters["stall_ratio"] = beside.median() / beside_others.median();
  state.counters["longest_seen_ms"] = beside.greatest();
  state.counters["stalls_over_0.1_ms"] = over_100us;
  state.counters["handshakes/s"] = count / (milliseconds(handling) / 1000);
}
BENCHMARK(data_beside_handshakes)->Arg(8000)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ferrule::engine
