// What depends on the CPU, for a backend that makes Poly1305 between the rounds of ChaCha20. Each
// architecture has one machine at most; FERRULE_INTERLEAVED is defined where there is one. It brings:
//
//   target.h     FERRULE_VECTOR and FERRULE_VECTOR_INLINE: what functions with vectors are marked with
//   vector.h     Vec, of kLanes words, and what is done with it
//   transpose.h  transpose: kLanes rows of as many words
//   rounds.h     State, double_rounds: ChaCha's on kLanes lanes, with other work between
//   add_block.h  add_block: a step of Poly1305, on the integer units
//   wipe.h       wipe, wipe_registers, kStackDepth
//   machine.h    kName, kFewBlocks, cpu_can_run
#pragma once

#if defined(__x86_64__)
#include "crypto/avx2/target.h"
#ifdef FERRULE_AVX2
#include "crypto/avx2/machine.h"
#define FERRULE_INTERLEAVED
namespace ferrule::crypto::interleaved {
using namespace avx2;
}
#endif
#elif defined(__aarch64__)
#include "crypto/neon/target.h"
#ifdef FERRULE_NEON
#include "crypto/neon/machine.h"
#define FERRULE_INTERLEAVED
namespace ferrule::crypto::interleaved {
using namespace neon;
}
#endif
#endif
