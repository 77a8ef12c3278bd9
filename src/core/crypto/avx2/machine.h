// AVX2 and BMI2, as crypto/interleaved/machine.h wants it.
#pragma once

#include <cstddef>
#include <string_view>

#include "crypto/avx2/add_block.h"
#include "crypto/avx2/rounds.h"
#include "crypto/avx2/transpose.h"
#include "crypto/avx2/vector.h"
#include "crypto/avx2/wipe.h"

namespace ferrule::crypto::avx2 {

constexpr std::string_view kName = "avx2";

/// So many blocks are faster made alone, by make_few_blocks, than in a pass over all lanes.
constexpr std::size_t kFewBlocks = 4;

/// Whether this CPU, and the operating system, can run what is compiled for this machine. The
/// compiler's run-time library asks the operating system too (XGETBV) before it says yes.
inline bool cpu_can_run() noexcept {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
}

}  // namespace ferrule::crypto::avx2
