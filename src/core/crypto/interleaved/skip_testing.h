// What tests of this folder begin with.
#pragma once

#include <gtest/gtest.h>

#include "crypto/interleaved/machine.h"

/// The first line of a test that runs vector code.
#define FERRULE_SKIP_WITHOUT_MACHINE()                \
  if (!::ferrule::crypto::interleaved::cpu_can_run()) \
  GTEST_SKIP() << "this CPU has not what the code needs"
