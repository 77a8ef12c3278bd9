// What the daemon was asked for: command line and environment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/local_place.h"
#include "base/log.h"
#include "crypto/aead.h"

namespace ferrule::daemon {

struct Options {
  std::string interface;
  bool foreground = false;
  LogLevel log_level = LogLevel::error;
  bool log_level_given = false;  // LOG_LEVEL: a daemon in the background then keeps its output
  std::optional<int> tun_fd;     // WG_TUN_FD
  std::optional<int> uapi_fd;    // WG_UAPI_FD: a listening socket
  std::optional<std::uint32_t> tun_mtu_bytes;  // WG_TUN_MTU
  std::optional<std::string>
      tun_name_file;                      // WG_TUN_NAME_FILE: where to write the interface's name
  std::optional<std::string> state_file;  // --state
  bool offload = true;
  bool sandbox = true;
  LocalPlace place;                           // --bind, --bind-interface
  std::size_t lanes = 0;                      // 0: by the cores to use
  const crypto::AeadBackend* aead = nullptr;  // null: the best; no option and no variable sets it
};

/// The program ends at once with this status: help, version and usage errors have been printed.
struct Exit {
  int status;
};

/// Reads the command line and the environment, as wireguard-go has them.
[[nodiscard]] std::variant<Options, Exit> read_options(int argc, const char* const* argv);

}  // namespace ferrule::daemon
