// Whether this CPU, and the operating system, can run what is compiled in this folder.
#pragma once

#include "crypto/avx512/target.h"

#ifdef FERRULE_AVX512

namespace ferrule::crypto::avx512 {

/// The compiler's run-time library asks the operating system too (XGETBV) before it says yes.
inline bool cpu_can_run() noexcept {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512ifma") && __builtin_cpu_supports("bmi2");
}

}  // namespace ferrule::crypto::avx512

#endif
