// ferruled as a child, for a tunnel whose interface is handed to it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "control/uapi_client.h"
#include "io/linux/fd.h"

namespace ferrule::netstack {

/// Value type.
struct TunnelOptions {
  std::string program;    // ferruled, with its path
  std::string interface;  // for its log
  std::uint32_t mtu_bytes = 0;
  std::string log_level = "error";  // where LOG_LEVEL does not say it
};

/// A connection to its configuration protocol. Used by one thread.
class TunnelConnection {
 public:
  explicit TunnelConnection(io::UniqueFd socket) noexcept : socket_(std::move(socket)) {}

  /// What a request answers, once it has: the text may hold keys, and is wiped. An Error of ECHILD: it has
  /// ended.
  [[nodiscard]] Result<void> ask(std::string_view request, control::UapiAnswer& answer);

  /// Readable when it has ended, where nothing is asked.
  [[nodiscard]] int poll_fd() const noexcept { return socket_.get(); }
  void close() noexcept { socket_.reset(); }

 private:
  io::UniqueFd socket_;
};

/// A running ferruled, in its sandbox and without a socket that others could find. It ends when this object
/// goes, or the process that started it does.
class TunnelProcess {
 public:
  [[nodiscard]] static Result<TunnelProcess> start(const TunnelOptions& options, io::UniqueFd tun);
  TunnelProcess(TunnelProcess&& other) noexcept;
  TunnelProcess& operator=(TunnelProcess&&) = delete;
  ~TunnelProcess();

  [[nodiscard]] Result<void> ask(std::string_view request, control::UapiAnswer& answer) {
    return connection_.ask(request, answer);
  }
  [[nodiscard]] int poll_fd() const noexcept { return connection_.poll_fd(); }
  /// A second one, for another process; once.
  [[nodiscard]] TunnelConnection& spare() noexcept { return spare_; }

 private:
  TunnelProcess() = default;
  TunnelConnection connection_{io::UniqueFd()};
  TunnelConnection spare_{io::UniqueFd()};
  pid_t pid_ = -1;
};

}  // namespace ferrule::netstack
