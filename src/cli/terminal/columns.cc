#include "cli/terminal/columns.h"

#include <sys/ioctl.h>

#include <clocale>
#include <cwchar>

#include "base/utf8.h"

namespace ferrule::cli {

namespace {

struct Piece {
  std::size_t size;
  std::size_t columns;
};

constexpr std::size_t kUsualColumns = 80;
constexpr std::size_t kUsualLines = 24;

int width_of(char32_t code) {
  static const locale_t kUnicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (kUnicode == nullptr) return 1;
  const locale_t before = uselocale(kUnicode);
  const int columns = wcwidth(static_cast<wchar_t>(code));
  uselocale(before);
  return columns;
}

Piece first_piece(std::string_view text) {
  const auto character = first_character(text);
  if (!character) return {1, 1};
  const int columns = character->code < 0x80 ? 1 : width_of(character->code);
  return {character->size, columns < 0 ? 1u : static_cast<std::size_t>(columns)};
}

}  // namespace

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const Piece piece = first_piece(text);
    columns += piece.columns;
    text.remove_prefix(piece.size);
  }
  return columns;
}

std::string cut(std::string_view text, std::size_t columns) {
  std::size_t end = 0;
  while (end < text.size()) {
    const Piece piece = first_piece(text.substr(end));
    if (piece.columns > columns) break;
    columns -= piece.columns;
    end += piece.size;
  }
  return std::string(text.substr(0, end));
}

std::string shortened(std::string_view text, std::size_t columns, std::string_view mark) {
  if (columns_of(text) <= columns) return std::string(text);
  return columns == 0 ? std::string() : cut(text, columns - 1).append(mark);
}

std::size_t terminal_columns(int fd) {
  winsize size{};
  return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsualColumns;
}

std::size_t terminal_rows(int fd) {
  winsize size{};
  return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : kUsualLines;
}

std::string padded(std::string_view text, std::size_t columns) {
  std::string out = cut(text, columns);
  out.append(columns - columns_of(out), ' ');
  return out;
}

std::string in_ascii(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Piece piece = first_piece(text);
    const bool is_ascii = static_cast<unsigned char>(text[0]) < 0x80;
    out += is_ascii ? text[0] : '?';
    text.remove_prefix(piece.size);
  }
  return out;
}

}  // namespace ferrule::cli
