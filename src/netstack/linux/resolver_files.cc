#include "netstack/linux/resolver_files.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <climits>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>

#include "io/linux/fd.h"

namespace ferrule::netstack {

namespace {

constexpr const char* kResolvConf = "/etc/resolv.conf";
constexpr const char* kNsswitch = "/etc/nsswitch.conf";
// Who answers questions for names at a socket, and would ask outside.
constexpr const char* kResolverSockets[] = {"/run/nscd/socket",
                                            "/run/systemd/resolve/io.systemd.Resolve",
                                            "/run/avahi-daemon/socket", "/run/unscd/socket"};
// Where files can lie for as long as it takes to put them in their places.
constexpr const char* kFolders[] = {"/tmp", "/mnt", "/var/tmp", "/run", "/srv"};

std::string real_path(const char* path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path, nullptr), std::free);
  return real ? real.get() : "";
}

bool is_below(const std::string& path, const std::string& folder) {
  return path.starts_with(folder + '/');
}

// A folder in memory, over one that holds none of the files that are to be covered.
class Stage {
 public:
  static Result<Stage> open() {
    const std::string resolv_conf = real_path(kResolvConf);
    const std::string nsswitch = real_path(kNsswitch);
    int error = ENOENT;
    for (const char* folder : kFolders) {
      const std::string real = real_path(folder);
      if (real.empty() || is_below(resolv_conf, real) || is_below(nsswitch, real)) continue;
      constexpr unsigned long kFlags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
      if (::mount("tmpfs", folder, "tmpfs", kFlags, "size=256k,mode=755") == 0) {
        return Stage(folder);
      }
      error = errno;
    }
    return std::unexpected(system_error(error, "mount a folder in memory"));
  }
  Stage(Stage&& other) noexcept : folder_(std::exchange(other.folder_, {})) {}
  Stage& operator=(Stage&&) = delete;
  ~Stage() {
    if (!folder_.empty()) ::umount2(folder_.c_str(), MNT_DETACH);
  }

  // A file with `text` takes the place of what is at `target`.
  [[nodiscard]] Result<void> cover(const std::string& target, std::string_view text) {
    const std::string path = folder_ + "/" + std::to_string(++count_);
    const io::UniqueFd file(::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644));
    if (!file || ::write(file.get(), text.data(), text.size()) != std::ssize(text)) {
      return std::unexpected(system_error(errno, "write " + path));
    }
    ::fchmod(file.get(), 0644);
    if (::mount(path.c_str(), target.c_str(), nullptr, MS_BIND, nullptr) != 0) {
      return std::unexpected(system_error(errno, "cover " + target));
    }
    (void)::mount(nullptr, target.c_str(), nullptr,
                  MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
    return {};
  }

 private:
  explicit Stage(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
  int count_ = 0;
};

std::optional<std::string> text_of(const char* path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool is_there(const char* path) {
  struct stat status;
  return ::stat(path, &status) == 0;
}

bool names_a_server(const std::string& resolv_conf) {
  std::istringstream lines(resolv_conf);
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string key;
    std::string value;
    words >> key >> value;
    if (key == "nameserver" && !value.starts_with("127.") && value != "::1") return true;
  }
  return false;
}

Result<void> cover_resolv_conf(Stage& stage, const ResolverFiles& files,
                               std::vector<std::string>& notes) {
  if (files.resolv_conf) {
    if (is_there(kResolvConf)) return stage.cover(kResolvConf, *files.resolv_conf);
    notes.emplace_back(
        "there is no /etc/resolv.conf on this machine to put the file's DNS in the place of: names "
        "will not be found");
    return {};
  }
  if (!names_a_server(text_of(kResolvConf).value_or(""))) {
    notes.emplace_back(
        "the file has no DNS, and this machine's name server is on its own loopback, which can't "
        "be reached from inside: names will not be found");
  }
  return {};
}

}  // namespace

std::string without_other_resolvers(std::string_view nsswitch) {
  std::istringstream lines{std::string(nsswitch)};
  std::string text;
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word != "hosts:") {
      text += line + '\n';
      continue;
    }
    text += "hosts: files";
    while (words >> word && word[0] != '#') {
      if (word == "myhostname") text += " myhostname";
    }
    text += " dns\n";
  }
  return text;
}

Result<void> use_resolver_files(const ResolverFiles& files, std::vector<std::string>& notes) {
  // What the machine mounts later is seen; what is mounted here stays here.
  if (::mount("none", "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
    return std::unexpected(system_error(errno, "keep mounts to ourselves"));
  }
  Result<Stage> stage = Stage::open();
  if (!stage) return std::unexpected(stage.error());
  if (auto covered = cover_resolv_conf(*stage, files, notes); !covered) return covered;
  if (const auto nsswitch = text_of(kNsswitch)) {
    if (auto covered = stage->cover(kNsswitch, without_other_resolvers(*nsswitch)); !covered) {
      return covered;
    }
  }
  for (const char* socket : kResolverSockets) {
    if (!is_there(socket)) continue;
    if (auto covered = stage->cover(socket, ""); !covered) return covered;
  }
  return {};
}

}  // namespace ferrule::netstack
