// What this process has taken from the heap.
#pragma once

#include <cstddef>

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

namespace ferrule::test {

/// Where the C library doesn't tell, and under a sanitizer, always zero: tests of differences then hold.
inline std::size_t heap_bytes() {
#ifdef __GLIBC__
  return mallinfo2().uordblks + mallinfo2().hblkhd;
#else
  return 0;
#endif
}

}  // namespace ferrule::test
