// The instructions that this folder is compiled for. Each function says so itself, so that nothing
// else in the program, not even an inline function of the standard library, is compiled for them.
#pragma once

#if defined(__x86_64__) && !defined(FERRULE_WITHOUT_AVX2)
#include "crypto/intrinsics.h"

#define FERRULE_AVX2

#define FERRULE_VECTOR_FEATURES "avx2,bmi2"
#define FERRULE_VECTOR __attribute__((target(FERRULE_VECTOR_FEATURES)))
/// For the small parts: inlined at any level of optimization, so that vectors stay in registers.
#define FERRULE_VECTOR_INLINE inline __attribute__((always_inline, target(FERRULE_VECTOR_FEATURES)))
#endif
