#include "protocol/replay.h"

#include <algorithm>
#include <bit>

namespace ferrule::protocol {

// RFC 6479: the bitmap is a ring of words. Moving on clears whole words and shifts nothing; the price
// is the one word that the greatest counter stands in and that the window can't use.
bool ReplayWindow::accept(std::uint64_t counter) noexcept {
  static_assert(std::has_single_bit(kWords), "words are found by masking");
  static_assert(kReplayWindow == (kWords - 1) * 64);
  if (counter >= kRejectAfterMessages) return false;

  const std::uint64_t word = counter / 64;
  if (counter > greatest_) {
    const std::uint64_t greatest_word = greatest_ / 64;
    const std::uint64_t passed = std::min<std::uint64_t>(word - greatest_word, kWords);
    for (std::uint64_t i = 1; i <= passed; ++i) bitmap_[(greatest_word + i) % kWords] = 0;
    greatest_ = counter;
  } else if (greatest_ - counter > kReplayWindow) {
    return false;
  }

  const std::uint64_t bit = std::uint64_t{1} << (counter % 64);
  std::uint64_t& seen = bitmap_[word % kWords];
  if ((seen & bit) != 0) return false;
  seen |= bit;
  ++accepted_;
  return true;
}

}  // namespace ferrule::protocol
