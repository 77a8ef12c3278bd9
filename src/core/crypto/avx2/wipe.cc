#include "crypto/avx2/target.h"

#ifdef FERRULE_AVX2
#include "crypto/avx2/wipe.h"

namespace ferrule::crypto::avx2 {

void wipe_registers() noexcept {
  asm volatile(
      "vzeroall\n\t"
      "xor %%eax, %%eax\n\t"
      "xor %%ecx, %%ecx\n\t"
      "xor %%edx, %%edx\n\t"
      "xor %%esi, %%esi\n\t"
      "xor %%edi, %%edi\n\t"
      "xor %%r8d, %%r8d\n\t"
      "xor %%r9d, %%r9d\n\t"
      "xor %%r10d, %%r10d\n\t"
      "xor %%r11d, %%r11d"
      :
      :
      : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
        "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9",
        "r10", "r11", "cc");
}

}  // namespace ferrule::crypto::avx2
#endif
