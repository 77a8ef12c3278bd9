// Files of other programs as a .conf file of ours.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "control/wiped_text.h"

namespace ferrule::cli {

/// What another program's file says. Move-only, since it holds keys.
struct Imported {
  std::string program;    // whose file it was: "NetworkManager"
  std::string interface;  // as the file calls it; "" where it does not
  control::WipedText conf;
};

/// Whatever the text is of: a .conf file, wg-easy's JSON, NetworkManager's keyfile, systemd-networkd's
/// .netdev (with its .network behind it), OPNsense's XML. Or why it is nothing of that. Of several tunnels
/// in one file, that of the name `wanted`.
[[nodiscard]] std::expected<Imported, std::string> read_foreign(std::string_view text,
                                                                std::string_view wanted);

// One each.
[[nodiscard]] std::expected<Imported, std::string> read_wg_easy(std::string_view text);
[[nodiscard]] std::expected<Imported, std::string> read_network_manager(std::string_view text);
[[nodiscard]] std::expected<Imported, std::string> read_networkd(std::string_view text);
[[nodiscard]] std::expected<Imported, std::string> read_opnsense(std::string_view text,
                                                                 std::string_view wanted);

}  // namespace ferrule::cli
