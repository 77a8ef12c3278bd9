// A way to a network: that inside a tunnel, or the machine's own.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "base/net.h"
#include "io/linux/fd.h"
#include "io/poller.h"

namespace ferrule::netstack {

/// Who has connected.
struct Caller {
  io::UniqueFd socket;
  Endpoint from;
};

struct Datagram {
  Endpoint from;
  Bytes bytes;  // good until the next one is received
};

/// Opens sockets there, and knows what they tell. None of them waits, and all are closed in programs that are
/// started. Streams are read, written, shut down and closed as sockets are; all else is asked of the reach that
/// they are of. Used by one thread at a time.
class Reach {
 public:
  virtual ~Reach() = default;

  /// A TCP connection that is being made. Once what `until_connected` says has come, it is, or has failed
  /// (`connected`). `from`: the local address; none lets the system choose.
  [[nodiscard]] virtual Result<io::UniqueFd> dial(const Endpoint& to, const IpAddress& from) = 0;
  [[nodiscard]] virtual io::Watch until_connected() const noexcept = 0;
  /// Asked once.
  [[nodiscard]] virtual Result<void> connected(int socket) = 0;
  /// Of a connection that has said all: whether that was its end, and no break.
  [[nodiscard]] virtual bool ended_well(int socket) = 0;

  /// A TCP socket that listens, and is readable when somebody has connected. An IPv6 address of zeros takes
  /// IPv4 too.
  [[nodiscard]] virtual Result<io::UniqueFd> listen(const Endpoint& at) = 0;
  /// An Error of EAGAIN: nobody has.
  [[nodiscard]] virtual Result<Caller> accept(int listener) = 0;

  /// A UDP socket at an address, which may be all zeros, and a port, which may be 0.
  [[nodiscard]] virtual Result<io::UniqueFd> open_udp(const Endpoint& at) = 0;
  /// Has it send to, and hear of, this end alone. False: no way leads there.
  [[nodiscard]] virtual bool set_other_end(int socket, const Endpoint& to) = 0;
  /// The next datagram. An Error of EAGAIN: none has come; ECONNREFUSED and others: what became of an earlier
  /// one that was sent.
  [[nodiscard]] virtual Result<Datagram> receive(int socket) = 0;
  /// Sends one, of two parts; to nobody: to the other end that was set. False: it is lost.
  virtual bool send(int socket, const Endpoint& to, std::string_view head, Bytes rest) = 0;

  [[nodiscard]] virtual Endpoint local_end(int socket) = 0;
};

}  // namespace ferrule::netstack
