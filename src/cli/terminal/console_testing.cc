#include "cli/terminal/console_testing.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <utility>

#include "base/check.h"
#include "cli/program.h"
#include "client/scopes.h"
#include "crypto/x25519.h"
#include "files/input.h"

namespace ferrule::cli {

namespace {

class TestDeviceClient final : public client::DeviceClient {
 public:
  explicit TestDeviceClient(TestDevices& devices) : devices_(devices) {}

  Result<std::vector<std::string>> list() override {
    if (devices_.list_errno != 0) return std::unexpected(system_error(devices_.list_errno, "list"));
    std::vector<std::string> names;
    for (const auto& [name, answer] : devices_.answers) names.push_back(name);
    return names;
  }

  Result<control::DeviceStatus> get(const std::string& name) override {
    const auto device = devices_.answers.find(name);
    if (device == devices_.answers.end()) return std::unexpected(system_error(ENODEV, name));
    if (devices_.get_errno != 0) return std::unexpected(system_error(devices_.get_errno, name));
    control::UapiAnswer answer(client::scope_of);
    (void)answer.feed(device->second + "errno=0\n\n");
    FERRULE_CHECK(answer.outcome());
    if (answer.device().private_key) {
      answer.device().public_key = crypto::public_key_of(*answer.device().private_key);
    }
    return std::move(answer.device());
  }

  Result<void> set(const std::string& name, const protocol::DeviceChange& change) override {
    if (!devices_.answers.contains(name)) return std::unexpected(system_error(ENODEV, name));
    if (devices_.set_errno != 0) return std::unexpected(system_error(devices_.set_errno, name));
    devices_.set_requests.emplace_back(control::set_request(change, client::scope_name).view());
    return {};
  }

  Result<control::DeviceSettings> settings(const std::string& name) override {
    const auto answer = devices_.settings.find(name);
    if (answer == devices_.settings.end()) return std::unexpected(system_error(EPROTO, name));
    return answer->second;
  }
  Result<control::DeviceStats> stats(const std::string& name) override {
    const auto answer = devices_.stats.find(name);
    if (answer == devices_.stats.end()) return std::unexpected(system_error(EPROTO, name));
    return control::DeviceStats{answer->second, devices_.peer_stats[name]};
  }

 private:
  TestDevices& devices_;
};

Answer ask_on(TestDevices& devices, const std::vector<std::string>& words, std::string_view input,
              const std::string& program) {
  const files::MemoryFile in(input);
  const files::MemoryFile out;
  const files::MemoryFile err;
  Console console{program, in.fd(), Output(out.fd()), Output(err.fd()), test_client(devices),
                  kTestNow};
  const std::vector<std::string_view> views(words.begin(), words.end());
  const int status = run_program(console, views);
  return {status, out.content(), err.content()};
}

}  // namespace

std::unique_ptr<client::DeviceClient> test_client(TestDevices& devices) {
  return std::make_unique<TestDeviceClient>(devices);
}

Answer ask(const std::vector<std::string>& words, std::string_view input,
           const std::string& program) {
  TestDevices none;
  return ask_on(none, words, input, program);
}

Answer ask(TestDevices& devices, const std::vector<std::string>& words, std::string_view input) {
  return ask_on(devices, words, input, "ferrule");
}

ConfFolder::ConfFolder(const std::string& interface) : interface_(interface) {
  std::string name = std::filesystem::temp_directory_path() / "ferrule_conf_XXXXXX";
  FERRULE_CHECK(mkdtemp(name.data()) != nullptr);
  path_ = name;
}

ConfFolder::~ConfFolder() { std::filesystem::remove_all(path_); }

void ConfFolder::write(const std::string& text) const { std::ofstream(conf_path()) << text; }

std::string ConfFolder::conf() const { return std::string(files::read_file(conf_path())->view()); }

std::ptrdiff_t ConfFolder::file_count() const {
  return std::distance(std::filesystem::directory_iterator(path_), {});
}

FileSizeLimit::FileSizeLimit(std::size_t bytes) : signal_before_(std::signal(SIGXFSZ, SIG_IGN)) {
  FERRULE_CHECK(getrlimit(RLIMIT_FSIZE, &before_) == 0);
  const rlimit limit{bytes, before_.rlim_max};
  FERRULE_CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

FileSizeLimit::~FileSizeLimit() {
  setrlimit(RLIMIT_FSIZE, &before_);
  std::signal(SIGXFSZ, signal_before_);
}

}  // namespace ferrule::cli
