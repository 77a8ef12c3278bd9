#include "quick/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>

#include "io/linux/fd.h"

namespace ferrule::quick {

namespace {

constexpr off_t kMostOutputBytes = off_t{16} << 20;

// posix_spawn's attributes and file actions, with the signals of a new program.
class Spawn {
 public:
  Spawn() {
    posix_spawn_file_actions_init(&files_);
    posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes_, &none);
  }
  ~Spawn() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }
  Spawn(const Spawn&) = delete;
  Spawn& operator=(const Spawn&) = delete;

  void read_from(int fd) { put(fd, STDIN_FILENO); }
  void write_to(int output, int errors) {
    put(output, STDOUT_FILENO);
    put(errors, STDERR_FILENO);
  }
  void detach() {
    flags_ = POSIX_SPAWN_SETSID;
    silence();
  }
  void silence() {
    for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
      posix_spawn_file_actions_addopen(&files_, fd, "/dev/null", O_RDWR, 0);
    }
  }

  Result<pid_t> run(const std::vector<std::string>& words) {
    std::vector<char*> argv;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    posix_spawnattr_setflags(&attributes_, static_cast<short>(flags_ | POSIX_SPAWN_SETSIGMASK));
    pid_t pid = 0;
    const int error = posix_spawnp(&pid, argv[0], &files_, &attributes_, argv.data(), environ);
    if (error != 0) return std::unexpected(system_error(error, "start " + words[0]));
    return pid;
  }

 private:
  void put(int fd, int at) { posix_spawn_file_actions_adddup2(&files_, fd, at); }

  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
  int flags_ = 0;
};

Result<void> wait_for(pid_t pid, const std::string& name) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return std::unexpected(system_error(errno, "wait for " + name));
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  if (WIFEXITED(status)) {
    return std::unexpected(
        make_error(ECHILD, fmt::format("{} ended with status {}", name, WEXITSTATUS(status))));
  }
  return std::unexpected(
      make_error(ECHILD, fmt::format("{} was ended by signal {}", name, WTERMSIG(status))));
}

// A file that only we and a child have, with this in it.
Result<io::UniqueFd> memory_file(std::string_view text, const std::string& reader) {
  io::UniqueFd file(memfd_create("child", MFD_CLOEXEC));
  if (!file || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      lseek(file.get(), 0, SEEK_SET) != 0) {
    return std::unexpected(system_error(errno, "prepare the input of " + reader));
  }
  return file;
}

// What a child has written there, up to a bound.
std::string text_of(int file) {
  const off_t size = std::min(lseek(file, 0, SEEK_END), kMostOutputBytes);
  std::string text(static_cast<std::size_t>(std::max<off_t>(size, 0)), '\0');
  const ssize_t got = pread(file, text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return text;
}

bool is_program(const std::string& path) { return access(path.c_str(), X_OK) == 0; }

}  // namespace

std::optional<std::string> find_program(const std::string& name) {
  if (name.find('/') != name.npos) {
    return is_program(name) ? std::optional(name) : std::nullopt;
  }
  const char* path = std::getenv("PATH");
  std::string_view left = path != nullptr ? path : "/usr/sbin:/usr/bin:/sbin:/bin";
  while (!left.empty()) {
    const std::size_t end = std::min(left.find(':'), left.size());
    std::string candidate = fmt::format("{}/{}", left.substr(0, end), name);
    if (end > 0 && is_program(candidate)) return candidate;
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  return std::nullopt;
}

std::string own_path() {
  std::array<char, PATH_MAX> path;
  const ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
  return size > 0 ? std::string(path.data(), static_cast<std::size_t>(size)) : "ferrule";
}

std::string own_folder() {
  const std::string path = own_path();
  const std::size_t slash = path.rfind('/');
  return slash == path.npos ? "." : path.substr(0, slash);
}

Result<void> run_child(const std::vector<std::string>& words, const std::string& name) {
  const auto pid = Spawn().run(words);
  if (!pid) return std::unexpected(pid.error());
  return wait_for(*pid, name);
}

Result<void> run_quietly(const std::vector<std::string>& words) {
  Spawn spawn;
  spawn.silence();
  const auto pid = spawn.run(words);
  if (!pid) return std::unexpected(pid.error());
  return wait_for(*pid, words[0]);
}

Result<void> feed_child(const std::vector<std::string>& words, std::string_view input) {
  const auto file = memory_file(input, words[0]);
  if (!file) return std::unexpected(file.error());
  Spawn spawn;
  spawn.read_from(file->get());
  const auto pid = spawn.run(words);
  if (!pid) return std::unexpected(pid.error());
  return wait_for(*pid, words[0]);
}

Result<std::string> ask_child(const std::vector<std::string>& words, std::string_view input) {
  const auto in = memory_file(input, words[0]);
  const auto out = memory_file({}, words[0]);
  const auto errors = memory_file({}, words[0]);
  for (const auto* file : {&in, &out, &errors}) {
    if (!*file) return std::unexpected(file->error());
  }
  Spawn spawn;
  spawn.read_from(in->get());
  spawn.write_to(out->get(), errors->get());
  const auto pid = spawn.run(words);
  if (!pid) return std::unexpected(pid.error());
  const auto ended = wait_for(*pid, words[0]);
  if (ended) return text_of(out->get());
  const std::string complaint = text_of(errors->get());
  const std::string first = complaint.substr(0, complaint.find('\n'));
  return std::unexpected(first.empty() ? ended.error() : make_error(ECHILD, first));
}

Result<void> start_child(const std::vector<std::string>& words) {
  Spawn spawn;
  spawn.detach();
  const auto pid = spawn.run(words);
  if (!pid) return std::unexpected(pid.error());
  return {};
}

}  // namespace ferrule::quick
