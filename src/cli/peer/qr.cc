#include "cli/peer/qr.h"

#include <png.h>
#include <qrencode.h>

#include <cerrno>
#include <string>
#include <vector>

#include "files/conf_file.h"

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

std::size_t qr_columns(const QrCode& code) noexcept { return code.size() + 2 * kQuietZone; }

Result<control::WipedText> png_of(const QrCode& code) {
  const std::size_t side = (code.size() + 2 * kQuietZone) * kPixels;
  std::vector<std::uint8_t> pixels(side * side);
  for (std::size_t y = 0; y < side; ++y) {
    for (std::size_t x = 0; x < side; ++x) {
      const bool is_dark = code.is_dark(y / kPixels - kQuietZone, x / kPixels - kQuietZone);
      pixels[y * side + x] = is_dark ? 0 : 0xff;
    }
  }
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = image.height = static_cast<png_uint_32>(side);
  image.format = PNG_FORMAT_GRAY;
  std::vector<std::uint8_t> bytes(PNG_IMAGE_PNG_SIZE_MAX(image));
  png_alloc_size_t size = bytes.size();
  const bool is_made =
      png_image_write_to_memory(&image, bytes.data(), &size, 0, pixels.data(), 0, nullptr) != 0;
  wipe(pixels);
  control::WipedText png;
  if (is_made) png.append({reinterpret_cast<const char*>(bytes.data()), size});
  wipe(bytes);
  if (!is_made)
    return std::unexpected(make_error(EIO, std::string("make a picture: ") + image.message));
  return png;
}

Result<void> write_png(const QrCode& code, const std::string& path) {
  const auto png = png_of(code);
  if (!png) return std::unexpected(png.error());
  return files::write_new_file(path, png->view());
}

}  // namespace ferrule::cli
