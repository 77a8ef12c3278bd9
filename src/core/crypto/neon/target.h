// What functions with vectors are marked with: nothing, since every 64-bit ARM has NEON.
#pragma once

#if defined(__aarch64__) && defined(__ARM_NEON) && !defined(__AARCH64EB__) && \
    !defined(FERRULE_WITHOUT_NEON)
#include <arm_neon.h>

#define FERRULE_NEON

#define FERRULE_VECTOR
/// For the small parts: inlined at any level of optimization, so that vectors stay in registers.
#define FERRULE_VECTOR_INLINE inline __attribute__((always_inline))
#endif
