// Whether a key is still somewhere in the memory of this process.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
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

/// All memory that can be written; nothing where the system doesn't say.
inline std::vector<Region> own_regions() {
  std::vector<Region> regions;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    char* rest = nullptr;  // "START-END rw.. ..."
    const auto start = static_cast<std::uintptr_t>(std::strtoull(line.c_str(), &rest, 16));
    if (*rest != '-') continue;
    const auto end = static_cast<std::uintptr_t>(std::strtoull(rest + 1, &rest, 16));
    if (std::strncmp(rest, " rw", 3) == 0) regions.push_back({start, end});
  }
  return regions;
}

/// Tests are to be skipped where this is false.
[[nodiscard]] inline bool can_see_own_memory() { return !own_regions().empty(); }

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
