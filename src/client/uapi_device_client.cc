#include <dirent.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "base/key_text.h"
#include "client/device_client.h"
#include "client/scopes.h"
#include "control/wiped_text.h"
#include "crypto/x25519.h"
#include "io/linux/fd.h"

namespace ferrule::client {

namespace {

constexpr std::string_view kSuffix = ".sock";
constexpr std::size_t kReadBytes = 65536;

// Sends all of `text`. A daemon that refuses early may close while we still send: what it answered
// can be read all the same, hence no error yet.
void send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

Result<void> read_answer(int fd, control::UapiAnswer& answer) {
  std::vector<std::uint8_t> buffer(kReadBytes);
  while (true) {
    const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(system_error(errno, "read the device's answer"));
    const auto size = static_cast<std::size_t>(got);
    const bool complete = answer.feed({reinterpret_cast<const char*>(buffer.data()), size});
    wipe(MutBytes(buffer).first(size));
    if (complete || got == 0) return answer.outcome();
  }
}

class UapiDeviceClient final : public DeviceClient {
 public:
  explicit UapiDeviceClient(std::string folder) : folder_(std::move(folder)) {}

  Result<std::vector<std::string>> list() override;
  Result<control::DeviceStatus> get(const std::string& name) override;
  Result<void> set(const std::string& name, const protocol::DeviceChange& change) override;
  Result<control::DeviceStats> stats(const std::string& name) override;
  Result<control::DeviceSettings> settings(const std::string& name) override;

 private:
  [[nodiscard]] Result<io::UniqueFd> connect_to(const std::string& name) const;

  std::string folder_;
};

Result<io::UniqueFd> UapiDeviceClient::connect_to(const std::string& name) const {
  const auto failed = [&](int code) {
    return std::unexpected(system_error(code, "connect to " + name));
  };
  const std::string path = folder_ + '/' + name + std::string(kSuffix);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.empty() || name.find('/') != name.npos || path.size() >= sizeof address.sun_path) {
    return failed(ENODEV);
  }
  std::memcpy(address.sun_path, path.data(), path.size());

  struct stat status;
  if (stat(path.c_str(), &status) != 0) return failed(errno == ENOENT ? ENODEV : errno);
  if (!S_ISSOCK(status.st_mode)) return failed(ENODEV);
  io::UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return failed(errno);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return fd;
  if (errno != ECONNREFUSED) return failed(errno);
  unlink(path.c_str());
  return failed(ENODEV);
}

Result<std::vector<std::string>> UapiDeviceClient::list() {
  std::vector<std::string> names;
  DIR* folder = opendir(folder_.c_str());
  if (folder == nullptr) {
    if (errno == ENOENT) return names;
    return std::unexpected(system_error(errno, "open " + folder_));
  }
  while (const dirent* entry = readdir(folder)) {
    std::string name = entry->d_name;
    if (!name.ends_with(kSuffix)) continue;
    name.resize(name.size() - kSuffix.size());
    const auto fd = connect_to(name);
    if (fd || fd.error().code != ENODEV) names.push_back(std::move(name));
  }
  closedir(folder);
  return names;
}

Result<control::DeviceStatus> UapiDeviceClient::get(const std::string& name) {
  const auto fd = connect_to(name);
  if (!fd) return std::unexpected(fd.error());
  send_all(fd->get(), control::kGetRequest);
  control::UapiAnswer answer(scope_of);
  if (auto outcome = read_answer(fd->get(), answer); !outcome) {
    return std::unexpected(outcome.error());
  }
  control::DeviceStatus device = std::move(answer.device());
  if (device.private_key) device.public_key = crypto::public_key_of(*device.private_key);
  return device;
}

Result<void> UapiDeviceClient::set(const std::string& name, const protocol::DeviceChange& change) {
  const auto fd = connect_to(name);
  if (!fd) return std::unexpected(fd.error());
  send_all(fd->get(), control::set_request(change, scope_name).view());
  control::UapiAnswer answer(scope_of);
  return read_answer(fd->get(), answer);
}

Result<control::DeviceStats> UapiDeviceClient::stats(const std::string& name) {
  const auto fd = connect_to(name);
  if (!fd) return std::unexpected(fd.error());
  send_all(fd->get(), control::kStatsRequest);
  control::UapiAnswer answer(scope_of);
  if (auto outcome = read_answer(fd->get(), answer); !outcome) {
    return std::unexpected(outcome.error());
  }
  return std::move(answer).device_stats();
}

Result<control::DeviceSettings> UapiDeviceClient::settings(const std::string& name) {
  const auto fd = connect_to(name);
  if (!fd) return std::unexpected(fd.error());
  send_all(fd->get(), control::kSettingsRequest);
  control::UapiAnswer answer(scope_of);
  if (auto outcome = read_answer(fd->get(), answer); !outcome) {
    return std::unexpected(outcome.error());
  }
  return std::move(answer.settings());
}

}  // namespace

std::unique_ptr<DeviceClient> make_uapi_client(std::string folder) {
  return std::make_unique<UapiDeviceClient>(std::move(folder));
}

}  // namespace ferrule::client
