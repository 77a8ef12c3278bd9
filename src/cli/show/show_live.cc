#include "cli/show/show_live.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "io/clock.h"

namespace ferrule::cli {

namespace {

constexpr std::string_view kWatch = "--watch";
constexpr double kShortestSeconds = 0.1;
constexpr double kLongestSeconds = 3600;
constexpr std::size_t kUsualRows = 24;

// The other screen of the terminal, without a cursor; long lines end at its edge.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l";
constexpr std::string_view kLeave = "\x1b[?7h\x1b[?25h\x1b[?1049l";

volatile std::sig_atomic_t ended = 0;

// Signals do not restart the sleep: the end comes at once, and a new size of the window is drawn.
void take_signals() {
  struct sigaction action{};
  action.sa_handler = [](int) { ended = 1; };
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaction(number, &action, nullptr);
  action.sa_handler = [](int) {};
  sigaction(SIGWINCH, &action, nullptr);
}

std::size_t rows_of(int fd) {
  winsize size{};
  return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : kUsualRows;
}

bool can_draw_on(int fd) {
  const char* term = std::getenv("TERM");
  return isatty(fd) == 1 && term != nullptr && *term != '\0' && std::string_view(term) != "dumb";
}

void sleep_for(Duration time) {
  const timespec left{time / 1s, (time % 1s).count()};
  nanosleep(&left, nullptr);
}

struct Shown {
  int status = 0;
  Output out{Output::kNowhere};
  Output err{Output::kNowhere};
};

Shown show_once(Console& console, const std::function<int()>& show) {
  Shown shown;
  console.now_s = io::now().wall.seconds;
  std::swap(console.out, shown.out);
  std::swap(console.err, shown.err);
  shown.status = show();
  std::swap(console.out, shown.out);
  std::swap(console.err, shown.err);
  return shown;
}

}  // namespace

std::optional<Duration> watch_interval(std::string_view word) noexcept {
  if (!word.starts_with(kWatch)) return std::nullopt;
  word.remove_prefix(kWatch.size());
  if (word.empty()) return 1s;
  if (word[0] != '=') return std::nullopt;
  double seconds = 0;
  const char* end = word.data() + word.size();
  const auto [rest, error] = std::from_chars(word.data() + 1, end, seconds);
  const bool can_be = seconds >= kShortestSeconds && seconds <= kLongestSeconds;
  if (error != std::errc{} || rest != end || !can_be) return std::nullopt;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

control::WipedText frame_of(std::string_view text, std::size_t rows) {
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n'));
  // Nothing ends the last row: the screen would scroll.
  const std::size_t room = lines < rows ? lines : rows - 1;
  control::WipedText frame("\x1b[H");
  for (std::size_t i = 0; i < room; ++i) {
    const std::size_t end = text.find('\n');
    frame.append(text.substr(0, end));
    frame.append("\x1b[K\r\n");
    text.remove_prefix(end + 1);
  }
  frame.append("\x1b[J");
  if (room < lines)
    frame.append(fmt::format("({} more {})", lines - room, lines - room == 1 ? "line" : "lines"));
  return frame;
}

int show_live(Console& console, Duration interval, const std::function<int()>& show) {
  if (!can_draw_on(console.out.fd())) {
    console.err.print("{} show: {} needs a terminal that can be drawn on\n", console.program,
                      kWatch);
    return 1;
  }
  Shown shown = show_once(console, show);
  if (shown.status != 0) {
    console.err.write(shown.err.text());
    return shown.status;
  }
  take_signals();
  console.out.write(kEnter);
  while (ended == 0) {
    // What goes wrong from now on has its place on the screen too.
    shown.out.write(shown.err.text());
    console.out.write(frame_of(shown.out.text(), rows_of(console.out.fd())).view());
    if (console.out.flush() != 0) return 1;
    sleep_for(interval);
    shown = show_once(console, show);
  }
  console.out.write(kLeave);
  return 0;
}

}  // namespace ferrule::cli
