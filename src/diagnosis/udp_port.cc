#include "diagnosis/udp_port.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <string_view>
#include <system_error>
#include <vector>

namespace ferrule::diagnosis {

namespace {

namespace fs = std::filesystem;

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(std::move(word));
  return words;
}

// An address in words of four bytes, each a number of this machine's in hex.
std::optional<IpAddress> address_in(std::string_view hex) {
  std::array<std::uint8_t, 16> bytes{};
  if (hex.size() != 8 && hex.size() != 32) return std::nullopt;
  for (std::size_t at = 0; at < hex.size(); at += 8) {
    std::uint32_t word = 0;
    const char* begin = hex.data() + at;
    if (std::from_chars(begin, begin + 8, word, 16).ptr != begin + 8) return std::nullopt;
    std::memcpy(bytes.data() + at / 2, &word, sizeof word);
  }
  if (hex.size() == 8) return IpAddress::v4(std::span(bytes).first<4>());
  return IpAddress::v6(bytes);
}

// Whether who has this address has one of ours: all zeros are all.
bool meets(std::string_view hex, const LocalAddresses& ours) {
  if (ours.is_empty() || hex.find_first_not_of('0') == hex.npos) return true;
  const std::optional<IpAddress> address = address_in(hex);
  return !address || *address == ours.of(address->family());
}

// The numbers of the sockets at a port: the second column is ADDRESS:PORT in hex, the tenth a number.
void collect_port(const char* path, std::uint16_t port, const LocalAddresses& ours,
                  std::set<std::string>& sockets) {
  const std::string suffix = fmt::format(":{:04X}", port);
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> words = words_of(line);
    if (words.size() <= 9 || !words[1].ends_with(suffix)) continue;
    if (meets(std::string_view(words[1]).substr(0, words[1].find(':')), ours)) {
      sockets.insert(words[9]);
    }
  }
}

std::set<std::string> uapi_sockets(const std::string& interface) {
  std::set<std::string> sockets;
  std::ifstream file("/proc/net/unix");
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> words = words_of(line);
    if (words.size() > 7 && words[7].ends_with("/wireguard/" + interface + ".sock")) {
      sockets.insert(words[6]);
    }
  }
  return sockets;
}

bool has_open(const fs::path& process, const std::set<std::string>& sockets) {
  std::error_code error;
  for (fs::directory_iterator fd(process / "fd", error), end; !error && fd != end;
       fd.increment(error)) {
    std::error_code gone;
    std::string target = fs::read_symlink(fd->path(), gone);
    if (gone || !target.starts_with("socket:[")) continue;
    if (sockets.contains(target.substr(8, target.size() - 9))) return true;
  }
  return false;
}

std::string name_of(const fs::path& process) {
  std::string name = "?";
  std::getline(std::ifstream(process / "comm"), name);
  return fmt::format("{} (pid {})", name, process.filename().string());
}

}  // namespace

PortState look_at_port(std::uint16_t port, const std::string& interface,
                       const LocalAddresses& addresses) {
  std::set<std::string> at_port;
  if (addresses.is_empty() || addresses.v4.family() != Family::none) {
    collect_port("/proc/net/udp", port, addresses, at_port);
  }
  if (addresses.is_empty() || addresses.v6.family() != Family::none) {
    collect_port("/proc/net/udp6", port, addresses, at_port);
  }
  PortState state;
  state.is_bound = !at_port.empty();
  if (!state.is_bound) return state;
  const std::set<std::string> uapi = uapi_sockets(interface);
  std::error_code error;
  for (fs::directory_iterator process("/proc", error), end; !error && process != end;
       process.increment(error)) {
    const std::string name = process->path().filename();
    if (!std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; })) continue;
    if (!has_open(process->path(), at_port)) continue;
    // The daemon may hold the port and not have it, while another program is in its way.
    if (has_open(process->path(), uapi)) continue;
    state.other_owner = name_of(process->path());
  }
  return state;
}

}  // namespace ferrule::diagnosis
