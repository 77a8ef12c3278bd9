// What the primitives cost. Build as `release`; one core, nothing else running.
#include <benchmark/benchmark.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "crypto/aead.h"
#include "crypto/blake2s.h"
#include "crypto/x25519.h"

namespace ferrule::crypto {
namespace {

constexpr std::size_t kMac1InputSize = 116;  // an initiation up to its mac1
constexpr std::array<std::int64_t, 3> kPacketSizes{64, 256, 1420};
constexpr std::array<std::int64_t, 4> kBatchSizes{1, 4, 16, 64};

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Digest = std::unique_ptr<EVP_MD, Deleter<EVP_MD_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using MacAlgorithm = std::unique_ptr<EVP_MAC, Deleter<EVP_MAC_free>>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, Deleter<EVP_MAC_CTX_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;

// A batch of equal packets under one key, laid out as a lane lays them out.
class Batch {
 public:
  Batch(std::size_t count, std::size_t size) : buffer_(count * (size + kTagSize)) {
    for (std::size_t i = 0; i < count; ++i) {
      packets_.push_back({buffer_.data() + i * (size + kTagSize), size, &key_, i});
    }
  }
  [[nodiscard]] std::span<const AeadPacket> packets() const { return packets_; }

 private:
  AeadKey key_{std::array<std::uint8_t, 32>{1, 2, 3}};
  std::vector<std::uint8_t> buffer_;
  std::vector<AeadPacket> packets_;
};

void report_packets(benchmark::State& state, std::size_t size, std::size_t count) {
  const auto packets = static_cast<double>(state.iterations()) * static_cast<double>(count);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size * count));
  using benchmark::Counter;
  state.counters["per_packet"] = Counter(packets, Counter::kIsRate | Counter::kInvert);
}

void seal(benchmark::State& state, const AeadBackend& backend, std::size_t size,
          std::size_t count) {
  const Batch batch(count, size);
  for (auto _ : state) {
    backend.seal(batch.packets());
    benchmark::ClobberMemory();
  }
  report_packets(state, size, count);
}

// Opening in place destroys the batch, so that each round copies the sealed bytes back first: at
// 1420 bytes that is one part in fifty of what is measured.
void open(benchmark::State& state, const AeadBackend& backend, std::size_t size,
          std::size_t count) {
  const Batch batch(count, size);
  backend.seal(batch.packets());
  const std::uint8_t* first = batch.packets().front().data;
  const std::vector<std::uint8_t> sealed(first, first + count * (size + kTagSize));
  const auto opened = std::make_unique<bool[]>(count);
  for (auto _ : state) {
    std::copy(sealed.begin(), sealed.end(), batch.packets().front().data);
    backend.open(batch.packets(), {opened.get(), count});
    benchmark::ClobberMemory();
  }
  if (!opened[count - 1]) state.SkipWithError("refused");
  report_packets(state, size, count);
}

double seconds_of_a_seal(const AeadBackend& backend, const Batch& batch) {
  constexpr int kCalls = 16;  // so that reading the clock takes no part worth naming
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kCalls; ++i) {
    backend.seal(batch.packets());
    benchmark::ClobberMemory();
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / kCalls;
}

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// A backend and OpenSSL's by turns, so that a clock that changes hits both, and the medians, so that
// neighbours who take the core do not show. `of_openssl` is the figure to quote.
void seal_beside_openssl(benchmark::State& state, const AeadBackend& backend, std::size_t size,
                         std::size_t count) {
  const AeadBackend& openssl = *find_aead_backend("openssl");
  const Batch batch(count, size);
  std::vector<double> ours;
  std::vector<double> theirs;
  for (auto _ : state) {
    ours.push_back(seconds_of_a_seal(backend, batch));
    theirs.push_back(seconds_of_a_seal(openssl, batch));
    state.SetIterationTime(ours.back());
  }
  const double a_packet = median(ours) / static_cast<double>(count);
  const double a_packet_of_openssl = median(theirs) / static_cast<double>(count);
  state.counters["per_packet"] = a_packet;
  state.counters["openssl_per_packet"] = a_packet_of_openssl;
  state.counters["of_openssl"] = a_packet / a_packet_of_openssl;
}

void blake2s_mac_ours(benchmark::State& state) {
  const std::array<std::uint8_t, 32> key{1};
  std::array<std::uint8_t, kMac1InputSize> input{};
  for (auto _ : state) {
    Mac digest = mac(key, {input});
    benchmark::DoNotOptimize(digest);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(blake2s_mac_ours);

void blake2s_mac_ours_key_kept(benchmark::State& state) {
  const std::array<std::uint8_t, 32> key{1};
  const MacKey mac_key(key);
  std::array<std::uint8_t, kMac1InputSize> input{};
  for (auto _ : state) {
    Mac digest = mac_key.mac({input});
    benchmark::DoNotOptimize(digest);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(blake2s_mac_ours_key_kept);

// One context, fetched once and given its key anew for each message.
void blake2s_mac_openssl(benchmark::State& state) {
  const MacAlgorithm algorithm(EVP_MAC_fetch(nullptr, "BLAKE2SMAC", nullptr));
  const MacContext context(EVP_MAC_CTX_new(algorithm.get()));
  std::size_t digest_size = kMacSize;
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_size_t("size", &digest_size),
                                   OSSL_PARAM_construct_end()};
  const std::array<std::uint8_t, 32> key{1};
  std::array<std::uint8_t, kMac1InputSize> input{};
  for (auto _ : state) {
    Mac digest;
    std::size_t written = 0;
    EVP_MAC_init(context.get(), key.data(), key.size(), parameters);
    EVP_MAC_update(context.get(), input.data(), input.size());
    EVP_MAC_final(context.get(), digest.data(), &written, digest.size());
    benchmark::DoNotOptimize(digest);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(blake2s_mac_openssl);

void blake2s_hash_ours(benchmark::State& state) {
  std::array<std::uint8_t, 64> input{};
  for (auto _ : state) {
    Hash digest = hash({input});
    benchmark::DoNotOptimize(digest);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(blake2s_hash_ours);

void blake2s_hash_openssl(benchmark::State& state) {
  const Digest algorithm(EVP_MD_fetch(nullptr, "BLAKE2S-256", nullptr));
  const DigestContext context(EVP_MD_CTX_new());
  std::array<std::uint8_t, 64> input{};
  for (auto _ : state) {
    Hash digest;
    EVP_DigestInit_ex(context.get(), algorithm.get(), nullptr);
    EVP_DigestUpdate(context.get(), input.data(), input.size());
    EVP_DigestFinal_ex(context.get(), digest.data(), nullptr);
    benchmark::DoNotOptimize(digest);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(blake2s_hash_openssl);

void x25519_ours(benchmark::State& state) {
  const PrivateKey key(Secret<32>(std::array<std::uint8_t, 32>{1}));
  const PublicKey peer = public_key_of(PrivateKey(Secret<32>(std::array<std::uint8_t, 32>{2})));
  for (auto _ : state) {
    SharedSecret shared;
    benchmark::DoNotOptimize(x25519(key, peer, shared));
    benchmark::DoNotOptimize(shared);
  }
}
BENCHMARK(x25519_ours);

void x25519_public_key_ours(benchmark::State& state) {
  const PrivateKey key(Secret<32>(std::array<std::uint8_t, 32>{1}));
  for (auto _ : state) {
    PublicKey result = public_key_of(key);
    benchmark::DoNotOptimize(result);
  }
}
BENCHMARK(x25519_public_key_ours);

// What one of a batch costs, over sizes that fill lanes and sizes that don't.
void x25519_batch_ours(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const PrivateKey key(Secret<32>(std::array<std::uint8_t, 32>{1}));
  const PublicKey peer = public_key_of(PrivateKey(Secret<32>(std::array<std::uint8_t, 32>{2})));
  std::vector<SharedSecret> shared(count);
  std::vector<X25519Job> jobs;
  for (SharedSecret& secret : shared) jobs.push_back(X25519Job::dh(key, peer, secret));
  for (auto _ : state) {
    x25519_batch(jobs);
    benchmark::ClobberMemory();
  }
  using benchmark::Counter;
  state.counters["each"] =
      Counter(static_cast<double>(state.iterations()) * static_cast<double>(count),
              Counter::kIsRate | Counter::kInvert);
}
BENCHMARK(x25519_batch_ours)->Arg(1)->Arg(2)->Arg(3)->Arg(8)->Arg(32)->Arg(96);

bool derive(EVP_PKEY* key, EVP_PKEY* peer, SharedSecret& shared) {
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  std::size_t size = kKeySize;
  return EVP_PKEY_derive_init(context.get()) == 1 &&
         EVP_PKEY_derive_set_peer(context.get(), peer) == 1 &&
         EVP_PKEY_derive(context.get(), shared.mut_bytes().data(), &size) == 1;
}

void x25519_openssl_keys_kept(benchmark::State& state) {
  const std::array<std::uint8_t, 32> scalar{1};
  std::array<std::uint8_t, 32> point{9};
  const Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, scalar.data(), 32));
  const Key peer(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, point.data(), 32));
  for (auto _ : state) {
    SharedSecret shared;
    if (!derive(key.get(), peer.get(), shared)) state.SkipWithError("refused");
    benchmark::DoNotOptimize(shared);
  }
}
BENCHMARK(x25519_openssl_keys_kept);

void x25519_openssl_keys_made(benchmark::State& state) {
  const std::array<std::uint8_t, 32> scalar{1};
  std::array<std::uint8_t, 32> point{9};
  for (auto _ : state) {
    SharedSecret shared;
    const Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, scalar.data(), 32));
    const Key peer(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, point.data(), 32));
    if (!derive(key.get(), peer.get(), shared)) state.SkipWithError("refused");
    benchmark::DoNotOptimize(shared);
  }
}
BENCHMARK(x25519_openssl_keys_made);

// The backends are known at run time only: one pair of benchmarks for each, size and batch.
const bool registered = [] {
  for (const AeadBackend* backend : aead_backends()) {
    for (const std::int64_t size : kPacketSizes) {
      for (const std::int64_t count : kBatchSizes) {
        const std::string rest = std::string(backend->name()) + "/" + std::to_string(size) +
                                 "_bytes/batch_of_" + std::to_string(count);
        const auto run = [backend, size, count](auto* measure) {
          return [=](benchmark::State& state) {
            measure(state, *backend, static_cast<std::size_t>(size),
                    static_cast<std::size_t>(count));
          };
        };
        benchmark::RegisterBenchmark(("seal/" + rest).c_str(), run(seal));
        benchmark::RegisterBenchmark(("open/" + rest).c_str(), run(open));
        if (backend->name() == "openssl") continue;
        benchmark::RegisterBenchmark(("seal_beside_openssl/" + rest).c_str(),
                                     run(seal_beside_openssl))
            ->UseManualTime();
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace ferrule::crypto
