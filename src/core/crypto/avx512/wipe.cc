#include "crypto/avx512/target.h"

#ifdef FERRULE_AVX512
#include "crypto/avx512/wipe.h"

namespace ferrule::crypto::avx512 {

void wipe_registers() noexcept {
  // What the compiler clears on the way out of a function are the upper halves of half of them.
  asm volatile(
      "vzeroall\n\t"
      ".irp i, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n\t"
      "vpxord %%zmm\\i, %%zmm\\i, %%zmm\\i\n\t"
      ".endr"
      :
      :
      : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
        "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm16", "xmm17", "xmm18", "xmm19", "xmm20",
        "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30",
        "xmm31");
}

}  // namespace ferrule::crypto::avx512
#endif
