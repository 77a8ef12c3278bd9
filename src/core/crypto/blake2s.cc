#include "crypto/blake2s.h"

#include <bit>
#include <utility>

#include "base/check.h"
#include "base/secret.h"

namespace ferrule::crypto {

namespace {

constexpr std::size_t kBlockSize = 64;
constexpr std::size_t kMaxKeySize = 32;
constexpr std::size_t kRounds = 10;

// RFC 7693 §2.6: the IV of SHA-256.
constexpr std::array<std::uint32_t, 8> kIv{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                           0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

// RFC 7693 §2.7: which message word goes where, for each round.
constexpr std::uint8_t kSigma[kRounds][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

using Words = std::array<std::uint32_t, 16>;

[[gnu::always_inline]] inline void mix(std::uint32_t& a, std::uint32_t& b, std::uint32_t& c,
                                       std::uint32_t& d, std::uint32_t x,
                                       std::uint32_t y) noexcept {
  a += b + x;
  d = std::rotr(d ^ a, 16);
  c += d;
  b = std::rotr(b ^ c, 12);
  a += b + y;
  d = std::rotr(d ^ a, 8);
  c += d;
  b = std::rotr(b ^ c, 7);
}

// The round is a template parameter so that every index is a constant: unrolled, the state lives in
// registers, and the loop over rounds costs nothing.
template <std::size_t Round>
[[gnu::always_inline]] inline void mix_round(Words& v, const Words& m) noexcept {
  constexpr auto& s = kSigma[Round];
  mix(v[0], v[4], v[8], v[12], m[s[0]], m[s[1]]);
  mix(v[1], v[5], v[9], v[13], m[s[2]], m[s[3]]);
  mix(v[2], v[6], v[10], v[14], m[s[4]], m[s[5]]);
  mix(v[3], v[7], v[11], v[15], m[s[6]], m[s[7]]);
  mix(v[0], v[5], v[10], v[15], m[s[8]], m[s[9]]);
  mix(v[1], v[6], v[11], v[12], m[s[10]], m[s[11]]);
  mix(v[2], v[7], v[8], v[13], m[s[12]], m[s[13]]);
  mix(v[3], v[4], v[9], v[14], m[s[14]], m[s[15]]);
}

}  // namespace

Blake2s::Blake2s(std::size_t digest_size, Bytes key) noexcept : h_(kIv), digest_size_(digest_size) {
  FERRULE_CHECK(digest_size >= 1 && digest_size <= kHashSize);
  FERRULE_CHECK(key.size() <= kMaxKeySize);
  h_[0] ^= 0x01010000u ^ static_cast<std::uint32_t>(key.size() << 8 | digest_size);
  if (!key.empty()) {
    copy(key, buffer_);
    buffered_ = kBlockSize;  // the key is a block of its own, padded with zeros
  }
}

Blake2s::Blake2s(std::size_t digest_size,
                 const std::array<std::uint32_t, 8>& key_block_state) noexcept
    : h_(key_block_state), count_(kBlockSize), digest_size_(digest_size) {
  FERRULE_CHECK(digest_size >= 1 && digest_size <= kHashSize);
}

Blake2s::~Blake2s() {
  if (digest_size_ != 0) clear();
}

void Blake2s::clear() noexcept {
  wipe(buffer_);
  wipe(MutBytes(reinterpret_cast<std::uint8_t*>(h_.data()), sizeof h_));
  digest_size_ = 0;
}

Blake2s& Blake2s::update(Bytes input) noexcept {
  while (!input.empty()) {
    // A full buffer is compressed only when more follows it: the last block has a flag of its own.
    if (buffered_ == kBlockSize) {
      count_ += kBlockSize;
      compress(buffer_.data(), false);
      buffered_ = 0;
    }
    const std::size_t take = std::min(input.size(), kBlockSize - buffered_);
    std::memcpy(buffer_.data() + buffered_, input.data(), take);
    buffered_ += take;
    input = input.subspan(take);
  }
  return *this;
}

void Blake2s::finish(MutBytes digest) noexcept {
  FERRULE_CHECK(digest_size_ != 0 && digest.size() == digest_size_);
  count_ += buffered_;
  std::memset(buffer_.data() + buffered_, 0, kBlockSize - buffered_);
  compress(buffer_.data(), true);
  std::array<std::uint8_t, kHashSize> whole;
  for (std::size_t i = 0; i < h_.size(); ++i) store_le32(whole.data() + 4 * i, h_[i]);
  std::memcpy(digest.data(), whole.data(), digest_size_);
  wipe(whole);
  clear();
}

std::array<std::uint32_t, 8> Blake2s::key_block_state() noexcept {
  FERRULE_CHECK(count_ == 0 && buffered_ == kBlockSize);
  count_ = kBlockSize;
  compress(buffer_.data(), false);
  buffered_ = 0;
  return h_;
}

void Blake2s::compress(const std::uint8_t* block, bool last) noexcept {
  Words m;
  for (std::size_t i = 0; i < m.size(); ++i) m[i] = load_le32(block + 4 * i);
  Words v;
  for (std::size_t i = 0; i < 8; ++i) {
    v[i] = h_[i];
    v[i + 8] = kIv[i];
  }
  v[12] ^= static_cast<std::uint32_t>(count_);
  v[13] ^= static_cast<std::uint32_t>(count_ >> 32);
  if (last) v[14] = ~v[14];
  [&]<std::size_t... Round>(std::index_sequence<Round...>) {
    (mix_round<Round>(v, m), ...);
  }(std::make_index_sequence<kRounds>());
  for (std::size_t i = 0; i < 8; ++i) h_[i] ^= v[i] ^ v[i + 8];
}

Hash hash(std::initializer_list<Bytes> parts) noexcept {
  Blake2s state;
  for (const Bytes part : parts) state.update(part);
  Hash digest;
  state.finish(digest);
  return digest;
}

Mac mac(Bytes key, std::initializer_list<Bytes> parts) noexcept {
  Blake2s state(kMacSize, key);
  for (const Bytes part : parts) state.update(part);
  Mac digest;
  state.finish(digest);
  return digest;
}

MacKey::MacKey(Bytes key) noexcept : key_block_state_(Blake2s(kMacSize, key).key_block_state()) {}

Mac MacKey::mac(std::initializer_list<Bytes> parts) const noexcept {
  Blake2s state(kMacSize, key_block_state_);
  bool any = false;
  for (const Bytes part : parts) {
    state.update(part);
    any |= !part.empty();
  }
  // The key's block would have been the last one, which is compressed differently.
  FERRULE_CHECK(any);
  Mac digest;
  state.finish(digest);
  return digest;
}

}  // namespace ferrule::crypto
