#include "cli/peer/qr.h"

#include <fcntl.h>
#include <png.h>
#include <qrencode.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>

#include "base/check.h"

namespace ferrule::cli {

namespace {

constexpr std::size_t kQuietZone = 4;  // modules, ISO/IEC 18004
constexpr std::size_t kPixels = 8;     // of a module in a picture
constexpr std::string_view kWhiteOnBlack = "\x1b[97;40m";
constexpr std::string_view kReset = "\x1b[0m";

// A character for a module and the one below it.
std::string_view half_blocks(bool is_upper_dark, bool is_lower_dark) {
  if (is_upper_dark) return is_lower_dark ? " " : "▄";
  return is_lower_dark ? "▀" : "█";
}

}  // namespace

Result<QrCode> QrCode::of(std::string_view text) {
  QRcode* made =
      QRcode_encodeData(static_cast<int>(text.size()),
                        reinterpret_cast<const unsigned char*>(text.data()), 0, QR_ECLEVEL_L);
  if (made == nullptr) return std::unexpected(system_error(errno, "make a QR code"));
  QrCode code;
  code.size_ = static_cast<std::size_t>(made->width);
  const std::span<std::uint8_t> modules(made->data, code.size_ * code.size_);
  code.modules_.reserve(modules.size());
  for (const std::uint8_t module : modules) code.modules_.push_back(module & 1u);
  wipe(modules);
  QRcode_free(made);
  return code;
}

// A row above or left of the code wraps around to a large number, which is outside.
void print_qr(Output& out, const QrCode& code, bool is_colored) {
  const std::size_t end = code.size() + kQuietZone;
  for (std::size_t row = -kQuietZone; row != end && row != end + 1; row += 2) {
    if (is_colored) out.write(kWhiteOnBlack);
    for (std::size_t column = -kQuietZone; column != end; ++column) {
      out.write(half_blocks(code.is_dark(row, column), code.is_dark(row + 1, column)));
    }
    if (is_colored) out.write(kReset);
    out.write("\n");
  }
}

Result<void> write_png(const QrCode& code, const std::string& path) {
  const std::size_t side = (code.size() + 2 * kQuietZone) * kPixels;
  std::vector<std::uint8_t> pixels(side * side);
  for (std::size_t y = 0; y < side; ++y) {
    for (std::size_t x = 0; x < side; ++x) {
      const bool is_dark = code.is_dark(y / kPixels - kQuietZone, x / kPixels - kQuietZone);
      pixels[y * side + x] = is_dark ? 0 : 0xff;
    }
  }
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return std::unexpected(system_error(errno, "write " + path));
  std::FILE* file = fdopen(fd, "wb");
  FERRULE_CHECK(file != nullptr);
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = image.height = static_cast<png_uint_32>(side);
  image.format = PNG_FORMAT_GRAY;
  const bool is_written = png_image_write_to_stdio(&image, file, 0, pixels.data(), 0, nullptr) != 0;
  const bool is_closed = std::fclose(file) == 0;
  wipe(pixels);
  if (is_written && is_closed) return {};
  unlink(path.c_str());
  return std::unexpected(make_error(EIO, "write " + path + ": " + image.message));
}

}  // namespace ferrule::cli
