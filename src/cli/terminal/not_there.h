// What to say when what somebody named is not there: in the same words, whatever it is.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/terminal/command.h"

namespace ferrule::cli {

/// "`bbo' is not a peer of wg0; did you mean `bob'?"
[[nodiscard]] std::string is_not(std::string_view word, std::string_view what,
                                 const std::vector<std::string>& names);

/// Says that a file is not there, and what is that whoever said `argument` may have meant.
void say_no_file(Console& console, const std::string& path, std::string_view argument);

/// Says that a name is none of an interface that is up, and what is, or how it comes up.
void say_no_interface(Console& console, const std::string& name);

}  // namespace ferrule::cli
