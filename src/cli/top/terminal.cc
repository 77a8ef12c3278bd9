#include "cli/top/terminal.h"

#include <langinfo.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstring>
#include <utility>

#include "cli/terminal/style.h"

// Last: ncurses defines short names as macros.
#define NCURSES_WIDECHAR 1
#include <ncurses.h>

namespace ferrule::cli {

namespace {

constexpr short kGreenPair = 1;
constexpr short kYellowPair = 2;
constexpr short kCyanPair = 3;
constexpr int kEscapeDelayMs = 25;  // a lone Escape is not kept waiting for long

attr_t attributes_of(Look look) {
  switch (look) {
    case Look::plain:
      return A_NORMAL;
    case Look::bold:
      return A_BOLD;
    case Look::dim:
      return A_DIM;
    case Look::bar:
      return A_REVERSE;
    case Look::marked:
      return A_REVERSE | A_BOLD | COLOR_PAIR(kCyanPair);
    case Look::good:
      return COLOR_PAIR(kGreenPair);
    case Look::warning:
      return COLOR_PAIR(kYellowPair) | A_BOLD;
  }
  return A_NORMAL;
}

// Whether the terminal can do this (terminfo(5)).
bool has_string(const char* capability) {
  const char* text = tigetstr(capability);
  return text != nullptr && text != reinterpret_cast<const char*>(-1);
}

// A key that curses knows by a number of its own.
std::optional<std::int32_t> named_key(wint_t code) {
  switch (code) {
    case KEY_UP:
      return std::to_underlying(TopKey::up);
    case KEY_DOWN:
      return std::to_underlying(TopKey::down);
    case KEY_PPAGE:
      return std::to_underlying(TopKey::page_up);
    case KEY_NPAGE:
      return std::to_underlying(TopKey::page_down);
    case KEY_HOME:
      return std::to_underlying(TopKey::home);
    case KEY_END:
      return std::to_underlying(TopKey::end);
    case KEY_BACKSPACE:
      return std::to_underlying(TopKey::backspace);
    case KEY_ENTER:
      return std::to_underlying(TopKey::enter);
    default:
      return std::nullopt;  // KEY_RESIZE and what has no meaning here
  }
}

std::int32_t typed_key(wint_t character) {
  if (character == '\b') return std::to_underlying(TopKey::backspace);
  if (character == '\r') return std::to_underlying(TopKey::enter);
  return static_cast<std::int32_t>(character);
}

class NcursesTerminal final : public Terminal {
 public:
  explicit NcursesTerminal(SCREEN* screen) : screen_(screen) {
    set_term(screen_);
    cbreak();
    noecho();
    curs_set(0);
    set_escdelay(kEscapeDelayMs);
    keypad(stdscr, TRUE);
    if (has_colors() && wants_color(STDOUT_FILENO)) {
      start_color();
      use_default_colors();
      init_pair(kGreenPair, COLOR_GREEN, -1);
      init_pair(kYellowPair, COLOR_YELLOW, -1);
      init_pair(kCyanPair, COLOR_CYAN, -1);
    }
  }
  ~NcursesTerminal() override {
    endwin();
    delscreen(screen_);
  }

  TopScreen screen() const override {
    return {static_cast<std::size_t>(std::max(LINES, 0)),
            static_cast<std::size_t>(std::max(COLS, 0)),
            std::strcmp(nl_langinfo(CODESET), "UTF-8") == 0};
  }

  void show(std::span<const Line> lines) override {
    erase();
    for (std::size_t row = 0; row < lines.size(); ++row) {
      move(static_cast<int>(row), 0);
      for (const Span& span : lines[row]) {
        attrset(attributes_of(span.look));
        addstr(span.text.c_str());
      }
    }
    refresh();
  }

  std::optional<std::int32_t> key(Duration timeout) override {
    ::timeout(
        static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count()));
    wint_t code = 0;
    switch (get_wch(&code)) {
      case OK:
        return typed_key(code);
      case KEY_CODE_YES:
        return named_key(code);
      default:
        return std::nullopt;
    }
  }

 private:
  SCREEN* screen_;
};

}  // namespace

Result<std::unique_ptr<Terminal>> Terminal::open() {
  if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1) {
    return std::unexpected(make_error(ENOTTY, "top needs a terminal (`watch' and `show' do not)"));
  }
  std::setlocale(LC_CTYPE, "");
  SCREEN* screen = newterm(nullptr, stdout, stdin);
  if (screen == nullptr) {
    const char* name = std::getenv("TERM");
    return std::unexpected(make_error(ENOTTY, std::string("TERM=") + (name == nullptr ? "" : name) +
                                                  ": a terminal unknown here"));
  }
  if (!has_string("cup")) {
    endwin();
    delscreen(screen);
    return std::unexpected(
        make_error(ENOTTY, "TERM=" + std::string(std::getenv("TERM")) +
                               ": top can't draw on such a terminal (`watch' and `show' can)"));
  }
  return std::make_unique<NcursesTerminal>(screen);
}

}  // namespace ferrule::cli
