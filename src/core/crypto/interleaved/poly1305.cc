#include "crypto/interleaved/machine.h"

#ifdef FERRULE_INTERLEAVED
#include "crypto/interleaved/poly1305.h"

namespace ferrule::crypto::interleaved {

namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::uint64_t low_word(Wide value) noexcept { return static_cast<std::uint64_t>(value); }
constexpr std::uint64_t high_word(Wide value) noexcept {
  return static_cast<std::uint64_t>(value >> 64);
}

PolySum multiply(const PolySum& h, const Multiplier& r) noexcept {
  const Wide word0 = Wide{h.low} * r.r0 + Wide{h.high} * r.wrapped_r1;
  const Wide word1 =
      Wide{h.low} * r.r1 + Wide{h.high} * r.r0 + h.top * r.wrapped_r1 + high_word(word0);
  const std::uint64_t word2 = h.top * r.r0 + high_word(word1);
  const Wide low = Wide{low_word(word0)} + (word2 >> 2) * 5;
  const Wide high = Wide{low_word(word1)} + high_word(low);
  return {low_word(low), low_word(high), (word2 & 3) + high_word(high)};
}

// The same number below 2^130 - 5, without the bits that a tag has no room for.
Tag reduce(const PolySum& h) noexcept {
  // h is below 2^131, so that p has to be taken off twice at most: once by its multiple...
  const Wide low = Wide{h.low} + (h.top >> 2) * 5;
  const Wide high = Wide{h.high} + high_word(low);
  const std::uint64_t top = (h.top & 3) + high_word(high);
  // ... and once if h + 5 reaches 2^130. Nothing branches on that: it is a secret.
  const Wide low_plus_5 = Wide{low_word(low)} + 5;
  const Wide high_plus_5 = Wide{low_word(high)} + high_word(low_plus_5);
  const std::uint64_t reaches_p = 0 - ((top + high_word(high_plus_5)) >> 2);
  return {(low_word(low) & ~reaches_p) | (low_word(low_plus_5) & reaches_p),
          (low_word(high) & ~reaches_p) | (low_word(high_plus_5) & reaches_p)};
}

}  // namespace

Tag tag_of(const PolySum& sum, const OneTimeKey& key) noexcept {
  const Tag value = reduce(multiply(sum, key.r));
  const Wide low = Wide{value.low} + key.s0;
  return {low_word(low), value.high + key.s1 + high_word(low)};
}

}  // namespace ferrule::crypto::interleaved
#endif
