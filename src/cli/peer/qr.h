// QR codes, which may hold keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "cli/terminal/output.h"
#include "control/wiped_text.h"

namespace ferrule::cli {

/// The modules of a QR code, wiped at the end. Move-only.
class QrCode {
 public:
  /// An Error when the text is too long for one (about 2950 bytes).
  [[nodiscard]] static Result<QrCode> of(std::string_view text);
  QrCode(QrCode&&) noexcept = default;
  QrCode& operator=(QrCode&&) = delete;
  ~QrCode() { wipe(modules_); }

  /// Modules in a row; there are as many rows.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Whether a module is dark. Those outside, in the quiet zone around, are not.
  [[nodiscard]] bool is_dark(std::size_t row, std::size_t column) const noexcept {
    return row < size_ && column < size_ && modules_[row * size_ + column] != 0;
  }

 private:
  QrCode() noexcept = default;
  std::size_t size_ = 0;
  std::vector<std::uint8_t> modules_;
};

/// For a terminal, two rows a line, the light modules drawn: without colours, on a dark terminal.
void print_qr(Output& out, const QrCode& code, bool is_colored);

/// How wide it is so; it has half as many lines.
[[nodiscard]] std::size_t qr_columns(const QrCode& code) noexcept;

/// As a picture.
[[nodiscard]] Result<control::WipedText> png_of(const QrCode& code);
/// To a new file, readable by its owner alone.
[[nodiscard]] Result<void> write_png(const QrCode& code, const std::string& path);

}  // namespace ferrule::cli
