#include "cli/peer/handout.h"

#include <fmt/format.h>
#include <unistd.h>

#include "cli/peer/new_peer.h"
#include "cli/terminal/columns.h"
#include "cli/terminal/style.h"
#include "files/conf_file.h"

namespace ferrule::cli {

namespace {

// Standard output, which is no file.
bool is_dash(const std::string& path) { return path == "-"; }

}  // namespace

Handout::~Handout() {
  for (const std::string& path : paths_) unlink(path.c_str());
}

bool Handout::is_written(const std::string& path, const Result<void>& outcome) {
  if (!outcome) return refuse(console_, outcome.error().what);
  paths_.push_back(path);
  return true;
}

bool Handout::code_fits() {
  const int fd = console_.out.fd();
  if (isatty(fd) != 1) return true;
  const std::size_t columns = qr_columns(*code_);
  const std::size_t rows = (columns + 1) / 2;
  const std::size_t has_columns = terminal_columns(fd);
  const std::size_t has_rows = terminal_rows(fd);
  if (columns <= has_columns && rows < has_rows) return true;
  return refuse(console_,
                fmt::format("The code takes {} columns and {} lines, and this terminal has "
                            "{} and {}: make it larger, or use --png FILE. Nothing was "
                            "changed.",
                            columns, rows + 1, has_columns, has_rows));
}

bool Handout::prepare(const control::WipedText& conf) {
  if (options_.shows_qr || !options_.png_path.empty()) {
    auto made = QrCode::of(conf.view());
    if (!made) return refuse(console_, made.error().what);
    code_.emplace(std::move(*made));
  }
  if (options_.shows_qr && !code_fits()) return false;
  const std::string& out = options_.out_path;
  if (!out.empty() && !is_dash(out) && !is_written(out, files::write_new_file(out, conf.view())))
    return false;
  const std::string& png = options_.png_path;
  return png.empty() || is_dash(png) || is_written(png, write_png(*code_, png));
}

bool Handout::give(const control::WipedText& conf) {
  paths_.clear();
  const bool has_other = options_.shows_qr || !options_.png_path.empty();
  if (is_dash(options_.out_path) || (options_.out_path.empty() && !has_other)) {
    console_.out.write(conf.view());
  }
  if (is_dash(options_.png_path)) {
    const auto picture = png_of(*code_);
    if (!picture) return refuse(console_, picture.error().what);
    console_.out.write(picture->view());
  }
  if (options_.shows_qr) print_qr(console_.out, *code_, wants_color(console_.out.fd()));
  return console_.out.flush() == 0;
}

}  // namespace ferrule::cli
