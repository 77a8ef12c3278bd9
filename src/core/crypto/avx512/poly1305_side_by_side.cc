// Eight messages in step, a message a lane. All of them end in the same step: shorter ones start
// later, with blocks of zero and no end bit, which leave the zero that a lane starts from as it is.
#include "crypto/avx512/target.h"

#ifdef FERRULE_AVX512
#include "crypto/avx512/poly1305.h"

#include <utility>

#include "crypto/avx512/transpose.h"

namespace ferrule::crypto::avx512 {

namespace {

// A chunk is four blocks of each message: a vector of bytes.
constexpr std::size_t kChunkBlocks = kVecSize / kPolyBlockSize;
constexpr auto kLanes = std::make_index_sequence<kPolyLanes>();

struct Powers {
  Multiplier r1, r2, r3, r4;
};

FERRULE_AVX512_INLINE Powers powers_of(const OneTimeKeys& keys) noexcept {
  Powers powers;
  powers.r1 = multiplier(split(keys.r_low, keys.r_high, zero()));
  powers.r2 = multiplier(multiply(powers.r1.value, powers.r1));
  powers.r3 = multiplier(multiply(powers.r2.value, powers.r1));
  powers.r4 = multiplier(multiply(powers.r2.value, powers.r2));
  return powers;
}

// How the messages lie on the steps. Lanes without a message repeat the first one.
class Schedule {
 public:
  explicit Schedule(std::span<const PolyMessage> messages) noexcept {
    std::size_t longest = 0;
    std::size_t shortest = SIZE_MAX;
    for (std::size_t i = 0; i < kPolyLanes; ++i) {
      message_[i] = messages[i < messages.size() ? i : 0];
      longest = std::max(longest, message_[i].blocks());
      shortest = std::min(shortest, message_[i].blocks());
    }
    chunks_ = (longest + kChunkBlocks - 1) / kChunkBlocks;
    const std::size_t blocks = chunks_ * kChunkBlocks;
    for (std::size_t i = 0; i < kPolyLanes; ++i) lead_blocks_[i] = blocks - message_[i].blocks();
    all_started_ = (blocks - shortest + kChunkBlocks - 1) / kChunkBlocks;
  }

  [[nodiscard]] std::size_t chunks() const noexcept { return chunks_; }
  // The first chunk in which every lane has four blocks; it may be that there is none.
  [[nodiscard]] std::size_t all_started() const noexcept { return all_started_; }
  [[nodiscard]] const PolyMessage& message(std::size_t lane) const noexcept {
    return message_[lane];
  }
  [[nodiscard]] std::size_t lead_bytes(std::size_t lane) const noexcept {
    return lead_blocks_[lane] * kPolyBlockSize;
  }
  FERRULE_AVX512_INLINE Vec lead_blocks() const noexcept { return load(lead_blocks_); }
  FERRULE_AVX512_INLINE Vec sizes() const noexcept {
    return _mm512_setr_epi64(size(0), size(1), size(2), size(3), size(4), size(5), size(6),
                             size(7));
  }

 private:
  [[nodiscard]] std::int64_t size(std::size_t lane) const noexcept {
    return static_cast<std::int64_t>(message_[lane].size);
  }

  PolyMessage message_[kPolyLanes];
  alignas(kVecSize) std::uint64_t lead_blocks_[kPolyLanes];
  std::size_t chunks_;
  std::size_t all_started_;
};

// The part of a lane's message that falls into a chunk, where it may start or end.
FERRULE_AVX512_INLINE Vec load_edge(const Schedule& schedule, std::size_t lane,
                                    std::size_t chunk) noexcept {
  const PolyMessage& message = schedule.message(lane);
  const std::size_t begin = chunk * kVecSize;
  const std::size_t lead = schedule.lead_bytes(lane);
  if (begin < lead) {
    const std::size_t skipped = std::min(lead - begin, kVecSize);
    const std::size_t count = std::min(message.size, kVecSize - skipped);
    return rotate_up(load_first(message.data, count), static_cast<unsigned>(skipped / 8));
  }
  const std::size_t offset = std::min(begin - lead, message.size);
  return load_first(message.data + offset, message.size - offset);
}

// The end bits of block `index` of the schedule: lanes that have not started have none.
FERRULE_AVX512_INLINE Vec end_of_block(const Schedule& schedule, std::size_t index) noexcept {
  const Vec block = _mm512_set1_epi64(static_cast<std::int64_t>(index));
  const __mmask8 started = _mm512_cmple_epu64_mask(schedule.lead_blocks(), block);
  return _mm512_maskz_mov_epi64(started, block_end());
}

// h * r^4 + (four blocks of each message) at r; `words` is a word of each message a vector.
FERRULE_AVX512_INLINE Element absorb(const Element& h, const Vec (&words)[8], const Vec (&ends)[4],
                                     const Powers& powers) noexcept {
  Sum sum = sum_of({zero(), zero(), zero()});
  add_product(sum, split(words[6], words[7], ends[3]), powers.r1);
  add_product(sum, split(words[4], words[5], ends[2]), powers.r2);
  add_product(sum, split(words[2], words[3], ends[1]), powers.r3);
  add_product(sum, add(h, split(words[0], words[1], ends[0])), powers.r4);
  return reduce(sum);
}

template <std::size_t... kI>
FERRULE_AVX512_INLINE Element absorb_edge(const Element& h, const Schedule& schedule,
                                          std::size_t chunk, const Powers& powers,
                                          std::index_sequence<kI...>) noexcept {
  Vec words[8] = {load_edge(schedule, kI, chunk)...};
  transpose_quadwords(words);
  const bool last = chunk + 1 == schedule.chunks();
  if (last) words[7] = _mm512_or_si512(words[7], schedule.sizes());
  const std::size_t block = chunk * kChunkBlocks;
  const Vec ends[4] = {end_of_block(schedule, block), end_of_block(schedule, block + 1),
                       end_of_block(schedule, block + 2), end_of_block(schedule, block + 3)};
  return absorb(h, words, ends, powers);
}

// Chunks `begin` to `end`, in which no lane starts or ends. Multiplying and turning rows into words
// use different parts of the CPU: so the next chunk is turned in between the products of this one.
template <std::size_t... kI>
FERRULE_AVX512_INLINE Element absorb_middle(Element h, const Schedule& schedule, std::size_t begin,
                                            std::size_t end, const Powers& powers,
                                            std::index_sequence<kI...>) noexcept {
  const std::uint8_t* const rows[8] = {
      (schedule.message(kI).data + (begin * kVecSize - schedule.lead_bytes(kI)))...};
  const std::size_t size = (end - begin) * kVecSize;
  Vec words[8] = {load(rows[kI])...};
  transpose_quadwords(words);
  for (std::size_t offset = kVecSize; offset < size; offset += kVecSize) {
    Vec next[8] = {load(rows[kI] + offset)...};
    Sum sum = sum_of({zero(), zero(), zero()});
    add_product(sum, split(words[6], words[7], block_end()), powers.r1);
    pair_quadwords(next);
    add_product(sum, split(words[4], words[5], block_end()), powers.r2);
    finish_even_quadwords(next);
    add_product(sum, split(words[2], words[3], block_end()), powers.r3);
    finish_odd_quadwords(next);
    add_product(sum, add(h, split(words[0], words[1], block_end())), powers.r4);
    h = reduce(sum);
    ((words[kI] = next[kI]), ...);
  }
  return absorb(h, words, {block_end(), block_end(), block_end(), block_end()}, powers);
}

}  // namespace

Element evaluate_side_by_side(std::span<const PolyMessage> messages,
                              const OneTimeKeys& keys) noexcept {
  const Schedule schedule(messages);
  const Powers powers = powers_of(keys);
  Element h = {zero(), zero(), zero()};
  const std::size_t last = schedule.chunks() - 1;
  std::size_t chunk = 0;
  for (; chunk < std::min(last, schedule.all_started()); ++chunk) {
    h = absorb_edge(h, schedule, chunk, powers, kLanes);
  }
  if (chunk < last) h = absorb_middle(h, schedule, chunk, last, powers, kLanes);
  return absorb_edge(h, schedule, last, powers, kLanes);
}

}  // namespace ferrule::crypto::avx512
#endif
