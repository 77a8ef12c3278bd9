// What a handshake costs a device, beside what X25519 alone would allow, one multiplication after the
// other: the `of_x25519` of a benchmark is how many times as many handshakes there are, both measured
// in turns. And herds: all peers of a gateway at the same time.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "crypto/aead.h"
#include "crypto/random.h"
#include "crypto/x25519.h"
#include "protocol/device.h"
#include "protocol/dh_batch.h"

namespace ferrule::protocol {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kPeers = 512;
constexpr std::size_t kHerd = 10'000;

class NullLog final : public Log {
 public:
  [[nodiscard]] bool wants(LogLevel) const noexcept override { return false; }
  void write(LogLevel, std::string_view) noexcept override {}
};

template <class Work>
double seconds_of(const Work& work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Identity new_identity(Rng& rng) {
  Identity identity;
  identity.private_key = crypto::generate_private_key(rng).value();
  identity.public_key = crypto::public_key_of(identity.private_key);
  return identity;
}

const Endpoint kEndpoint = Endpoint::parse("192.0.2.1:51820").value();

// Whether handshake `i` of `count` is the last that a DhBatch has room for.
bool ends_batch(std::size_t i, std::size_t count) {
  return (i + 1) % kHandshakesTogether == 0 || i + 1 == count;
}

// A gateway's peers, each with keys of its own.
class Peers {
 public:
  Peers(std::size_t count, const PublicKey& gateway) : gateway_(gateway), ss_(count) {
    DhBatch work;
    for (std::size_t i = 0; i < count; ++i) {
      identities_.push_back(new_identity(rng_));
    }
    for (std::size_t i = 0; i < count; ++i) {
      work.dh(identities_[i].private_key, gateway_, ss_[i]);
      if (ends_batch(i, count)) work.run();
    }
  }

  // How the gateway is told of them.
  [[nodiscard]] DeviceChange configuration(std::uint16_t persistent_keepalive_s) const {
    DeviceChange change;
    for (const Identity& identity : identities_) {
      PeerChange& peer = change.peers.emplace_back();
      peer.public_key = identity.public_key;
      peer.endpoint = kEndpoint;
      peer.persistent_keepalive_s = persistent_keepalive_s;
    }
    return change;
  }

  // An initiation of each.
  [[nodiscard]] std::vector<ReceivedHandshake> initiations(const Now& now) {
    std::vector<Ephemeral> ephemerals(identities_.size());
    std::vector<Dh> es(identities_.size());
    DhBatch work;
    for (std::size_t i = 0; i < identities_.size(); ++i) {
      ephemerals[i].private_key = crypto::generate_private_key(rng_).value();
      work.public_key(ephemerals[i].private_key, ephemerals[i].public_key);
      work.dh(ephemerals[i].private_key, gateway_, es[i]);
      if (ends_batch(i, identities_.size())) work.run();
    }
    std::vector<ReceivedHandshake> messages(identities_.size());
    for (std::size_t i = 0; i < identities_.size(); ++i) {
      HandshakeMessage& message = messages[i].message;
      message.size = InitiationLayout::kSize;
      message.from = kEndpoint;
      const MutBytes bytes(message.bytes.data(), message.size);
      (void)write_initiation(identities_[i].public_key, gateway_, std::move(ephemerals[i]), es[i],
                             ss_[i].shared, make_timestamp(now.wall),
                             LocalIndex{static_cast<std::uint32_t>(i)}, bytes);
      CookieHolder(gateway_).add_macs(now.boot, bytes);
    }
    return messages;
  }

  // A response of each to the initiations that the gateway sent them, in the order of the peers.
  [[nodiscard]] std::vector<ReceivedHandshake> responses(
      const Now& now, std::span<const OutgoingMessage> initiations) {
    std::vector<ReceivedHandshake> messages(initiations.size());
    for (std::size_t i = 0; i < initiations.size(); ++i) {
      const Bytes initiation = initiations[i].view();
      const PublicKey remote = received_ephemeral(initiation);
      const Ephemeral ephemeral = [&] {
        Identity fresh = new_identity(rng_);
        return Ephemeral{std::move(fresh.private_key), fresh.public_key};
      }();
      Dh es, ee, se;
      DhBatch work;
      work.dh(identities_[i].private_key, remote, es);
      work.dh(ephemeral.private_key, remote, ee);
      work.dh(ephemeral.private_key, gateway_, se);
      work.run();
      auto opened = open_initiation(identities_[i].public_key, es, initiation);
      (void)open_timestamp(*opened, ss_[i].shared, initiation);
      HandshakeMessage& message = messages[i].message;
      message.size = ResponseLayout::kSize;
      message.from = kEndpoint;
      const MutBytes bytes(message.bytes.data(), message.size);
      (void)write_response(std::move(*opened), ephemeral.public_key, ee, se, PresharedKey(),
                           LocalIndex{static_cast<std::uint32_t>(i)}, bytes);
      CookieHolder(gateway_).add_macs(now.boot, bytes);
    }
    return messages;
  }

 private:
  crypto::SystemRng rng_;
  PublicKey gateway_;
  std::vector<Identity> identities_;
  std::vector<Dh> ss_;
};

class Gateway {
 public:
  explicit Gateway(const PrivateKey& key)
      : device_(rng_, crypto::best_aead_backend(), none_, log_) {
    DeviceChange change;
    change.private_key = PrivateKey(key.clone());
    device_.apply(now, std::move(change), outbox);
    device_.up();
  }
  void apply(DeviceChange change) {
    device_.apply(now, std::move(change), outbox);
    Budget all = Budget::unlimited();
    (void)device_.catch_up(now, all);
    (void)device_.fire_timers(now, all, outbox);
    // Timers that are due at the same time fire in no particular order.
    std::ranges::sort(outbox.messages, {},
                      [](const OutgoingMessage& one) { return one.peer.slot; });
  }
  void handle(std::span<const ReceivedHandshake> messages, std::size_t slice) {
    while (!messages.empty()) {
      const std::size_t count = std::min(slice, messages.size());
      device_.handle(now, messages.first(count), outbox);
      messages = messages.subspan(count);
    }
  }
  void pass_time() {
    now.boot = now.boot + 10s;
    now.wall.seconds += 10;
    outbox = {};
  }
  // Every message must have been answered, or what was measured is something else.
  void expect_sent(std::size_t count) const {
    if (outbox.messages.size() != count) std::abort();
  }

  Now now{Instant::from_ns(1'000'000'000'000), {1'700'000'000, 0}};
  Outbox outbox;

 private:
  crypto::SystemRng rng_;
  NoExclusion none_;
  NullLog log_;
  Device device_;
};

// The DHs of `count` handshakes, as a responder with every `ss` at hand needs them: es, ee, se and a
// public key; or as many for whom `variable` differs.
double seconds_of_x25519(std::size_t count, std::size_t variable) {
  crypto::SystemRng rng;
  const Identity own = new_identity(rng);
  const Identity other = new_identity(rng);
  return seconds_of([&] {
    for (std::size_t i = 0; i < count; ++i) {
      benchmark::DoNotOptimize(crypto::public_key_of(own.private_key));
      for (std::size_t j = 0; j < variable; ++j) {
        crypto::SharedSecret shared;
        benchmark::DoNotOptimize(crypto::x25519(own.private_key, other.public_key, shared));
      }
    }
  });
}

void report(benchmark::State& state, std::size_t handshakes, double seconds, double x25519) {
  using benchmark::Counter;
  const double done = static_cast<double>(state.iterations()) * static_cast<double>(handshakes);
  state.counters["handshakes/s"] = Counter(done / seconds);
  state.counters["of_x25519"] = Counter(x25519 / seconds);
}

void respond(benchmark::State& state) {
  const auto slice = static_cast<std::size_t>(state.range(0));
  crypto::SystemRng rng;
  const Identity own = new_identity(rng);
  Peers peers(kPeers, own.public_key);
  Gateway gateway(own.private_key);
  gateway.apply(peers.configuration(0));
  gateway.handle(peers.initiations(gateway.now), slice);  // computes every `ss`
  double total = 0;
  double x25519 = 0;
  for (auto _ : state) {
    gateway.pass_time();
    const auto messages = peers.initiations(gateway.now);
    const double seconds = seconds_of([&] { gateway.handle(messages, slice); });
    gateway.expect_sent(kPeers);
    x25519 += seconds_of_x25519(kPeers, 3);
    state.SetIterationTime(seconds);
    total += seconds;
  }
  report(state, kPeers, total, x25519);
}
BENCHMARK(respond)->Arg(1)->Arg(4)->Arg(32)->UseManualTime()->Unit(benchmark::kMillisecond);

// From the start of a gateway that knows no `ss` yet to its last response, or to the last session that
// it began itself.
void herd_returns(benchmark::State& state) {
  const auto slice = static_cast<std::size_t>(state.range(0));
  crypto::SystemRng rng;
  const Identity own = new_identity(rng);
  Peers peers(kHerd, own.public_key);
  double total = 0;
  double x25519 = 0;
  for (auto _ : state) {
    Gateway gateway(own.private_key);
    gateway.apply(peers.configuration(0));
    const auto messages = peers.initiations(gateway.now);
    const double seconds = seconds_of([&] { gateway.handle(messages, slice); });
    gateway.expect_sent(kHerd);
    x25519 += seconds_of_x25519(kHerd, 4);
    state.SetIterationTime(seconds);
    total += seconds;
  }
  report(state, kHerd, total, x25519);
}
BENCHMARK(herd_returns)->Arg(1)->Arg(32)->UseManualTime()->Unit(benchmark::kMillisecond);

void herd_is_called(benchmark::State& state) {
  crypto::SystemRng rng;
  const Identity own = new_identity(rng);
  Peers peers(kHerd, own.public_key);
  double total = 0;
  double x25519 = 0;
  for (auto _ : state) {
    Gateway gateway(own.private_key);
    DeviceChange change = peers.configuration(25);
    double seconds = seconds_of([&] { gateway.apply(std::move(change)); });
    gateway.expect_sent(kHerd);
    const auto messages = peers.responses(gateway.now, gateway.outbox.messages);
    gateway.outbox = {};
    seconds += seconds_of([&] { gateway.handle(messages, kHandshakesTogether); });
    gateway.expect_sent(kHerd);  // the keepalives that confirm the keys
    x25519 += seconds_of_x25519(kHerd, 4);
    state.SetIterationTime(seconds);
    total += seconds;
  }
  report(state, kHerd, total, x25519);
}
BENCHMARK(herd_is_called)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ferrule::protocol
