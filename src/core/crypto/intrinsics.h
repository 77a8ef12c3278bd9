// Intel's intrinsics, in the one way that every compiler of ours takes without a warning.
#pragma once

#if defined(__x86_64__)
// GCC 12 takes the undefined sources inside its own intrinsics for mistakes (GCC bug 105593).
#pragma GCC diagnostic push
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop
#endif
