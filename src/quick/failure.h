// Why an interface is not as it was to be.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "files/conf_file.h"
#include "files/failure.h"
#include "quick/quick_file.h"

namespace ferrule::quick {

using files::Attempt;
using files::Failure;

[[nodiscard]] inline std::unexpected<Failure> failed(const Error& error) {
  return std::unexpected(Failure{error.what});
}

/// About a value of the file: the last one of `key` that holds `value`, or else the last one of `key`.
[[nodiscard]] inline std::unexpected<Failure> failed_at(const QuickFile& file, std::string_view key,
                                                        std::string_view value, std::string what) {
  return std::unexpected(
      Failure{"", {files::error_about(file.document, key, value, std::move(what))}});
}

}  // namespace ferrule::quick
