// One message, a block a lane: h takes eight blocks a step, and each lane is multiplied by its own
// power of r in the end. The first vector is the one that may be short, so that every message ends
// in the last lane and the powers are always the same.
#include "crypto/avx512/target.h"

#ifdef FERRULE_AVX512
#include "crypto/avx512/poly1305.h"

namespace ferrule::crypto::avx512 {

namespace {

constexpr std::size_t kStepBlocks = 8;
constexpr std::size_t kStepBytes = kStepBlocks * kPolyBlockSize;

// `split` takes the low and high words of blocks apart with unpack instructions, which leave block b
// in this lane; so all tables of lanes follow this order of blocks: 0, 4, 1, 5, 2, 6, 3, 7.
FERRULE_AVX512_INLINE Element split_blocks(Vec first_half, Vec second_half, Vec ends) noexcept {
  return split(_mm512_unpacklo_epi64(first_half, second_half),
               _mm512_unpackhi_epi64(first_half, second_half), ends);
}

struct Powers {
  Element lanes;       // r^(8 - b) in the lane of block b
  Multiplier r8, r16;  // in every lane; r16 is made when `has_r16`
};

FERRULE_AVX512_INLINE Element select(__mmask8 which, const Element& yes,
                                     const Element& no) noexcept {
  return {_mm512_mask_mov_epi64(no.limb0, which, yes.limb0),
          _mm512_mask_mov_epi64(no.limb1, which, yes.limb1),
          _mm512_mask_mov_epi64(no.limb2, which, yes.limb2)};
}

FERRULE_AVX512_INLINE Powers powers_of(const Element& r, bool long_message) noexcept {
  // Lanes hold r^8 r^4 r^7 r^3 r^6 r^2 r^5 r^1: exponent less one in binary says by what to multiply.
  constexpr __mmask8 kOddBit = 0b00110011;   // exponents 8, 4, 6, 2
  constexpr __mmask8 kTwoBit = 0b00001111;   // 8, 4, 7, 3
  constexpr __mmask8 kFourBit = 0b01010101;  // 8, 7, 6, 5
  const Multiplier r1 = multiplier(r);
  const Element r2 = multiply(r, r1);
  const Multiplier by_r2 = multiplier(r2);
  const Element r4 = multiply(r2, by_r2);
  const Multiplier by_r4 = multiplier(r4);
  const Element one_or_two = select(kOddBit, r2, r);
  const Element up_to_four = select(kTwoBit, multiply(one_or_two, by_r2), one_or_two);
  Powers powers;
  powers.lanes = select(kFourBit, multiply(up_to_four, by_r4), up_to_four);
  const Element r8 = multiply(r4, by_r4);
  powers.r8 = multiplier(r8);
  if (long_message) powers.r16 = multiplier(multiply(r8, powers.r8));
  return powers;
}

// Blocks 8 - count to 7 of a vector of blocks, as lanes.
FERRULE_AVX512_INLINE __mmask8 lanes_of_last(std::size_t count) noexcept {
  const Vec block = _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7);
  return _mm512_cmpge_epi64_mask(block,
                                 _mm512_set1_epi64(static_cast<std::int64_t>(kStepBlocks - count)));
}

struct Halves {
  Vec first, second;
};

// `count` bytes, at most 128, then zeros.
FERRULE_AVX512_INLINE Halves load_start(const std::uint8_t* from, std::size_t count) noexcept {
  const std::size_t first = std::min(count, kVecSize);
  return {load_first(from, first), load_first(from + first, count - first)};
}

// Adds the block with the lengths: none of associated data, then `size`.
FERRULE_AVX512_INLINE Halves with_length(const Halves& halves, std::size_t block,
                                         std::size_t size) noexcept {
  const unsigned place = 1u << (2 * block + 1);
  const auto value = static_cast<std::int64_t>(size);
  return {_mm512_mask_set1_epi64(halves.first, static_cast<__mmask8>(place), value),
          _mm512_mask_set1_epi64(halves.second, static_cast<__mmask8>(place >> 8), value)};
}

// Moves the first `count` blocks (1 to 8) of 128 bytes to their end; the others are zero.
FERRULE_AVX512_INLINE Halves align_right(const Halves& halves, std::size_t count) noexcept {
  const Vec places = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
  const Vec from_first =
      _mm512_add_epi64(places, _mm512_set1_epi64(static_cast<std::int64_t>(2 * count)));
  const Vec from_second = _mm512_add_epi64(from_first, _mm512_set1_epi64(8));
  return {_mm512_permutex2var_epi64(halves.first, from_first, halves.second),
          _mm512_permutex2var_epi64(halves.first, from_second, halves.second)};
}

FERRULE_AVX512_INLINE Element full_step(const std::uint8_t* from) noexcept {
  return split_blocks(load(from), load(from + kVecSize), block_end());
}

// h * r^8 + next, lane by lane.
FERRULE_AVX512_INLINE Element step(const Element& h, const Element& next,
                                   const Powers& powers) noexcept {
  Sum sum = sum_of(next);
  add_product(sum, h, powers.r8);
  return reduce(sum);
}

// (h * r^8 + next) * r^8 + after.
FERRULE_AVX512_INLINE Element two_steps(const Element& h, const Element& next, const Element& after,
                                        const Powers& powers) noexcept {
  Sum sum = sum_of(after);
  add_product(sum, next, powers.r8);
  add_product(sum, h, powers.r16);
  return reduce(sum);
}

// The sums of lanes that the polynomial's value is the sum of.
FERRULE_AVX512_INLINE Element evaluate(const PolyMessage& message, const Element& r) noexcept {
  const std::size_t blocks = message.blocks();
  const std::size_t steps = (blocks + kStepBlocks - 1) / kStepBlocks;
  const std::size_t first = blocks - (steps - 1) * kStepBlocks;
  const Vec first_ends = _mm512_maskz_mov_epi64(lanes_of_last(first), block_end());
  const Powers powers = powers_of(r, steps > 3);

  if (steps == 1) {
    Halves all = load_start(message.data, message.size);
    all = align_right(with_length(all, first - 1, message.size), first);
    return multiply(split_blocks(all.first, all.second, first_ends), multiplier(powers.lanes));
  }
  const Halves start = align_right(load_start(message.data, first * kPolyBlockSize), first);
  Element h = split_blocks(start.first, start.second, first_ends);
  const std::uint8_t* next = message.data + first * kPolyBlockSize;
  std::size_t full_steps = steps - 2;
  for (; full_steps >= 2; full_steps -= 2, next += 2 * kStepBytes) {
    h = two_steps(h, full_step(next), full_step(next + kStepBytes), powers);
  }
  if (full_steps > 0) {
    h = step(h, full_step(next), powers);
    next += kStepBytes;
  }
  const auto left = static_cast<std::size_t>(message.data + message.size - next);
  const Halves end = with_length(load_start(next, left), kStepBlocks - 1, message.size);
  h = step(h, split_blocks(end.first, end.second, block_end()), powers);
  return multiply(h, multiplier(powers.lanes));
}

// The sum of all lanes, in every lane.
FERRULE_AVX512_INLINE Vec sum_of_lanes(Vec x) noexcept {
  x = _mm512_add_epi64(x, _mm512_shuffle_i64x2(x, x, 0b01'00'11'10));
  x = _mm512_add_epi64(x, _mm512_shuffle_i64x2(x, x, 0b10'11'00'01));
  return _mm512_add_epi64(x, _mm512_shuffle_epi32(x, _MM_PERM_BADC));
}

}  // namespace

Element evaluate_each_alone(std::span<const PolyMessage> messages,
                            const OneTimeKeys& keys) noexcept {
  Element values = {zero(), zero(), zero()};
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const Vec lane = _mm512_set1_epi64(static_cast<std::int64_t>(i));
    const Element r = split(_mm512_permutexvar_epi64(lane, keys.r_low),
                            _mm512_permutexvar_epi64(lane, keys.r_high), zero());
    const Element sums = evaluate(messages[i], r);
    const Element value = {sum_of_lanes(sums.limb0), sum_of_lanes(sums.limb1),
                           sum_of_lanes(sums.limb2)};
    values = select(static_cast<__mmask8>(1u << i), value, values);
  }
  return values;
}

}  // namespace ferrule::crypto::avx512
#endif
