#include "crypto/kdf.h"

#include <array>

namespace ferrule::crypto {

namespace {

constexpr std::size_t kBlockSize = 64;
constexpr std::uint8_t kInnerPad = 0x36;
constexpr std::uint8_t kOuterPad = 0x5c;

using Block = Secret<kBlockSize>;

void xor_into(const Block& key, std::uint8_t pad, Block& out) noexcept {
  for (std::size_t i = 0; i < kBlockSize; ++i) {
    out.mut_bytes()[i] = static_cast<std::uint8_t>(key.bytes()[i] ^ pad);
  }
}

void hmac_of(Bytes key, std::initializer_list<Bytes> input,
             std::span<std::uint8_t, kHashSize> out) noexcept {
  Block padded_key;
  if (key.size() > kBlockSize) {
    Blake2s().update(key).finish(padded_key.mut_bytes().first<kHashSize>());
  } else {
    copy(key, padded_key.mut_bytes());
  }

  Block pad;
  Secret<kHashSize> inner;
  xor_into(padded_key, kInnerPad, pad);
  Blake2s inner_hash;
  inner_hash.update(pad.bytes());
  for (const Bytes part : input) inner_hash.update(part);
  inner_hash.finish(inner.mut_bytes());

  xor_into(padded_key, kOuterPad, pad);
  Blake2s().update(pad.bytes()).update(inner.bytes()).finish(out);
}

// t0 as a key of HMAC: the blocks of its two pads are compressed once for all that it expands to.
class Expander {
 public:
  Expander(Bytes key, Bytes input) noexcept : Expander(t0_of(key, input)) {}
  ~Expander() {
    wipe_state(inner_);
    wipe_state(outer_);
  }
  Expander(const Expander&) = delete;
  Expander& operator=(const Expander&) = delete;

  // t_i = HMAC(t0, t_(i-1) || i), where t_0 of the formula is nothing at all (P5).
  void expand(Bytes previous, std::uint8_t index, Secret<32>& out) const noexcept {
    const std::array<std::uint8_t, 1> suffix{index};
    Secret<kHashSize> inner;
    Blake2s(kHashSize, inner_).update(previous).update(suffix).finish(inner.mut_bytes());
    Blake2s(kHashSize, outer_).update(inner.bytes()).finish(out.mut_bytes());
  }

 private:
  using State = std::array<std::uint32_t, 8>;

  // Initialised, not assigned: no copy is left on the stack.
  explicit Expander(const Block& t0) noexcept
      : inner_(state_behind(t0, kInnerPad)), outer_(state_behind(t0, kOuterPad)) {}

  static Block t0_of(Bytes key, Bytes input) noexcept {
    Block t0;
    hmac_of(key, {input}, t0.mut_bytes().first<kHashSize>());
    return t0;
  }
  static State state_behind(const Block& key, std::uint8_t pad) noexcept {
    Block padded;
    xor_into(key, pad, padded);
    return Blake2s().update(padded.bytes()).key_block_state();
  }
  static void wipe_state(State& state) noexcept {
    wipe(MutBytes(reinterpret_cast<std::uint8_t*>(state.data()), sizeof state));
  }

  State inner_;
  State outer_;
};

}  // namespace

void hmac(Bytes key, Bytes input, std::span<std::uint8_t, kHashSize> out) noexcept {
  hmac_of(key, {input}, out);
}

void kdf1(Bytes key, Bytes input, ChainingKey& t1) noexcept {
  Expander(key, input).expand({}, 1, t1);
}

void kdf2(Bytes key, Bytes input, Secret<32>& t1, Secret<32>& t2) noexcept {
  const Expander expander(key, input);
  expander.expand({}, 1, t1);
  expander.expand(t1.bytes(), 2, t2);
}

void kdf3(Bytes key, Bytes input, Secret<32>& t1, Secret<32>& t2, Secret<32>& t3) noexcept {
  const Expander expander(key, input);
  expander.expand({}, 1, t1);
  expander.expand(t1.bytes(), 2, t2);
  expander.expand(t2.bytes(), 3, t3);
}

}  // namespace ferrule::crypto
