// What the owner of a new peer is given: its configuration, as text, in files and as a code to scan.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/peer/peer_commands.h"
#include "cli/peer/qr.h"
#include "control/wiped_text.h"

namespace ferrule::cli {

/// Files are written first and gone again unless kept; the rest is printed once the peer is there. One
/// peer each.
class Handout {
 public:
  Handout(Console& console, const PeerOptions& options) noexcept
      : console_(console), options_(options) {}
  Handout(const Handout&) = delete;
  Handout& operator=(const Handout&) = delete;
  ~Handout();

  /// Makes the files and the code. False, with the reason said: there will be none.
  [[nodiscard]] bool prepare(const control::WipedText& conf);
  /// Prints what is not in files, and keeps those that are. False when it went nowhere.
  [[nodiscard]] bool give(const control::WipedText& conf);

 private:
  [[nodiscard]] bool code_fits();
  [[nodiscard]] bool is_written(const std::string& path, const Result<void>& outcome);

  Console& console_;
  const PeerOptions& options_;
  std::optional<QrCode> code_;
  std::vector<std::string> paths_;
};

}  // namespace ferrule::cli
