// Standard input and output as one socket.
#pragma once

#include <functional>
#include <thread>

#include "base/error.h"
#include "io/linux/fd.h"

namespace ferrule::cli {

/// Threads carry bytes between them, which may be anything: files, pipes, a terminal. The terminal stays as
/// it is.
class Stdio {
 public:
  [[nodiscard]] static Result<Stdio> open();
  Stdio(Stdio&&) = default;
  Stdio& operator=(Stdio&&) = delete;
  ~Stdio() {
    if (out_.joinable()) out_.detach();  // it waits for who may never speak
  }
  [[nodiscard]] io::UniqueFd take_socket() noexcept { return std::move(socket_); }
  /// Waits until all has been written that came.
  void finish();

 private:
  Stdio() = default;
  io::UniqueFd socket_;
  std::thread out_;
};

}  // namespace ferrule::cli
