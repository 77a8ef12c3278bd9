#include "cli/metrics/metrics_server.h"

#include <microhttpd.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include "io/linux/socket_address.h"

namespace ferrule::cli {

namespace {

// A scraper or two, and somebody with a browser.
constexpr unsigned kMaxConnections = 32;
constexpr unsigned kTimeoutSeconds = 10;

class HttpServer final : public MetricsServer {
 public:
  explicit HttpServer(Page page) : page_(std::move(page)) {}
  ~HttpServer() override {
    if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
  }

  Result<void> listen(const Endpoint& at);
  std::uint16_t port() const noexcept override {
    const MHD_DaemonInfo* info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_BIND_PORT);
    return info == nullptr ? std::uint16_t{0} : info->port;
  }

 private:
  static MHD_Result answer(void* self, MHD_Connection* connection, const char* url,
                           const char* method, const char* version, const char* body,
                           std::size_t* body_size, void** state);
  static MHD_Result reply(MHD_Connection* connection, unsigned status, const std::string& text);

  Page page_;
  MHD_Daemon* daemon_ = nullptr;
};

Result<void> HttpServer::listen(const Endpoint& at) {
  const io::SocketAddress address(at);
  unsigned flags = MHD_USE_AUTO_INTERNAL_THREAD;
  if (address.any.sa_family == AF_INET6) flags |= MHD_USE_IPv6;
  errno = 0;
  daemon_ = MHD_start_daemon(flags, at.port, nullptr, nullptr, &HttpServer::answer, this,
                             MHD_OPTION_SOCK_ADDR, &address.any, MHD_OPTION_CONNECTION_LIMIT,
                             kMaxConnections, MHD_OPTION_CONNECTION_TIMEOUT, kTimeoutSeconds,
                             MHD_OPTION_END);
  if (daemon_ == nullptr) {
    return std::unexpected(system_error(errno, "listen on " + at.to_string()));
  }
  return {};
}

MHD_Result HttpServer::reply(MHD_Connection* connection, unsigned status, const std::string& text) {
  MHD_Response* response = MHD_create_response_from_buffer(
      text.size(), const_cast<char*>(text.data()), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                          "text/plain; version=0.0.4; charset=utf-8");
  const MHD_Result queued = MHD_queue_response(connection, status, response);
  MHD_destroy_response(response);
  return queued;
}

MHD_Result HttpServer::answer(void* self, MHD_Connection* connection, const char* url,
                              const char* method, const char*, const char*, std::size_t*, void**) {
  const std::string_view verb = method;
  if (verb != MHD_HTTP_METHOD_GET && verb != MHD_HTTP_METHOD_HEAD) {
    return reply(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "Only GET is answered.\n");
  }
  if (std::string_view(url) != "/metrics") {
    return reply(connection, MHD_HTTP_NOT_FOUND, "Ask for /metrics.\n");
  }
  return reply(connection, MHD_HTTP_OK, static_cast<HttpServer*>(self)->page_());
}

}  // namespace

Result<std::unique_ptr<MetricsServer>> MetricsServer::start(const Endpoint& at, Page page) {
  auto server = std::make_unique<HttpServer>(std::move(page));
  if (Result<void> listening = server->listen(at); !listening) {
    return std::unexpected(listening.error());
  }
  return server;
}

}  // namespace ferrule::cli
