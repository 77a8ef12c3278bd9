#include "crypto/aead_check.h"

#include <algorithm>
#include <array>

#include "crypto/handshake_aead.h"

namespace ferrule::crypto {

namespace {

// A ciphertext is `size` bytes: all ff but the last 16, which are these two words. The key is 00 01 02 .. 1f.
// By tests/vectors/poly1305_edges.py, which says how they are found; each with the sum that it leads to.
struct Edge {
  std::uint16_t size;
  std::uint64_t counter;
  std::uint64_t low;
  std::uint64_t high;
};

constexpr Edge kEdges[] = {
    {16, 11, 0xe605548af2ebdfd6, 0xc83b624e7e7bd23f},     // p - 1
    {16, 20, 0x77f00786d64ff43e, 0x499935dedfc34b09},     // 2^128 - 1
    {16, 29, 0x323f622fe3437903, 0x9e40d5a9bd1fc276},     // 2^129 - 1
    {64, 59, 0x39a323593f387ffe, 0x43a22f39fc580470},     // p - 1
    {64, 81, 0x444f66926ab6a59f, 0xa8c134ed186b59fb},     // 2^128 - 1
    {64, 88, 0x5b6f868ba0507412, 0xe18685eb550dccc4},     // 2^129 - 1
    {256, 147, 0xae6ae69810180978, 0xfbbb21e17d57f3e9},   // p - 1
    {256, 159, 0x17f64cda57df7754, 0x5cb8079d43a1a04a},   // 2^128 - 1
    {256, 167, 0x478ed7de5f2e75a7, 0xe6c92fe75822ba81},   // 2^129 - 1
    {1424, 303, 0xef35f935498c4f02, 0xd9a432548b97efda},  // p - 1
    {1424, 314, 0xd7d07cdd238a81f1, 0xb82b7fbb33f8f28e},  // 2^128 - 1
    {1424, 318, 0x4bd40dfb108c355f, 0xdd174e28d6dc9f7a},  // 2^129 - 1
};

constexpr std::size_t kLongest = 1424 + kTagSize;
using Message = std::array<std::uint8_t, kLongest>;

bool agrees(const AeadBackend& backend, const AeadKey& key, const Edge& edge) noexcept {
  Message plain;
  plain.fill(0xff);
  store_le64(plain.data() + edge.size - 16, edge.low);
  store_le64(plain.data() + edge.size - 8, edge.high);
  const MutBytes whole = MutBytes(plain).first(edge.size + kTagSize);
  // The cipher is its own inverse: this makes the plaintext.
  aead_seal(key, edge.counter, whole.first(edge.size), {}, whole);

  Message expected;
  const MutBytes right = MutBytes(expected).first(whole.size());
  aead_seal(key, edge.counter, whole.first(edge.size), {}, right);
  const AeadPacket packet{plain.data(), edge.size, &key, edge.counter};
  backend.seal({&packet, 1});
  if (!std::ranges::equal(whole, right)) return false;
  bool opened = false;
  backend.open({&packet, 1}, {&opened, 1});
  return opened;
}

}  // namespace

bool agrees_with_libsodium(const AeadBackend& backend) noexcept {
  AeadKey key;
  for (std::size_t i = 0; i < AeadKey::kSize; ++i) {
    key.mut_bytes()[i] = static_cast<std::uint8_t>(i);
  }
  return std::ranges::all_of(kEdges, [&](const Edge& edge) { return agrees(backend, key, edge); });
}

}  // namespace ferrule::crypto
