// Pictures of QR codes.
#pragma once

#include <string_view>

#include "base/error.h"
#include "control/wiped_text.h"

namespace ferrule::cli {

[[nodiscard]] bool is_png(std::string_view bytes) noexcept;

/// The text of the QR code in a picture in PNG. Read by libzbar where that is installed; an Error says what is
/// missing, or that there is no code, or more than one.
[[nodiscard]] Result<control::WipedText> read_qr_picture(std::string_view png);

}  // namespace ferrule::cli
