#include "proxy/socks.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

#include "base/secret.h"

namespace ferrule::proxy {

namespace {

constexpr char kVersion5 = 5;
constexpr char kVersion4 = 4;
constexpr char kCredentialsVersion = 1;
constexpr std::uint8_t kMethodNone = 0;
constexpr std::uint8_t kMethodPassword = 2;
constexpr std::uint8_t kNoMethod = 0xff;
constexpr std::uint8_t kTypeV4 = 1;
constexpr std::uint8_t kTypeName = 3;
constexpr std::uint8_t kTypeV6 = 4;
constexpr std::size_t kMaxText4Bytes = 255;
constexpr char kGranted4 = 90;
constexpr char kRefused4 = 91;

std::uint8_t byte_at(std::string_view text, std::size_t at) noexcept {
  return static_cast<std::uint8_t>(text[at]);
}

Bytes bytes_of(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

enum class Read { more, good, bad, bad_type };

struct Address {
  Read read = Read::more;
  Target target;
  std::size_t size = 0;
};

// Type, address and port, as they stand in requests and datagrams.
Address read_address(std::string_view text) {
  if (text.empty()) return {};
  const std::uint8_t type = byte_at(text, 0);
  std::size_t start = 1;
  std::size_t size = type == kTypeV4 ? 4 : 16;
  if (type == kTypeName) {
    if (text.size() < 2) return {};
    start = 2;
    size = byte_at(text, 1);
  } else if (type != kTypeV4 && type != kTypeV6) {
    return {Read::bad_type, {}, 0};
  }
  if (text.size() < start + size + 2) return {};
  Address found{Read::good, {}, start + size + 2};
  const Bytes bytes = bytes_of(text).subspan(start);
  const std::uint16_t port = load_be16(bytes.data() + size);
  if (type == kTypeV4) {
    found.target.address = IpAddress::v4(bytes.first<4>());
  } else if (type == kTypeV6) {
    found.target.address = IpAddress::v6(bytes.first<16>()).unmapped();
  } else if (const auto target = make_target(text.substr(start, size), port)) {
    found.target = *target;
  } else {
    found.read = Read::bad;
  }
  found.target.port = port;
  return found;
}

void append_address(std::string& text, const Endpoint& at) {
  static constexpr std::array<std::uint8_t, 4> kNone{};
  const bool is_v6 = at.address.family() == Family::v6;
  text += static_cast<char>(is_v6 ? kTypeV6 : kTypeV4);
  const Bytes bytes = at.is_none() ? Bytes(kNone) : at.address.bytes();
  text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  text += static_cast<char>(at.port >> 8);
  text += static_cast<char>(at.port & 0xff);
}

}  // namespace

SocksServer::Step SocksServer::advance(std::string& input, std::string& output) {
  for (;;) {
    const State before = state_;
    Step step = Step::more;
    switch (state_) {
      case State::greeting:
        step = read_greeting(input, output);
        break;
      case State::credentials:
        step = read_credentials(input);
        break;
      case State::request:
        step = read_request(input, output);
        break;
      case State::judging:
        return Step::more;
      case State::done:
        return Step::failed;
    }
    if (step == Step::failed) state_ = State::done;
    if (step != Step::more || state_ == before) return step;
  }
}

SocksServer::Step SocksServer::read_greeting(std::string& input, std::string& output) {
  if (input.empty()) return Step::more;
  if (input[0] == kVersion4) return wants_password_ ? Step::failed : read_version_4(input);
  if (input[0] != kVersion5) return Step::failed;
  if (input.size() < 2) return Step::more;
  const std::size_t count = byte_at(input, 1);
  if (input.size() < 2 + count) return Step::more;
  const std::uint8_t wanted = wants_password_ ? kMethodPassword : kMethodNone;
  const Bytes methods = bytes_of(input).subspan(2, count);
  const bool offered = std::ranges::find(methods, wanted) != methods.end();
  input.erase(0, 2 + count);
  output += kVersion5;
  output += static_cast<char>(offered ? wanted : kNoMethod);
  if (!offered) return Step::failed;
  state_ = wants_password_ ? State::credentials : State::request;
  return Step::more;
}

SocksServer::Step SocksServer::read_credentials(std::string& input) {
  if (!input.empty() && input[0] != kCredentialsVersion) return Step::failed;
  if (input.size() < 2) return Step::more;
  const std::size_t user_size = byte_at(input, 1);
  if (input.size() < 3 + user_size) return Step::more;
  const std::size_t password_size = byte_at(input, 2 + user_size);
  const std::size_t size = 3 + user_size + password_size;
  if (input.size() < size) return Step::more;
  user_ = input.substr(2, user_size);
  password_ = input.substr(3 + user_size, password_size);
  wipe({reinterpret_cast<std::uint8_t*>(input.data()), size});
  input.erase(0, size);
  state_ = State::judging;
  return Step::password;
}

void SocksServer::judge(bool is_good, std::string& output) {
  wipe({reinterpret_cast<std::uint8_t*>(password_.data()), password_.size()});
  password_.clear();
  output += kCredentialsVersion;
  output += is_good ? '\0' : '\1';
  state_ = is_good ? State::request : State::done;
}

SocksServer::Step SocksServer::read_request(std::string& input, std::string& output) {
  if (!input.empty() && input[0] != kVersion5) return Step::failed;
  if (input.size() < 4) return Step::more;
  const std::uint8_t command = byte_at(input, 1);
  const Address address = read_address(std::string_view(input).substr(3));
  if (address.read == Read::more) return Step::more;
  const auto refuse = [&](SocksReply reply) {
    output += socks_answer({}, reply, {});
    return Step::failed;
  };
  if (address.read == Read::bad_type) return refuse(SocksReply::no_such_address_type);
  if (address.read == Read::bad) return refuse(SocksReply::host_unreachable);
  if (command < 1 || command > 3) return refuse(SocksReply::no_such_command);
  request_ = {5, static_cast<SocksCommand>(command), address.target};
  input.erase(0, 3 + address.size);
  state_ = State::done;
  return Step::request;
}

// Version, command, port, address, user; an address of 0.0.0.x says that a name follows (4a).
SocksServer::Step SocksServer::read_version_4(std::string& input) {
  constexpr std::size_t kFixedBytes = 8;
  if (input.size() < kFixedBytes) return Step::more;
  const std::size_t user_end = input.find('\0', kFixedBytes);
  if (std::min(user_end, input.size()) > kFixedBytes + kMaxText4Bytes) return Step::failed;
  if (user_end == input.npos) return Step::more;
  const std::uint8_t command = byte_at(input, 1);
  if (command != 1 && command != 2) return Step::failed;
  const Bytes bytes = bytes_of(input);
  const std::uint32_t address = load_be32(bytes.data() + 4);
  const std::uint16_t port = load_be16(bytes.data() + 2);
  request_ = {4, static_cast<SocksCommand>(command),
              Target{"", IpAddress::v4(bytes.subspan(4).first<4>()), port}};
  std::size_t size = user_end + 1;
  if (address != 0 && address < 256) {
    const std::size_t name_end = input.find('\0', size);
    if (std::min(name_end, input.size()) > size + kMaxText4Bytes) return Step::failed;
    if (name_end == input.npos) return Step::more;
    const auto target = make_target(std::string_view(input).substr(size, name_end - size), port);
    if (!target) return Step::failed;
    request_.target = *target;
    size = name_end + 1;
  }
  input.erase(0, size);
  state_ = State::done;
  return Step::request;
}

std::string socks_answer(const SocksRequest& request, SocksReply reply, const Endpoint& at) {
  std::string text;
  if (request.version == 4) {
    text += '\0';
    text += reply == SocksReply::granted ? kGranted4 : kRefused4;
    text += static_cast<char>(at.port >> 8);
    text += static_cast<char>(at.port & 0xff);
    std::array<char, 4> address{};
    if (at.address.family() == Family::v4) std::ranges::copy(at.address.bytes(), address.begin());
    text.append(address.data(), address.size());
    return text;
  }
  text += kVersion5;
  text += static_cast<char>(reply);
  text += '\0';
  append_address(text, at);
  return text;
}

SocksReply socks_reply_of(int error) noexcept {
  switch (error) {
    case 0:
      return SocksReply::granted;
    case ENETUNREACH:
    case ENETDOWN:
      return SocksReply::network_unreachable;
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ETIMEDOUT:
    case EADDRNOTAVAIL:
    case ENOENT:
      return SocksReply::host_unreachable;
    case ECONNREFUSED:
    case ECONNRESET:
      return SocksReply::refused;
    case EACCES:
    case EPERM:
      return SocksReply::not_allowed;
    default:
      return SocksReply::failed;
  }
}

std::optional<SocksDatagram> parse_socks_datagram(Bytes datagram) {
  constexpr std::size_t kFixedBytes = 3;  // two reserved, and the number of the fragment
  if (datagram.size() < kFixedBytes || datagram[2] != 0) return std::nullopt;
  const std::string_view text(reinterpret_cast<const char*>(datagram.data()), datagram.size());
  Address address = read_address(text.substr(kFixedBytes));
  if (address.read != Read::good || address.target.port == 0) return std::nullopt;
  return SocksDatagram{std::move(address.target), datagram.subspan(kFixedBytes + address.size)};
}

std::string socks_datagram_header(const Endpoint& from) {
  std::string text(3, '\0');
  append_address(text, from);
  return text;
}

}  // namespace ferrule::proxy
