#include "cli/logs/logs.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "cli/terminal/json.h"
#include "cli/terminal/options.h"
#include "io/linux/fd.h"
#include "io/linux/kept_log.h"
#include "io/linux/run_folder.h"

namespace ferrule::cli {

namespace {

struct LogsOptions {
  std::string interface;  // "": all
  std::size_t count = 100;
  bool is_following = false;
  bool is_json = false;
};

// A line, and whose it is.
struct Told {
  std::string interface;
  io::KeptLine line;
};

constexpr std::size_t kMostLines = 100'000;

// The interfaces of this network namespace that have a log.
std::vector<std::string> interfaces_with_logs() {
  std::vector<std::string> names;
  const std::string begin = io::kept_log_path("");  // ".../4026531840-.log"
  const std::string_view suffix = ".log";
  const std::string_view prefix = std::string_view(begin).substr(0, begin.size() - suffix.size());
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(io::kRunFolder, none)) {
    const std::string path = entry.path();
    if (!path.starts_with(prefix) || !path.ends_with(suffix)) continue;
    names.push_back(path.substr(prefix.size(), path.size() - prefix.size() - suffix.size()));
  }
  std::ranges::sort(names);
  return names;
}

std::string local_time(const std::string& utc) {
  std::tm time{};
  if (strptime(utc.c_str(), "%Y-%m-%dT%H:%M:%S", &time) == nullptr) return utc;
  const std::time_t at = timegm(&time);
  if (localtime_r(&at, &time) == nullptr) return utc;
  std::array<char, 32> text{};
  (void)strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &time);
  return text.data();
}

// Reads logs again and again, and prints what it has not printed yet.
class LogPrinter {
 public:
  LogPrinter(Console& console, const LogsOptions& options)
      : console_(console), options_(options), is_first_(true) {}

  /// False: there is no log.
  bool print_news();

 private:
  [[nodiscard]] std::vector<Told> read_news();
  void print(const Told& told);

  Console& console_;
  const LogsOptions& options_;
  bool is_first_;
  std::map<std::string, io::KeptLine> last_;  // that was printed, of each interface
};

std::vector<Told> LogPrinter::read_news() {
  std::vector<Told> news;
  const std::vector<std::string> names = options_.interface.empty()
                                             ? interfaces_with_logs()
                                             : std::vector<std::string>{options_.interface};
  for (const std::string& name : names) {
    const std::vector<io::KeptLine> lines = io::read_kept_log(io::kept_log_path(name));
    auto next = lines.begin();
    if (const auto last = last_.find(name); last != last_.end()) {
      const auto same = std::ranges::find_if(lines.rbegin(), lines.rend(), [&](const auto& line) {
        return line.time == last->second.time && line.text == last->second.text;
      });
      next = same.base();  // of a log that was emptied, the first
    }
    for (; next != lines.end(); ++next) news.push_back({name, *next});
    if (!lines.empty()) last_[name] = lines.back();
  }
  std::ranges::stable_sort(news, {}, [](const Told& told) { return told.line.time; });
  return news;
}

void LogPrinter::print(const Told& told) {
  if (options_.is_json) {
    const Json line{{"version", kJsonVersion},
                    {"time", told.line.time},
                    {"interface", told.interface},
                    {"message", told.line.text}};
    console_.out.print("{}\n", to_line(line));
  } else {
    console_.out.print("{} {}: {}\n", local_time(told.line.time), told.interface, told.line.text);
  }
}

bool LogPrinter::print_news() {
  std::vector<Told> news = read_news();
  if (is_first_ && news.size() > options_.count) {
    news.erase(news.begin(), news.end() - static_cast<std::ptrdiff_t>(options_.count));
  }
  is_first_ = false;
  for (const Told& told : news) print(told);
  return !last_.empty();
}

int follow(Console& console, LogPrinter& printer) {
  const io::UniqueFd changes(inotify_init1(IN_CLOEXEC));
  if (inotify_add_watch(changes.get(), io::kRunFolder, IN_MODIFY | IN_CREATE) < 0) {
    console.err.print("{}\n", system_error(errno, io::kRunFolder).what);
    return 1;
  }
  std::array<char, 65536> events;
  while (true) {
    printer.print_news();  // once more: something may have been told since
    if (console.out.flush() != 0) return 1;
    std::array<pollfd, 2> news{pollfd{changes.get(), POLLIN, 0},
                               pollfd{console.out.fd(), 0, 0}};  // whether anybody still reads
    if (poll(news.data(), news.size(), -1) < 0 && errno != EINTR) return 1;
    if ((news[1].revents & (POLLERR | POLLHUP)) != 0) return 0;
    if ((news[0].revents & POLLIN) != 0) (void)!read(changes.get(), events.data(), events.size());
  }
}

}  // namespace

int run_logs(Console& console, Arguments arguments) {
  LogsOptions options;
  CommandLine line(
      "Prints what ferruled has told in the background: its last lines, at most some 2000, since "
      "the "
      "machine was started.");
  line.add_option("IFACE", options.interface, "an interface (default: all)");
  line.add_flag("-f,--follow", options.is_following, "go on as more is told");
  line.add_option("-n,--lines", options.count, "how many lines (default: 100)")
      .shown_as("COUNT")
      .between(0, kMostLines);
  line.add_flag("--json", options.is_json, "print an object a line");
  line.examples("ferrule logs wg0\nferrule logs -f\nferrule logs wg0 -n 10 --json");
  if (const auto status = read_options(line, console, arguments)) return *status;
  if (geteuid() != 0) {
    console.err.print("{}: logs are root's to read: try it with sudo\n", console.program);
    return 1;
  }
  LogPrinter printer(console, options);
  const bool is_there = printer.print_news();
  if (options.is_following) return follow(console, printer);
  if (is_there) return 0;
  console.err.print(
      "{}: no ferruled has told anything here in the background{}{}. One in the foreground, as "
      "systemd's unit ferruled@ has it, tells whoever started it: `journalctl -t ferruled'\n",
      console.program, options.interface.empty() ? "" : " of ", options.interface);
  return 1;
}

}  // namespace ferrule::cli
