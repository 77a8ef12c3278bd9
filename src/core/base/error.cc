#include "base/error.h"

#include <new>
#include <system_error>

namespace ferrule {

Error system_error(int errno_value, std::string_view attempted) noexcept try {
  std::string what(attempted);
  what += ": ";
  what += std::generic_category().message(errno_value);
  return Error{errno_value, std::move(what)};
} catch (const std::bad_alloc&) {
  return Error{errno_value, {}};
}

}  // namespace ferrule
