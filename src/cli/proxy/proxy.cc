#include "cli/proxy/proxy.h"

#include <fmt/format.h>
#include <netdb.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/proxy/proxy_file.h"
#include "cli/proxy/proxy_options.h"
#include "cli/proxy/readiness.h"
#include "cli/proxy/stdio.h"
#include "cli/run/companion.h"
#include "client/scopes.h"
#include "crypto/password.h"
#include "io/linux/event_loop.h"
#include "io/linux/socket_address.h"
#include "proxy/allowed_calls.h"
#include "proxy/proxy.h"

namespace ferrule::cli {

namespace {

constexpr std::int64_t kFreshHandshake_s = 180;  // a session's whole life

class ConsoleLog final : public Log {
 public:
  explicit ConsoleLog(Console& console) noexcept : console_(console) {}
  [[nodiscard]] bool wants(LogLevel level) const noexcept override {
    return level != LogLevel::verbose;
  }
  void write(LogLevel, std::string_view line) noexcept override {
    console_.err.print("{}: {}\n", console_.program, line);
    console_.err.flush();
  }

 private:
  Console& console_;
};

// As many descriptors as the system lets us have: each connection takes two.
void raise_limits() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

// Targets of -R are of this machine, and so is who knows their names.
bool find_outer_targets(Console& console, proxy::ProxySettings& settings) {
  for (proxy::Forward& forward : settings.remote) {
    if (forward.to.name.empty()) continue;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(forward.to.name.c_str(), nullptr, nullptr, &found);
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> list(found, ::freeaddrinfo);
    io::SocketAddress address{};
    if (error == 0) {
      std::copy_n(reinterpret_cast<const char*>(found->ai_addr),
                  std::min<std::size_t>(found->ai_addrlen, sizeof address.v6),
                  reinterpret_cast<char*>(&address.v6));
      address.size = found->ai_addrlen;
    }
    const Endpoint at = error == 0 ? io::to_endpoint(address) : Endpoint();
    if (at.is_none()) {
      console.err.print("{} proxy: -R: find {}: {}\n", console.program, forward.to.name,
                        ::gai_strerror(error));
      return false;
    }
    forward.to = {"", at.address, forward.to.port};
  }
  return true;
}

int print_hash(Console& console, const std::string& user) {
  if (user.find(':') != user.npos) {
    console.err.print("{} proxy: a user's name has no colon\n", console.program);
    return 1;
  }
  std::string password;
  char c = 0;
  while (::read(console.in, &c, 1) == 1 && c != '\n') password += c;
  const auto hash = crypto::hash_password(password);
  wipe({reinterpret_cast<std::uint8_t*>(password.data()), password.size()});
  if (!hash) {
    console.err.print("{} proxy: no memory for a hash\n", console.program);
    return 1;
  }
  console.out.print("{}:{}\n", user, *hash);
  return 0;
}

// A running proxy, its tunnel, and what ends it.
class Running {
 public:
  Running(Console& console, InnerTunnel tunnel, proxy::Loop loop,
          const proxy::ProxySettings& settings)
      : console_(console),
        log_(console),
        tunnel_(std::move(tunnel)),
        loop_(std::move(loop)),
        inside_(make_reach(tunnel_, loop_)),
        services_{loop_, *inside_, outside_, log_},
        settings_(settings) {}

  [[nodiscard]] bool open(proxy::ResolverSettings resolver, std::vector<IpAddress> inner);
  [[nodiscard]] int run(std::optional<int> ready_fd);

 private:
  [[nodiscard]] bool watch();
  [[nodiscard]] bool begin_stdio();
  void end(int status, std::string_view why = {});
  [[nodiscard]] proxy::TunnelHealth look();
  void wake_tunnel();

  Console& console_;
  ConsoleLog log_;
  InnerTunnel tunnel_;
  netstack::OwnReach outside_;
  proxy::Loop loop_;
  std::unique_ptr<netstack::Reach> inside_;
  proxy::Services services_;
  const proxy::ProxySettings& settings_;
  std::optional<io::SignalFd> signals_;
  std::optional<Stdio> stdio_;
  std::optional<proxy::Proxy> proxy_;
  std::vector<proxy::Watched> watched_;
  IpAddress somebody_inside_;
  int status_ = 0;
};

bool Running::open(proxy::ResolverSettings resolver, std::vector<IpAddress> inner) {
  if (!resolver.servers.empty()) somebody_inside_ = resolver.servers.front();
  proxy_.emplace(services_, settings_, std::move(resolver), std::move(inner),
                 [this] { return look(); });
  if (auto opened = proxy_->open(); !opened) {
    console_.err.print("{}: {}\n", console_.program, opened.error().what);
    return false;
  }
  return watch() && begin_stdio();
}

bool Running::watch() {
  constexpr std::array kSignals{SIGTERM, SIGINT, SIGHUP};
  auto signals = io::SignalFd::open(kSignals);
  if (!signals) {
    console_.err.print("{}: {}\n", console_.program, signals.error().what);
    return false;
  }
  signals_.emplace(std::move(*signals));
  watched_.emplace_back(loop_, signals_->poll_fd(), io::Watch{}, [this](const io::Ready&) {
    if (signals_->take()) end(0);
  });
  watched_.emplace_back(loop_, tunnel_.process.poll_fd(), io::Watch{}, [this](const io::Ready&) {
    end(1, "the tunnel has ended: ferruled is gone");
  });
  if (!tunnel_.space) return true;
  watched_.emplace_back(loop_, tunnel_.space->poll_fd(), io::Watch{}, [this](const io::Ready&) {
    end(1, "the tunnel has ended: the helper in its namespace is gone");
  });
  return true;
}

bool Running::begin_stdio() {
  if (!settings_.stdio) return true;
  auto stdio = Stdio::open();
  if (!stdio) {
    console_.err.print("{}: {}\n", console_.program, stdio.error().what);
    return false;
  }
  stdio_.emplace(std::move(*stdio));
  proxy_->carry(stdio_->take_socket(), *settings_.stdio, [this](Result<void> ended) {
    if (ended) return end(0);
    end(1, ended.error().what);
  });
  return true;
}

void Running::end(int status, std::string_view why) {
  if (!why.empty()) log_.write(LogLevel::error, why);
  status_ = status;
  loop_.stop();
}

int Running::run(std::optional<int> ready_fd) {
  if (!settings_.stdio) {
    for (const std::string& line : proxy_->lines()) log_.write(LogLevel::error, line);
  }
  tell_ready(ready_fd);
  ::prctl(PR_SET_DUMPABLE, 0);
  if (auto restricted = proxy::restrict_calls(); !restricted) {
    log_.write(LogLevel::error, restricted.error().what);
    return 1;
  }
  loop_.run();
  if (stdio_ && status_ == 0) stdio_->finish();
  return status_;
}

// A tunnel without traffic has no session, and is none the worse for it: one is asked for.
void Running::wake_tunnel() {
  if (somebody_inside_.family() == Family::none) return;
  const auto any = IpAddress::parse(somebody_inside_.family() == Family::v4 ? "0.0.0.0" : "::");
  const auto socket = inside_->open_udp(Endpoint(*any, 0));
  constexpr std::uint16_t kDiscard = 9;
  if (!socket || !inside_->set_other_end(socket->get(), Endpoint(somebody_inside_, kDiscard))) {
    return;
  }
  constexpr std::array<std::uint8_t, 1> kAnything{};
  (void)inside_->send(socket->get(), {}, {}, kAnything);
}

proxy::TunnelHealth Running::look() {
  proxy::TunnelHealth health;
  control::UapiAnswer answer(client::scope_of);
  if (auto asked = tunnel_.process.ask(control::kGetRequest, answer); !asked) {
    health.why = asked.error().what;
    return health;
  }
  const control::DeviceStatus& device = answer.device();
  std::int64_t newest = 0;
  std::uint64_t rx = 0;
  std::uint64_t tx = 0;
  for (const protocol::PeerStatus& peer : device.peers) {
    newest = std::max(newest, peer.last_handshake.seconds);
    rx += peer.rx_bytes;
    tx += peer.tx_bytes;
    if (somebody_inside_.family() == Family::none && !peer.allowed_ips.empty()) {
      somebody_inside_ = peer.allowed_ips.front().address();
    }
  }
  const std::int64_t age = std::time(nullptr) - newest;
  health.is_ready = newest != 0 && age <= kFreshHandshake_s;
  if (!health.is_ready) wake_tunnel();
  health.why = health.is_ready ? fmt::format("ready: the last handshake was {} s ago", age)
               : newest == 0   ? "not ready: no handshake so far"
                               : fmt::format("not ready: the last handshake was {} s ago", age);
  health.metrics = fmt::format(
      "# TYPE ferrule_tunnel_last_handshake_seconds gauge\n"
      "ferrule_tunnel_last_handshake_seconds {}\n"
      "# TYPE ferrule_tunnel_received_bytes_total counter\n"
      "ferrule_tunnel_received_bytes_total {}\n"
      "# TYPE ferrule_tunnel_sent_bytes_total counter\n"
      "ferrule_tunnel_sent_bytes_total {}\n",
      newest, rx, tx);
  return health;
}

proxy::ResolverSettings resolver_settings(const control::InterfaceConf& conf,
                                          const proxy::ProxySettings& settings) {
  const auto has = [&](Family family) {
    return std::ranges::any_of(conf.addresses, [&](const control::InterfaceAddress& own) {
      return own.address.family() == family;
    });
  };
  proxy::ResolverSettings resolver{conf.dns_servers, conf.dns_search, has(Family::v4),
                                   has(Family::v6)};
  if (settings.prefers_v4 == true) resolver.has_v6 = false;
  if (settings.prefers_v4 == false) resolver.has_v4 = false;
  return resolver;
}

bool check_doors(Console& console, const proxy::ProxySettings& settings) {
  const auto door = settings.open_door();
  if (!door) return true;
  console.err.print(
      "{0} proxy: {1} is not loopback: others could come in. Give them a password "
      "(--password-file), or say --insecure.\n",
      console.program, *door);
  return false;
}

int start(Console& console, ProxyOptions& options) {
  hold_standard_descriptors();
  proxy::ProxySettings& settings = options.settings;
  auto file = read_proxy_file(console, options.file, settings);
  if (!file) return 1;
  if (!settings.offers_anything()) {
    settings.socks.push_back({*proxy::parse_listen("127.0.0.1:1080"), {}});
  }
  if (!check_doors(console, settings) || !find_outer_targets(console, settings)) return 1;
  proxy::ResolverSettings resolver = resolver_settings(file->configuration.interface, settings);
  std::vector<IpAddress> inner;
  for (const control::InterfaceAddress& own : file->configuration.interface.addresses) {
    inner.push_back(own.address);
  }
  raise_limits();
  ::signal(SIGPIPE, SIG_IGN);
  auto tunnel =
      start_inner_tunnel(console, *file, {options.reach, false, settings.stdio.has_value()});
  if (!tunnel) return 1;
  file.reset();
  console.err.flush();
  auto loop = proxy::Loop::open();
  if (!loop) {
    console.err.print("{}: {}\n", console.program, loop.error().what);
    return 1;
  }
  Running running(console, std::move(*tunnel), std::move(*loop), settings);
  if (!running.open(std::move(resolver), std::move(inner))) return 1;
  return running.run(options.ready_fd);
}

}  // namespace

int run_proxy(Console& console, Arguments arguments) {
  auto read = read_proxy_options(console, arguments);
  if (const int* status = std::get_if<int>(&read)) return *status;
  auto& options = std::get<ProxyOptions>(read);
  if (!options.hash_password_of.empty()) return print_hash(console, options.hash_password_of);
  return start(console, options);
}

}  // namespace ferrule::cli
