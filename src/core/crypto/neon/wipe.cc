#include "crypto/neon/target.h"

#ifdef FERRULE_NEON
#include "crypto/neon/wipe.h"

namespace ferrule::crypto::neon {

// Of v8 to v15 a call preserves the lower halves, which the compiler sees to: these are the caller's,
// and no secret of ours. Where x18 belongs to the platform, compilers keep away from it: CMakeLists.txt
// knows where.
void wipe_registers() noexcept {
  asm volatile(
      ".irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17\n\t"
      "mov x\\i, #0\n\t"
      ".endr\n\t"
      ".irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, "
      "23, 24, 25, 26, 27, 28, 29, 30, 31\n\t"
      "movi v\\i\\().2d, #0\n\t"
      ".endr"
      :
      :
      : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
        "x14", "x15", "x16", "x17", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9",
        "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22",
        "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31");
#ifdef FERRULE_X18_IS_FREE
  asm volatile("mov x18, #0" : : : "x18");
#endif
}

}  // namespace ferrule::crypto::neon
#endif
