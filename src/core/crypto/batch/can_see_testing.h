// FERRULE_CAN_SEE: whether tests can run code on a stack of their own and look at what it left. It takes
// registers that we know of, and a C library with makecontext.
#pragma once

#include <cstdint>  // tells which library this is

#if (defined(__x86_64__) || defined(__aarch64__)) && defined(__GLIBC__)
#define FERRULE_CAN_SEE
#endif
