// Whether a key is still somewhere in the memory of this process.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace ferrule::testing {

/// Sixteen bytes to look for, kept so that they are not what is found.
class Needle {
 public:
  explicit Needle(Bytes secret) noexcept {
    for (std::size_t i = 0; i < masked_.size(); ++i) masked_[i] = secret[i] ^ kMask;
  }
  [[nodiscard]] bool is_at(const volatile std::uint8_t* place) const noexcept {
    for (std::size_t i = 0; i < masked_.size(); ++i) {
      if ((place[i] ^ kMask) != masked_[i]) return false;
    }
    return true;
  }
  static constexpr std::size_t kSize = 16;

 private:
  static constexpr std::uint8_t kMask = 0x5a;
  std::array<std::uint8_t, kSize> masked_;
};

struct Region {
  std::uintptr_t start;
  std::uintptr_t end;
};

/// All memory that can be written.
inline std::vector<Region> own_regions() {
  std::vector<Region> regions;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    Region region{};
    char rights[5] = {};
    if (std::sscanf(line.c_str(), "%zx-%zx %4s", &region.start, &region.end, rights) == 3 &&
        std::strncmp(rights, "rw", 2) == 0) {
      regions.push_back(region);
    }
  }
  return regions;
}

/// For a process with one thread; not under a sanitizer, whose memory is without end.
[[nodiscard]] inline bool in_own_memory(const Needle& needle) {
  for (const Region& region : own_regions()) {
    for (std::uintptr_t at = region.start; at + Needle::kSize <= region.end; ++at) {
      if (needle.is_at(reinterpret_cast<const std::uint8_t*>(at))) return true;
    }
  }
  return false;
}

}  // namespace ferrule::testing
