#include "cli/terminal/not_there.h"

namespace ferrule::cli {

void print_not_there(Console& console, const files::NotThere& told) {
  console.err.print("{}: {}\n", console.program, told.what);
  for (const std::string& hint : told.hints) console.err.print("{}\n", hint);
}

void say_no_file(Console& console, const std::string& path, std::string_view argument) {
  print_not_there(console, files::no_file(path, argument));
}

void say_no_interface(Console& console, const std::string& name) {
  print_not_there(console, files::no_interface(*console.devices, name));
}

}  // namespace ferrule::cli
