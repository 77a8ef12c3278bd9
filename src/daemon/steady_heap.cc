#include "daemon/steady_heap.h"

#include <malloc.h>

namespace ferrule::daemon {

namespace {
// What tables are made of (base/segments.h) lies above it.
constexpr int kPieceBytes = 32 << 10;
constexpr int kKeptBytes = 1 << 20;
}  // namespace

void steady_heap() noexcept {
#if defined(__GLIBC__)
  (void)::mallopt(M_MMAP_THRESHOLD, kPieceBytes);
  (void)::mallopt(M_TRIM_THRESHOLD, kKeptBytes);
  (void)::mallopt(M_MXFAST,
                  0);  // or small pieces are joined all at once, when a large one is freed
#endif
}

}  // namespace ferrule::daemon
