#include "files/resolve.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace ferrule::files {

namespace {

constexpr int kForever = -1;
constexpr int kUsualRetries = 15;
constexpr unsigned kFirstWaitUs = 1'000'000;
constexpr unsigned kLongestWaitUs = 20'000'000;

// How often it is asked again. Fails with what is wrong with the variable.
std::expected<int, std::string> retries() {
  const char* text = std::getenv("WG_ENDPOINT_RESOLUTION_RETRIES");
  if (text == nullptr) return kUsualRetries;
  if (std::string_view(text) == "infinity") return kForever;
  const auto number = control::parse_decimal<int>(text);
  if (number && *number >= 0) return *number;
  return std::unexpected(fmt::format("Unable to parse WG_ENDPOINT_RESOLUTION_RETRIES: `{}'", text));
}

// What the resolver will not know later either.
bool is_final(int error) {
  return error == EAI_NONAME || error == EAI_FAIL || error == EAI_NODATA || error == EAI_SERVICE;
}

std::string text_of(const control::HostPort& to) {
  const bool brackets = to.host.find(':') != to.host.npos;
  return fmt::format(fmt::runtime(brackets ? "[{}]:{}" : "{}:{}"), to.host, to.service);
}

std::optional<Endpoint> endpoint_of(const addrinfo& found) {
  if (found.ai_family == AF_INET && found.ai_addrlen == sizeof(sockaddr_in)) {
    sockaddr_in address;
    std::memcpy(&address, found.ai_addr, sizeof address);
    std::array<std::uint8_t, 4> bytes;
    std::memcpy(bytes.data(), &address.sin_addr, bytes.size());
    return Endpoint{IpAddress::v4(bytes), ntohs(address.sin_port), 0};
  }
  if (found.ai_family == AF_INET6 && found.ai_addrlen == sizeof(sockaddr_in6)) {
    sockaddr_in6 address;
    std::memcpy(&address, found.ai_addr, sizeof address);
    std::array<std::uint8_t, 16> bytes;
    std::memcpy(bytes.data(), &address.sin6_addr, bytes.size());
    const IpAddress ip = IpAddress::v6(bytes);
    return Endpoint{ip.unmapped(), ntohs(address.sin6_port),
                    ip.is_link_local() ? address.sin6_scope_id : 0};
  }
  return std::nullopt;
}

}  // namespace

std::expected<std::vector<Endpoint>, LookupFailure> look_up(const control::HostPort& host_port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_protocol = IPPROTO_UDP;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host_port.host.c_str(), host_port.service.c_str(), &hints, &found);
  if (error != 0) {
    const char* why = error == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(error);
    return std::unexpected(LookupFailure{why, is_final(error)});
  }
  std::vector<Endpoint> endpoints;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    if (const auto endpoint = endpoint_of(*one)) endpoints.push_back(*endpoint);
  }
  freeaddrinfo(found);
  return endpoints;
}

namespace {

std::expected<std::vector<Endpoint>, LookupFailure> look_up_often(
    Listener& listener, const control::HostPort& host_port, int limit) {
  unsigned wait_us = kFirstWaitUs;
  for (int tries = 0;; ++tries) {
    auto found = look_up(host_port);
    if (found && found->empty()) return std::unexpected(LookupFailure{"it has no address", true});
    if (found || found.error().is_final || (limit != kForever && tries >= limit)) return found;
    listener.say(fmt::format("{}: `{}'. Trying again in {:.2f} seconds...", found.error().why,
                             text_of(host_port), wait_us / 1'000'000.0));
    usleep(wait_us);
    wait_us = std::min(kLongestWaitUs, wait_us / 5 * 6);
  }
}

}  // namespace

std::expected<std::vector<Endpoint>, std::string> look_up_patiently(
    Listener& listener, const control::HostPort& host_port) {
  int limit = 0;
  if (std::getenv("WG_ENDPOINT_RESOLUTION_RETRIES") != nullptr) {
    const auto said = retries();
    if (!said) listener.say(said.error());
    limit = said.value_or(0);
  }
  auto found = look_up_often(listener, host_port, limit == kForever ? 0 : limit);
  if (found) return std::move(*found);
  return std::unexpected(found.error().why);
}

std::expected<Endpoint, std::string> resolve(Listener& listener,
                                             const control::HostPort& host_port) {
  const auto limit = retries();
  if (!limit) return std::unexpected(limit.error());
  const auto found = look_up_often(listener, host_port, *limit);
  if (found) return found->front();
  return std::unexpected(fmt::format("{}: `{}'", found.error().why, text_of(host_port)));
}

}  // namespace ferrule::files
