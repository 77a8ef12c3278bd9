// CHECK: for programming errors, in release builds too. Never for anything that comes from the
// network, a file or a user: those are refused, with a name.
#pragma once

namespace ferrule::detail {
[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;
}

#define FERRULE_CHECK(condition)                       \
  (static_cast<bool>(condition) ? static_cast<void>(0) \
                                : ::ferrule::detail::check_failed(#condition, __FILE__, __LINE__))
