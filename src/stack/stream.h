// A TCP connection of the stack, as one end of a pair of sockets.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "base/error.h"
#include "base/net.h"
#include "io/linux/fd.h"
#include "io/linux/loop.h"

struct tcp_pcb;
struct pbuf;

namespace ferrule::stack {

/// Carries bytes between a connection and our end of a pair, whose other end somebody has. What that somebody
/// does not read closes the window; what the other host does not take is not read from the pair. It lives by
/// itself, until both have ended or one has broken.
class Stream : public std::enable_shared_from_this<Stream> {
 public:
  /// Called once, when nothing more comes: whether the connection broke.
  using Gone = std::function<void(bool is_broken)>;

  /// Connects. The first byte that the other end of the pair gets is 0, once it is connected, or an errno.
  /// Returns the local end.
  [[nodiscard]] static Result<Endpoint> dial(io::Loop& loop, const Endpoint& to,
                                             const IpAddress& from, io::UniqueFd socket, Gone gone);
  /// Takes over one that is connected.
  static void take(io::Loop& loop, tcp_pcb* pcb, io::UniqueFd socket, Gone gone);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

 private:
  Stream(io::Loop& loop, tcp_pcb* pcb, io::UniqueFd socket, bool is_connected, Gone gone);
  static std::shared_ptr<Stream> start(io::Loop& loop, tcp_pcb* pcb, io::UniqueFd socket,
                                       bool is_connected, Gone gone);
  void hear_lwip();

  // lwIP's calls.
  void connected();
  [[nodiscard]] bool received(pbuf* bytes);
  void has_room();
  void failed(int error);

  void ready(const io::Ready& what);
  void read_client();
  void client_ended();
  void flush();
  void drop(std::size_t bytes);
  void tell_end();
  void watch();
  void let_go_if_done();
  void let_go();
  void abort();
  void end(bool is_broken);
  void report(int error);
  [[nodiscard]] bool may_read() const;
  [[nodiscard]] bool is_hung_up() const;

  io::Loop& loop_;
  tcp_pcb* pcb_;  // null: lwIP has it no more, or all by itself
  io::UniqueFd socket_;
  Gone gone_;
  io::Watched watched_;
  io::Timer later_;               // what may not happen within lwIP's calls
  std::shared_ptr<Stream> self_;  // until the end
  std::deque<pbuf*> held_;        // on its way to the client
  bool is_connected_;
  bool is_broken_ = false;     // and ends when what is held is gone
  bool remote_ended_ = false;  // nothing more comes from there
  bool is_told_ = false;       // of which the client knows
  bool client_ended_ = false;
  bool client_gone_ = false;  // it takes nothing more
};

}  // namespace ferrule::stack
