// Whether this CPU, and the operating system, can run what is compiled in this folder.
#pragma once

#include "crypto/avx2/target.h"

#ifdef FERRULE_AVX2

namespace ferrule::crypto::avx2 {

/// The compiler's run-time library asks the operating system too (XGETBV) before it says yes.
inline bool cpu_can_run() noexcept {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
}

}  // namespace ferrule::crypto::avx2

#endif
