// ferrule: the tool for people. Installed or linked as `wg`, it takes wg's place.

#include <ctime>
#include <string_view>
#include <vector>

#include "cli/program.h"

int main(int argc, char** argv) {
  const std::vector<std::string_view> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  ferrule::cli::Console console;
  console.program = argc > 0 ? argv[0] : "ferrule";
  console.now_s = std::time(nullptr);
  return ferrule::cli::run_program(console, words);
}
