#include "stack/listening.h"

#include <sys/socket.h>

#include <utility>

#include "stack/lwip.h"

namespace ferrule::stack {

namespace {

constexpr std::size_t kMostWaiting = 128;
constexpr u8_t kBacklog = 128;  // handshakes that are not done

}  // namespace

Result<std::shared_ptr<Listening>> Listening::open(io::Loop& loop, const Endpoint& at,
                                                   io::UniqueFd socket, Admit admit) {
  const bool is_any = at.address == *IpAddress::parse("::");  // which takes IPv4 too
  const ip_addr_t here = is_any ? *IP_ANY_TYPE : to_lwip(at.address);
  const std::string what = "listen on " + at.to_string();
  tcp_pcb* bound = tcp_new_ip_type(IP_GET_TYPE(&here));
  if (bound == nullptr) return std::unexpected(system_error(ENOBUFS, what));
  err_t error = tcp_bind(bound, &here, at.port);
  tcp_pcb* pcb =
      error == ERR_OK ? tcp_listen_with_backlog_and_err(bound, kBacklog, &error) : nullptr;
  if (pcb == nullptr) {
    (void)tcp_close(bound);
    return std::unexpected(system_error(errno_of(error), what));
  }
  std::shared_ptr<Listening> made(new Listening(pcb, std::move(socket), std::move(admit)));
  made->self_ = made;
  tcp_arg(pcb, made.get());
  tcp_accept(pcb, [](void* context, tcp_pcb* caller, err_t failed) -> err_t {
    if (caller == nullptr || failed != ERR_OK) return ERR_VAL;
    // A refused caller is reset.
    return static_cast<Listening*>(context)->accepted(caller) ? ERR_OK : ERR_MEM;
  });
  made->watched_ = io::Watched(loop, made->socket_.get(), {}, [raw = made.get()](const io::Ready&) {
    const auto alive = raw->shared_from_this();
    raw->end();  // nothing is ever said there
  });
  return made;
}

Endpoint Listening::local_end() const noexcept {
  return pcb_ == nullptr ? Endpoint() : from_lwip(pcb_->local_ip, pcb_->local_port);
}

bool Listening::accepted(tcp_pcb* caller) {
  if (waiting_.size() >= kMostWaiting) return false;
  io::UniqueFd socket = admit_(caller);
  if (!socket) return false;
  waiting_.push_back(std::move(socket));
  (void)::send(socket_.get(), "", 1, MSG_NOSIGNAL);
  return true;
}

io::UniqueFd Listening::take() {
  if (waiting_.empty()) return {};
  io::UniqueFd socket = std::move(waiting_.front());
  waiting_.pop_front();
  return socket;
}

void Listening::end() {
  if (pcb_ != nullptr) {
    tcp_pcb* pcb = std::exchange(pcb_, nullptr);
    tcp_accept(pcb, nullptr);
    (void)tcp_close(pcb);
  }
  watched_.reset();
  socket_.reset();
  waiting_.clear();
  const auto last = std::exchange(self_, nullptr);
}

}  // namespace ferrule::stack
