// Errors at the edges: configuration and system calls. On the data path a refusal is a `Drop`.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace ferrule {

/// What was attempted, on what, and what the system said. Value type.
///
/// The code is the system's errno, so that a UAPI answer can tell it. Its meaning has a name on every
/// system, std::errc: portable code uses that, and numbers are for the folders of systems.
struct Error {
  int code = 0;      // a positive errno value
  std::string what;  // "open /dev/net/tun: No such device"

  [[nodiscard]] bool is(std::errc meaning) const noexcept {
    return code == static_cast<int>(meaning);
  }
};

/// An Error of the form "<attempted>: <text of the errno>". Without memory it has no text.
[[nodiscard]] Error system_error(int errno_value, std::string_view attempted) noexcept;
[[nodiscard]] inline Error system_error(std::errc meaning, std::string_view attempted) noexcept {
  return system_error(static_cast<int>(meaning), attempted);
}

/// An Error with a text of its own.
[[nodiscard]] inline Error make_error(int code, std::string what) {
  return Error{code, std::move(what)};
}
[[nodiscard]] inline Error make_error(std::errc meaning, std::string what) {
  return make_error(static_cast<int>(meaning), std::move(what));
}

template <class T>
using Result = std::expected<T, Error>;

}  // namespace ferrule
