#include "cli/quick/undo.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include "cli/quick/quick_command.h"
#include "cli/quick/reload.h"
#include "cli/terminal/options.h"
#include "control/line_changes.h"
#include "files/input.h"
#include "files/versions.h"

namespace ferrule::cli {

namespace {

constexpr std::size_t kMaxLinesTold = 40;

std::string local_time(std::int64_t at_s) {
  const auto at = static_cast<std::time_t>(at_s);
  std::tm local{};
  if (localtime_r(&at, &local) == nullptr) return "?";
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", local.tm_year + 1900, local.tm_mon + 1,
                     local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
}

void tell_changes(Output& out, std::string_view before, std::string_view after) {
  const auto changes = control::line_changes(before, after);
  for (std::size_t i = 0; i < std::min(changes.size(), kMaxLinesTold); ++i) {
    if (changes[i].line.empty()) continue;
    out.print("  {} {}\n", changes[i].is_added ? '+' : '-', changes[i].line);
  }
  if (changes.size() > kMaxLinesTold) {
    out.print("  and {} lines more\n", changes.size() - kMaxLinesTold);
  }
}

std::string counted(std::ptrdiff_t count, std::string_view what) {
  return fmt::format("{} line{} {}", count, count == 1 ? "" : "s", what);
}

// Of each edit, what it made of the file.
int list_versions(Console& console, const QuickPlace& place) {
  auto after = files::read_file(place.path);
  std::size_t number = 0;
  for (const files::Version& version : files::versions_of(place.path)) {
    auto before = files::read_file(version.path);
    if (!after || !before) continue;
    const auto changes = control::line_changes(before->view(), after->view());
    const auto added = std::ranges::count(changes, true, &control::LineChange::is_added);
    const auto removed = static_cast<std::ptrdiff_t>(changes.size()) - added;
    console.out.print("{:2}  {}  {}, {}\n", ++number, local_time(version.until_s),
                      counted(added, "added"), counted(removed, "removed"));
    after = std::move(before);
  }
  if (number == 0) console.out.print("{}: there is no edit to take back\n", place.path);
  return 0;
}

bool put(Console& console, const std::string& path, const control::WipedText& text) {
  auto staged = files::StagedFile::write(path, text);
  const auto written = staged ? staged->commit() : std::unexpected(staged.error());
  if (!written) console.err.print("{}\n", written.error().what);
  return written.has_value();
}

bool is_up(Console& console, const std::string& interface) {
  return geteuid() == 0 && console.devices->get(interface).has_value();
}

int undo(Console& console, const QuickPlace& place) {
  const auto lock = files::lock_folder_of(place.path);
  const auto now = files::read_file(place.path);
  const auto versions = files::versions_of(place.path);
  if (!lock || !now) {
    console.err.print("{}\n", (lock ? now.error() : lock.error()).what);
    return 1;
  }
  if (versions.empty()) {
    console.err.print("{}: there is no edit to take back\n", place.path);
    return 1;
  }
  const files::Version& last = versions.front();
  const auto before = files::read_file(last.path);
  if (!before) {
    console.err.print("{}\n", before.error().what);
    return 1;
  }
  const auto kept = files::keep_undone(place.path, *now);
  if (!kept) {
    console.err.print("{}\nNothing was changed.\n", kept.error().what);
    return 1;
  }
  if (!put(console, place.path, *before)) return 1;
  if (is_up(console, place.interface) && reload_interface(console, place.given, {}) != 0) {
    if (put(console, place.path, *now)) console.err.write("Nothing was changed.\n");
    return 1;
  }
  files::forget_version(last);
  console.out.print("{} is as it was until {}:\n", place.path, local_time(last.until_s));
  tell_changes(console.out, now->view(), before->view());
  console.out.print("{} earlier version{} left; what was undone is {}\n", versions.size() - 1,
                    versions.size() == 2 ? " is" : "s are", *kept);
  return 0;
}

}  // namespace

int run_undo(Console& console, Arguments arguments) {
  std::string argument;
  bool is_list = false;
  CommandLine line(
      "Puts back what a file was before ferrule edited it last: peer, save, init and import "
      "keep what they replace. An interface that is up follows.");
  add_file(line, argument);
  line.add_flag("--list", is_list, "list the edits that can be taken back, the last one first");
  line.examples("ferrule undo wg0\nferrule undo wg0 --list");
  if (const auto status = read_options(line, console, arguments)) return *status;
  const auto place = find_quick_file(console, argument);
  if (!place) return 1;
  return is_list ? list_versions(console, *place) : undo(console, *place);
}

}  // namespace ferrule::cli
