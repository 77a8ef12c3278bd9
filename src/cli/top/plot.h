// Rates as words and as plots made of characters.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace ferrule::cli {

/// What a full bar stands for, in bytes a second: the next of 1, 2, 5, 10... bit/s above `highest`, so that
/// it seldom changes. All plots that are seen together have one.
[[nodiscard]] double plot_scale(double highest_bytes_per_second);
/// "0-50 Mbit/s", which is the same for every plot.
[[nodiscard]] std::string scale_text(double scale_bytes_per_second, bool has_unicode);

/// The last `width` values, the newest at the right, each as a bar that is full at `scale`. Whatever is not
/// zero is seen. `height` lines of exactly `width` columns, the upper one first.
[[nodiscard]] std::vector<std::string> plot(const std::vector<double>& values, std::size_t width,
                                            std::size_t height, double scale, bool has_unicode);

/// "1.2 M", in bits a second.
[[nodiscard]] std::string rate_text(double bytes_per_second);

}  // namespace ferrule::cli
