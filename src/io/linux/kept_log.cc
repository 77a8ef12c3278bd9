#include "io/linux/kept_log.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <utility>

#include "io/linux/run_folder.h"

namespace ferrule::io {

namespace {

constexpr std::size_t kTimeBytes = 27;
constexpr int kDaemonInfo = 3 * 8 + 6;  // facility and severity, as syslog(3) has them

UniqueFd open_file(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
}

UniqueFd connect_to(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (std::strlen(path) >= sizeof address.sun_path) return {};
  std::strcpy(address.sun_path, path);
  UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto* to = reinterpret_cast<const sockaddr*>(&address);
  if (!fd || ::connect(fd.get(), to, sizeof address) != 0) return {};
  return fd;
}

// Writes kTimeBytes characters.
void write_time(char* to) noexcept {
  timespec now{};
  (void)::clock_gettime(CLOCK_REALTIME, &now);
  tm utc{};
  (void)::gmtime_r(&now.tv_sec, &utc);
  std::array<char, 64> text{};
  (void)std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ",
                      utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                      utc.tm_sec, now.tv_nsec / 1000);
  std::memcpy(to, text.data(), kTimeBytes);
}

// Of a file's first line; "" of an empty one.
std::string first_time(const UniqueFd& fd) {
  std::array<char, kTimeBytes> text{};
  const ssize_t got = ::pread(fd.get(), text.data(), text.size(), 0);
  return got == static_cast<ssize_t>(text.size()) ? std::string(text.data(), text.size()) : "";
}

std::string whole_file(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  std::string text(fd ? KeptLog::kMaxBytes + KeptLog::kMaxLineBytes : 0, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(fd.get(), text.data() + size, text.size() - size);
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

void add_lines(std::string_view text, std::vector<KeptLine>& lines) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == text.npos) return;  // it is being written
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.size() <= kTimeBytes) continue;
    lines.push_back(
        {std::string(line.substr(0, kTimeBytes)), std::string(line.substr(kTimeBytes + 1))});
  }
}

}  // namespace

std::optional<KeptLog> KeptLog::open(const std::string& path, std::string name,
                                     const char* system_log) {
  std::array<UniqueFd, 2> files{open_file(path), open_file(path + ".old")};
  if (!files[0] || !files[1]) return std::nullopt;
  const std::size_t current = first_time(files[1]) > first_time(files[0]) ? 1 : 0;
  struct stat status;
  if (::fstat(files[current].get(), &status) != 0) return std::nullopt;
  KeptLog log(std::move(files), connect_to(system_log), std::move(name));
  log.current_ = current;
  log.used_bytes_ = static_cast<std::size_t>(status.st_size);
  log.line_.reserve(kTimeBytes + 2 + kMaxLineBytes);
  return log;
}

void KeptLog::write(std::string_view line) noexcept {
  keep(line);
  if (!system_log_) return;
  if (not_taken_ > 0) {
    std::array<char, 64> told{};
    (void)std::snprintf(told.data(), told.size(), "lines that the log did not take: %llu",
                        static_cast<unsigned long long>(not_taken_));
    if (!send(told.data())) {
      ++not_taken_;
      return;
    }
    not_taken_ = 0;
  }
  if (!send(line)) ++not_taken_;
}

void KeptLog::keep(std::string_view line) noexcept {
  line = line.substr(0, kMaxLineBytes - kTimeBytes - 2);
  line_.resize(kTimeBytes);  // within what is reserved, as all below
  write_time(line_.data());
  line_ += ' ';
  line_ += line;
  line_ += '\n';
  if (used_bytes_ + line_.size() > kMaxBytes) {
    current_ = 1 - current_;
    used_bytes_ = 0;
    if (::ftruncate(files_[current_].get(), 0) != 0) return;
  }
  const ssize_t written = ::write(files_[current_].get(), line_.data(), line_.size());
  if (written > 0) used_bytes_ += static_cast<std::size_t>(written);
}

bool KeptLog::send(std::string_view line) noexcept {
  std::array<char, 64> head{};
  const int size = std::snprintf(head.data(), head.size(), "<%d>ferruled[%d]: %s: ", kDaemonInfo,
                                 static_cast<int>(::getpid()), name_.c_str());
  line_.assign(head.data(), std::min(static_cast<std::size_t>(size), head.size() - 1));
  line_ += line.substr(0, kMaxLineBytes - line_.size());
  return ::send(system_log_.get(), line_.data(), line_.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

std::vector<KeptLine> read_kept_log(const std::string& path) {
  std::vector<KeptLine> first;
  std::vector<KeptLine> second;
  add_lines(whole_file(path), first);
  add_lines(whole_file(path + ".old"), second);
  if (first.empty() || (!second.empty() && second.front().time > first.front().time)) {
    std::swap(first, second);
  }
  second.insert(second.end(), std::make_move_iterator(first.begin()),
                std::make_move_iterator(first.end()));
  return second;
}

std::string kept_log_path(const std::string& interface) { return run_file(interface, ".log"); }

}  // namespace ferrule::io
