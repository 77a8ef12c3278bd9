// What tests of this folder begin with.
#pragma once

#include <gtest/gtest.h>

#include "crypto/avx2/cpu.h"

/// The first line of a test that runs vector code.
#define FERRULE_SKIP_WITHOUT_AVX2() \
  if (!::ferrule::crypto::avx2::cpu_can_run()) GTEST_SKIP() << "this CPU has no AVX2 and BMI2"
