// What tests of this folder begin with.
#pragma once

#include <gtest/gtest.h>

#include "crypto/avx512/cpu.h"

/// The first line of a test that runs vector code.
#define FERRULE_SKIP_WITHOUT_AVX512()             \
  if (!::ferrule::crypto::avx512::cpu_can_run())  \
  GTEST_SKIP() << "this CPU has no AVX-512 with " \
                  "IFMA"
