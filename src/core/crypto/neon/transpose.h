// Turning rows of words into blocks.
#pragma once

#include "crypto/neon/vector.h"

namespace ferrule::crypto::neon {

/// Transposes 4x4 words: word j of row i and word i of row j change places.
FERRULE_VECTOR_INLINE void transpose(Vec (&x)[kLanes]) noexcept {
  const auto pairs = [](Vec a) { return vreinterpretq_u64_u32(a); };
  const auto words = [](uint64x2_t a) { return vreinterpretq_u32_u64(a); };
  const uint64x2_t even01 = pairs(vtrn1q_u32(x[0], x[1]));
  const uint64x2_t odd01 = pairs(vtrn2q_u32(x[0], x[1]));
  const uint64x2_t even23 = pairs(vtrn1q_u32(x[2], x[3]));
  const uint64x2_t odd23 = pairs(vtrn2q_u32(x[2], x[3]));
  x[0] = words(vtrn1q_u64(even01, even23));
  x[1] = words(vtrn1q_u64(odd01, odd23));
  x[2] = words(vtrn2q_u64(even01, even23));
  x[3] = words(vtrn2q_u64(odd01, odd23));
}

}  // namespace ferrule::crypto::neon
