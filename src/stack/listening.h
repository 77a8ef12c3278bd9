// A TCP port of the stack that is listened on.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "base/error.h"
#include "base/net.h"
#include "io/linux/fd.h"
#include "io/linux/loop.h"

struct tcp_pcb;

namespace ferrule::stack {

/// Our end of a pair whose other end gets a byte for each caller that waits to be taken. It lives by itself,
/// until that end is closed.
class Listening : public std::enable_shared_from_this<Listening> {
 public:
  /// Makes of a connection what its taker gets, or refuses it (null).
  using Admit = std::function<io::UniqueFd(tcp_pcb*)>;

  [[nodiscard]] static Result<std::shared_ptr<Listening>> open(io::Loop& loop, const Endpoint& at,
                                                               io::UniqueFd socket, Admit admit);
  ~Listening() { end(); }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

  [[nodiscard]] Endpoint local_end() const noexcept;
  /// Lets go of the port.
  void end();
  /// The next caller; none: nobody waits.
  [[nodiscard]] io::UniqueFd take();

 private:
  Listening(tcp_pcb* pcb, io::UniqueFd socket, Admit admit)
      : pcb_(pcb), socket_(std::move(socket)), admit_(std::move(admit)) {}
  [[nodiscard]] bool accepted(tcp_pcb* caller);

  tcp_pcb* pcb_;
  io::UniqueFd socket_;
  Admit admit_;
  io::Watched watched_;
  std::shared_ptr<Listening> self_;
  std::deque<io::UniqueFd> waiting_;
};

}  // namespace ferrule::stack
