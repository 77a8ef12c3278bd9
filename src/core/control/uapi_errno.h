// The numbers behind `errno=` (P100).
#pragma once

namespace ferrule::control {

/// On the wire an errno is Linux's number, whatever the system: 98 says that an address is in use
/// everywhere, since `wg` and others were written against that. These two are where numbers change, and
/// change nothing where they are the system's own.

/// The wire's number for this system's. One without a name that all systems have becomes 5, an I/O error.
[[nodiscard]] int errno_on_wire(int code) noexcept;

/// This system's number for the wire's, by the same rule.
[[nodiscard]] int errno_from_wire(int number) noexcept;

}  // namespace ferrule::control
