#include "cli/import/picture.h"

#include <dlfcn.h>
#include <png.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/secret.h"

namespace ferrule::cli {

namespace {

constexpr std::uint64_t kMostPixels = 64'000'000;
constexpr const char* kZbar = "libzbar.so.0";
constexpr unsigned long kGray = 0x30303859;  // "Y800"

// The few functions of libzbar that are needed, with its types as they look from here.
struct Zbar {
  void* (*scanner_create)();
  void (*scanner_destroy)(void*);
  void* (*image_create)();
  void (*image_destroy)(void*);
  void (*set_format)(void*, unsigned long);
  void (*set_size)(void*, unsigned, unsigned);
  void (*set_data)(void*, const void*, unsigned long, void (*)(void*));
  int (*scan)(void*, void*);
  const void* (*first_symbol)(const void*);
  const void* (*next_symbol)(const void*);
  const char* (*data)(const void*);
  unsigned (*data_length)(const void*);
};

struct Library {
  void* handle = nullptr;
  bool is_whole = true;
  template <class Function>
  void take(Function& function, const char* name) {
    function = reinterpret_cast<Function>(dlsym(handle, name));
    is_whole = is_whole && function != nullptr;
  }
};

// It stays loaded until the program ends.
Result<Zbar> load_zbar() {
  Library library{dlopen(kZbar, RTLD_NOW | RTLD_LOCAL)};
  if (library.handle == nullptr) {
    return std::unexpected(make_error(
        ENOENT, "pictures are read by libzbar, which is not installed (`apt install libzbar0')"));
  }
  Zbar zbar{};
  library.take(zbar.scanner_create, "zbar_image_scanner_create");
  library.take(zbar.scanner_destroy, "zbar_image_scanner_destroy");
  library.take(zbar.image_create, "zbar_image_create");
  library.take(zbar.image_destroy, "zbar_image_destroy");
  library.take(zbar.set_format, "zbar_image_set_format");
  library.take(zbar.set_size, "zbar_image_set_size");
  library.take(zbar.set_data, "zbar_image_set_data");
  library.take(zbar.scan, "zbar_scan_image");
  library.take(zbar.first_symbol, "zbar_image_first_symbol");
  library.take(zbar.next_symbol, "zbar_symbol_next");
  library.take(zbar.data, "zbar_symbol_get_data");
  library.take(zbar.data_length, "zbar_symbol_get_data_length");
  if (library.is_whole) return zbar;
  return std::unexpected(make_error(ENOENT, std::string(kZbar) + " is not as it is known here"));
}

// A byte a pixel, wiped at the end.
struct Gray {
  unsigned width = 0;
  unsigned height = 0;
  std::vector<std::uint8_t> pixels;
  ~Gray() { wipe(pixels); }
};

Result<std::unique_ptr<Gray>> decode(std::string_view png) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_memory(&image, png.data(), png.size()) == 0) {
    return std::unexpected(
        make_error(EINVAL, std::string("this PNG can't be read: ") + image.message));
  }
  image.format = PNG_FORMAT_GRAY;
  if (std::uint64_t{image.width} * image.height > kMostPixels) {
    png_image_free(&image);
    return std::unexpected(make_error(EFBIG, "this picture is too large"));
  }
  auto gray = std::make_unique<Gray>();
  gray->width = image.width;
  gray->height = image.height;
  gray->pixels.resize(PNG_IMAGE_SIZE(image));
  const png_color white{255, 255, 255};
  if (png_image_finish_read(&image, &white, gray->pixels.data(), 0, nullptr) == 0) {
    return std::unexpected(
        make_error(EINVAL, std::string("this PNG can't be read: ") + image.message));
  }
  return gray;
}

Result<control::WipedText> text_in(const Zbar& zbar, const void* image) {
  const void* symbol = zbar.first_symbol(image);
  if (symbol == nullptr)
    return std::unexpected(make_error(EINVAL, "there is no QR code in this picture"));
  if (zbar.next_symbol(symbol) != nullptr) {
    return std::unexpected(
        make_error(EINVAL, "there are several codes in this picture: cut out one"));
  }
  const std::string_view text(zbar.data(symbol), zbar.data_length(symbol));
  // Whatever else it is, a password for a network perhaps, is nobody's to see.
  if (!text.contains('[')) {
    return std::unexpected(
        make_error(EINVAL, "the QR code in this picture holds no configuration of WireGuard's"));
  }
  return control::WipedText(text);
}

}  // namespace

bool is_png(std::string_view bytes) noexcept { return bytes.starts_with("\x89PNG\r\n"); }

Result<control::WipedText> read_qr_picture(std::string_view png) {
  const auto gray = decode(png);
  if (!gray) return std::unexpected(gray.error());
  const auto zbar = load_zbar();
  if (!zbar) return std::unexpected(zbar.error());
  const std::unique_ptr<void, void (*)(void*)> scanner(zbar->scanner_create(),
                                                       zbar->scanner_destroy);
  const std::unique_ptr<void, void (*)(void*)> image(zbar->image_create(), zbar->image_destroy);
  if (scanner == nullptr || image == nullptr)
    return std::unexpected(system_error(ENOMEM, "libzbar"));
  zbar->set_format(image.get(), kGray);
  zbar->set_size(image.get(), (*gray)->width, (*gray)->height);
  zbar->set_data(image.get(), (*gray)->pixels.data(), (*gray)->pixels.size(), nullptr);
  if (zbar->scan(scanner.get(), image.get()) < 0) {
    return std::unexpected(make_error(EINVAL, "libzbar could not look at this picture"));
  }
  return text_in(*zbar, image.get());
}

}  // namespace ferrule::cli
