// What to say when what somebody named is not there: in the same words, whatever it is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "client/device_client.h"

namespace ferrule::files {

/// "`bbo' is not a peer of wg0; did you mean `bob'?"
[[nodiscard]] std::string is_not(std::string_view word, std::string_view what,
                                 const std::vector<std::string>& names);

/// Value type.
struct NotThere {
  std::string what;                     // in a line
  std::vector<std::string> hints = {};  // what can be done about it, a line each
};
/// That a file is not there, and what is that whoever said `argument` may have meant.
[[nodiscard]] NotThere no_file(const std::string& path, std::string_view argument);
/// That a name is none of an interface that is up, and what is, or how it comes up.
[[nodiscard]] NotThere no_interface(client::DeviceClient& devices, const std::string& name);

}  // namespace ferrule::files
