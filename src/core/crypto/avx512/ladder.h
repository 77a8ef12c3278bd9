// Eight scalar multiplications on Curve25519 at once (RFC 7748 §5), a pair of scalar and point a lane.
#pragma once

#include "crypto/avx512/curve_field.h"

namespace ferrule::crypto::avx512::curve {

/// How many there are at once.
constexpr std::size_t kLanes = 8;

/// What a caller hands over and gets back: row i is lane i, in the order of bytes of RFC 7748.
struct alignas(kVecSize) Rows {
  std::uint64_t word[kLanes][4];
};

/// Replaces each point in `points` by its scalar's multiple of it. Scalars need not be clamped, points
/// not be canonical. A point of low order becomes all zero, and nothing else does. Reaches
/// `kLadderDepth` bytes deep below its caller, and leaves what it worked on there and in registers.
FERRULE_AVX512 void multiply_points(const Rows& scalars, Rows& points) noexcept;

constexpr std::size_t kLadderDepth = 8192;

}  // namespace ferrule::crypto::avx512::curve
