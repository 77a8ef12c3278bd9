// Memory that runs out when a test says so.
#pragma once

#include <cstddef>
#include <initializer_list>

namespace ferrule::memory {

/// Which of a thread's allocations fail.
enum class Failing {
  one,   // the one with the number that was given
  rest,  // that one and all after it
};

/// While it lives, this thread's allocations are numbered from 0, and fail as it was told: `new`
/// throws, realloc gives null.
class Shortage {
 public:
  Shortage(std::size_t number, Failing failing) noexcept;
  ~Shortage();
  Shortage(const Shortage&) = delete;
  Shortage& operator=(const Shortage&) = delete;

  /// Whether any has failed by now.
  [[nodiscard]] bool was_felt() const noexcept;
};

/// Bytes that the program has allocated with `new` and not given back.
[[nodiscard]] std::size_t live_bytes() noexcept;

/// What was asked of realloc by now, all together. Most of it may never be touched.
[[nodiscard]] std::size_t reserved_bytes() noexcept;

/// Of something that `new` gave.
[[nodiscard]] std::size_t size_of(const void* memory) noexcept;

/// Calls `attempt(number, failing)` with ever greater numbers until it returns false: no allocation had
/// that number. Then once more with the other way to fail.
template <class Attempt>
void for_each_shortage(Attempt attempt) {
  for (const Failing failing : {Failing::one, Failing::rest}) {
    for (std::size_t number = 0; attempt(number, failing); ++number) {
    }
  }
}

}  // namespace ferrule::memory
