#include "stack/stream.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "stack/lwip.h"
#include "stack/stack.h"

namespace ferrule::stack {

namespace {

constexpr std::size_t kReadBytes = 64 * 1024 - 1;
constexpr unsigned kReadsPerTurn = 4;
constexpr std::size_t kMostParts = 16;
constexpr u16_t kMostQueued = TCP_SND_QUEUELEN - 128;  // a write may need as many buffers

}  // namespace

Result<Endpoint> Stream::dial(io::Loop& loop, const Endpoint& to, const IpAddress& from,
                              io::UniqueFd socket, Gone gone) {
  const std::string what = "connect to " + to.to_string();
  const ip_addr_t there = to_lwip(to.address);
  tcp_pcb* pcb = tcp_new_ip_type(IP_GET_TYPE(&there));
  if (pcb == nullptr) return std::unexpected(system_error(ENOBUFS, what));
  if (from.family() != Family::none) {
    const ip_addr_t here = to_lwip(from);
    (void)tcp_bind(pcb, &here, 0);
  }
  const auto stream = start(loop, pcb, std::move(socket), false, std::move(gone));
  const err_t error =
      tcp_connect(pcb, &there, to.port, [](void* context, tcp_pcb*, err_t) -> err_t {
        static_cast<Stream*>(context)->connected();
        return ERR_OK;
      });
  if (error == ERR_OK) return from_lwip(pcb->local_ip, pcb->local_port);
  stream->gone_ = nullptr;
  stream->abort();
  return std::unexpected(system_error(errno_of(error), what));
}

void Stream::take(io::Loop& loop, tcp_pcb* pcb, io::UniqueFd socket, Gone gone) {
  (void)start(loop, pcb, std::move(socket), true, std::move(gone));
}

std::shared_ptr<Stream> Stream::start(io::Loop& loop, tcp_pcb* pcb, io::UniqueFd socket,
                                      bool is_connected, Gone gone) {
  std::shared_ptr<Stream> stream(
      new Stream(loop, pcb, std::move(socket), is_connected, std::move(gone)));
  stream->self_ = stream;
  stream->watched_ = io::Watched(loop, stream->socket_.get(), {.reading = is_connected},
                                 [raw = stream.get()](const io::Ready& what) { raw->ready(what); });
  return stream;
}

Stream::Stream(io::Loop& loop, tcp_pcb* pcb, io::UniqueFd socket, bool is_connected, Gone gone)
    : loop_(loop),
      pcb_(pcb),
      socket_(std::move(socket)),
      gone_(std::move(gone)),
      is_connected_(is_connected) {
  tcp_nagle_disable(pcb_);
  ip_set_option(pcb_, SOF_KEEPALIVE);
  hear_lwip();
}

void Stream::hear_lwip() {
  tcp_arg(pcb_, this);
  tcp_err(pcb_, [](void* context, err_t error) {
    static_cast<Stream*>(context)->failed(errno_of(error));
  });
  tcp_recv(pcb_, [](void* context, tcp_pcb*, pbuf* bytes, err_t) -> err_t {
    return static_cast<Stream*>(context)->received(bytes) ? ERR_OK : ERR_MEM;
  });
  tcp_sent(pcb_, [](void* context, tcp_pcb*, u16_t) -> err_t {
    static_cast<Stream*>(context)->has_room();
    return ERR_OK;
  });
  // Each half second: there may be memory again.
  const auto tick = [](void* context, tcp_pcb*) -> err_t {
    static_cast<Stream*>(context)->has_room();
    return ERR_OK;
  };
  tcp_poll(pcb_, tick, 1);
}

Stream::~Stream() {
  for (pbuf* bytes : held_) pbuf_free(bytes);
}

void Stream::connected() {
  is_connected_ = true;
  report(0);
  watch();
}

void Stream::report(int error) {
  const char word = static_cast<char>(error);
  (void)::send(socket_.get(), &word, 1, MSG_NOSIGNAL);
}

// False: lwIP keeps it, and offers it again.
bool Stream::received(pbuf* bytes) {
  const auto alive = shared_from_this();
  if (bytes == nullptr) {
    remote_ended_ = true;
    tell_end();
    let_go_if_done();
    return true;
  }
  if (client_gone_) {
    pbuf_free(bytes);
    return true;
  }
  if (!held_.empty() && Stack::held_bytes() > kScarceBytes) return false;
  held_.push_back(bytes);
  flush();
  watch();
  return true;
}

void Stream::has_room() {
  if (watched_) return watch();
  // The client has closed, with bytes still to be read: see `ready`.
  later_ = io::Timer(loop_, loop_.now(), [this] { ready({.readable = true}); });
}

// lwIP has freed the connection.
void Stream::failed(int error) {
  const auto alive = shared_from_this();
  pcb_ = nullptr;
  if (!is_connected_) {
    report(error == 0 ? ECONNABORTED : error);
    return end(true);
  }
  // One that both sides have ended is over, and not broken.
  is_broken_ = !(remote_ended_ && client_ended_);
  if (held_.empty() || client_gone_) return end(is_broken_);
  watch();
}

void Stream::ready(const io::Ready& what) {
  const auto alive = shared_from_this();
  if (what.writable && !held_.empty()) flush();
  if (what.readable) read_client();
  if (!self_) return;
  if (pcb_ == nullptr && (held_.empty() || client_gone_)) return end(is_broken_);
  if (is_hung_up()) {
    // Whoever closes before the other host has ended takes nothing more, and so is to know that host.
    if (!is_told_) return abort();
    watched_.reset();  // it would tell for ever; what lies there is read as there is room
    return;
  }
  watch();
}

bool Stream::is_hung_up() const {
  pollfd question{socket_.get(), 0, 0};
  return ::poll(&question, 1, 0) > 0 && (question.revents & (POLLHUP | POLLERR)) != 0;
}

bool Stream::may_read() const {
  return pcb_ != nullptr && is_connected_ && !client_ended_ && tcp_sndbuf(pcb_) > 0 &&
         tcp_sndqueuelen(pcb_) < kMostQueued && Stack::held_bytes() <= kScarceBytes;
}

void Stream::read_client() {
  static thread_local const std::unique_ptr<char[]> room(new char[kReadBytes]);
  for (unsigned i = 0; i < kReadsPerTurn && may_read(); ++i) {
    const std::size_t size = std::min<std::size_t>(tcp_sndbuf(pcb_), kReadBytes);
    const ssize_t got = ::recv(socket_.get(), room.get(), size, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got < 0) return abort();
    if (got == 0) return client_ended();
    if (tcp_write(pcb_, room.get(), static_cast<u16_t>(got), TCP_WRITE_FLAG_COPY) != ERR_OK) {
      return abort();  // no memory, and these bytes would be lost
    }
    (void)tcp_output(pcb_);
  }
}

void Stream::client_ended() {
  client_ended_ = true;
  if (is_hung_up() && !is_told_) return abort();
  (void)tcp_shutdown(pcb_, 0, 1);
  let_go_if_done();
}

// What the client takes opens the window again.
void Stream::flush() {
  while (!held_.empty()) {
    std::array<iovec, kMostParts> parts;
    std::size_t count = 0;
    for (const pbuf* chain : held_) {
      for (const pbuf* part = chain; part != nullptr && count < parts.size(); part = part->next) {
        parts[count++] = {part->payload, part->len};
      }
    }
    msghdr header{};
    header.msg_iov = parts.data();
    header.msg_iovlen = count;
    const ssize_t sent = ::sendmsg(socket_.get(), &header, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return;
    if (sent < 0) {
      client_gone_ = true;  // of which the loop will tell
      return;
    }
    drop(static_cast<std::size_t>(sent));
  }
  tell_end();
}

void Stream::drop(std::size_t bytes) {
  while (bytes > 0) {
    const auto step = static_cast<u16_t>(std::min<std::size_t>(bytes, held_.front()->tot_len));
    held_.front() = pbuf_free_header(held_.front(), step);
    if (held_.front() == nullptr) held_.pop_front();
    if (pcb_ != nullptr) tcp_recved(pcb_, step);
    bytes -= step;
  }
}

void Stream::tell_end() {
  if (is_told_ || !remote_ended_ || !held_.empty()) return;
  is_told_ = true;
  (void)::shutdown(socket_.get(), SHUT_WR);
  let_go_if_done();
}

void Stream::watch() {
  if (watched_) watched_.set(may_read(), !held_.empty() && !client_gone_);
}

// When both have ended, what is still to be sent and acknowledged is lwIP's, which tells of nothing any more.
void Stream::let_go_if_done() {
  if (!remote_ended_ || !client_ended_) return;
  if (pcb_ != nullptr) {
    tcp_pcb* pcb = pcb_;
    let_go();
    (void)tcp_close(pcb);
  }
  if (held_.empty()) end(false);
}

void Stream::let_go() {
  tcp_arg(pcb_, nullptr);
  tcp_err(pcb_, nullptr);
  tcp_recv(pcb_, nullptr);
  tcp_sent(pcb_, nullptr);
  tcp_poll(pcb_, nullptr, 0);
  pcb_ = nullptr;
}

// Not within lwIP's calls.
void Stream::abort() {
  if (pcb_ != nullptr) {
    tcp_pcb* pcb = pcb_;
    let_go();
    tcp_abort(pcb);
  }
  end(true);
}

// Whoever calls it holds this.
void Stream::end(bool is_broken) {
  const auto last = std::exchange(self_, nullptr);
  if (!last) return;
  if (const auto gone = std::exchange(gone_, nullptr)) gone(is_broken);
  later_.reset();
  watched_.reset();
  socket_.reset();
}

}  // namespace ferrule::stack
