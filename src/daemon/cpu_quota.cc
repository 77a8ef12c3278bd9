#include "daemon/cpu_quota.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

namespace ferrule::daemon {

namespace {

enum class Version : std::uint8_t { v1, v2 };

// Where a hierarchy of groups can be seen: of it, what is below `group` stands below `directory`.
struct Mount {
  Version version;
  std::string group;
  std::string directory;
};

std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

bool lists(std::string_view words, std::string_view wanted) {
  while (!words.empty()) {
    const std::size_t comma = words.find(',');
    if (words.substr(0, comma) == wanted) return true;
    words.remove_prefix(comma == words.npos ? words.size() : comma + 1);
  }
  return false;
}

// In mountinfo a space is "\040".
std::string unescaped(std::string_view text) {
  const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string out;
  while (!text.empty()) {
    const bool escaped =
        text.size() >= 4 && text[0] == '\\' && std::ranges::all_of(text.substr(1, 3), is_octal);
    out += escaped ? static_cast<char>((text[1] - '0') * 64 + (text[2] - '0') * 8 + text[3] - '0')
                   : text[0];
    text.remove_prefix(escaped ? 4 : 1);
  }
  return out;
}

// A line of proc_pid_mountinfo(5); none where it is no hierarchy that limits CPU time.
std::optional<Mount> read_mount(const std::string& line) {
  std::istringstream words(line);
  std::string id, parent, device, group, directory, word, type, source, options;
  words >> id >> parent >> device >> group >> directory;
  while (words >> word && word != "-") {
  }
  words >> type >> source >> options;
  const bool is_v2 = type == "cgroup2";
  if (!is_v2 && !(type == "cgroup" && lists(options, "cpu"))) return std::nullopt;
  return Mount{is_v2 ? Version::v2 : Version::v1, unescaped(group), unescaped(directory)};
}

// The group that this process is in: a line of /proc/self/cgroup is "ID:CONTROLLERS:PATH".
std::optional<std::string> own_group(const std::vector<std::string>& lines, Version version) {
  for (const std::string& line : lines) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const auto controllers = std::string_view(line).substr(first + 1, second - first - 1);
    const bool is_it = version == Version::v2 ? controllers.empty() : lists(controllers, "cpu");
    if (is_it) return line.substr(second + 1);
  }
  return std::nullopt;
}

// The path of a group below the place where its hierarchy is mounted. Empty where it can't be seen from
// here, as in a container that has no namespace of groups: what is mounted there is its own then.
std::string below(const Mount& mount, const std::string& group) {
  std::string_view rest = group;
  if (mount.group != "/") {
    if (!rest.starts_with(mount.group)) return {};
    rest.remove_prefix(mount.group.size());
  }
  if (rest == "/" || !rest.starts_with('/') || rest.find("/..") != rest.npos) return {};
  return std::string(rest);
}

// Of one group, in CPUs. "max 100000" or "150000 100000": microseconds of quota in a period.
std::optional<double> quota_of(const std::string& directory, Version version) {
  double quota = 0;
  double period = 0;
  if (version == Version::v2) {
    std::ifstream(directory + "/cpu.max") >> quota >> period;
  } else {
    std::ifstream(directory + "/cpu.cfs_quota_us") >> quota;
    std::ifstream(directory + "/cpu.cfs_period_us") >> period;
  }
  if (quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

void take_least(std::optional<double>& least, std::optional<double> quota) {
  if (quota) least = std::min(least.value_or(*quota), *quota);
}

}  // namespace

std::optional<double> cpu_quota(const std::string& root) {
  std::optional<double> least;
  const std::vector<std::string> groups = lines_of(root + "/proc/self/cgroup");
  for (const std::string& line : lines_of(root + "/proc/self/mountinfo")) {
    const std::optional<Mount> mount = read_mount(line);
    if (!mount) continue;
    const std::optional<std::string> group = own_group(groups, mount->version);
    if (!group) continue;
    std::string path = below(*mount, *group);
    take_least(least, quota_of(root + mount->directory, mount->version));
    for (; !path.empty(); path.resize(path.rfind('/'))) {
      take_least(least, quota_of(root + mount->directory + path, mount->version));
    }
  }
  return least;
}

}  // namespace ferrule::daemon
