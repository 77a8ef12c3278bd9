// What goes between rounds when there is nothing to do.
#pragma once

namespace ferrule::crypto::interleaved {

struct Nothing {
  __attribute__((always_inline)) void work() const noexcept {}
};

}  // namespace ferrule::crypto::interleaved
