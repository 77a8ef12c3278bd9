// That what somebody named is not there, printed.
#pragma once

#include <string>
#include <string_view>

#include "cli/terminal/command.h"
#include "files/not_there.h"

namespace ferrule::cli {

using files::is_not;

void print_not_there(Console& console, const files::NotThere& told);

/// Says that a file is not there, and what is that whoever said `argument` may have meant.
void say_no_file(Console& console, const std::string& path, std::string_view argument);

/// Says that a name is none of an interface that is up, and what is, or how it comes up.
void say_no_interface(Console& console, const std::string& name);

}  // namespace ferrule::cli
