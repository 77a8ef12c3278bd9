// Runs `ferrule` within a test, on input and output that are memory.
#pragma once

#include <sys/resource.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "client/device_client.h"
#include "control/uapi_client.h"
#include "files/memory_file_testing.h"

namespace ferrule::cli {

struct Answer {
  int status = 0;
  std::string out;
  std::string err;
};

/// Unix time in all tests.
constexpr std::int64_t kTestNow = 1'700'000'000;

/// Devices as they are in a test: what each answers to get=1, without the errno line, and what they
/// have been asked to become, as set requests.
struct TestDevices {
  std::map<std::string, std::string> answers;
  std::vector<std::string> set_requests;
  std::map<std::string, control::Stats> stats;  // none: it tells no peer_stats either
  std::map<std::string, std::map<PublicKey, protocol::MessageCounts>> peer_stats;
  std::map<std::string, control::DeviceSettings> settings;
  int get_errno = 0;
  int set_errno = 0;
  int list_errno = 0;
};

/// Asks these devices, which must outlive it.
[[nodiscard]] std::unique_ptr<client::DeviceClient> test_client(TestDevices& devices);

/// What `words` prints and returns when given `input`, called by the name `program`.
[[nodiscard]] Answer ask(const std::vector<std::string>& words, std::string_view input = {},
                         const std::string& program = "ferrule");
/// The same on a machine with these devices.
[[nodiscard]] Answer ask(TestDevices& devices, const std::vector<std::string>& words,
                         std::string_view input = {});

/// A folder of its own with the file of an interface in it. Gone at the end of its life.
class ConfFolder {
 public:
  explicit ConfFolder(const std::string& interface);
  ConfFolder(const ConfFolder&) = delete;
  ConfFolder& operator=(const ConfFolder&) = delete;
  ~ConfFolder();

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  /// Of the interface's file, which is not there until it is written.
  [[nodiscard]] std::string conf_path() const { return path_ / (interface_ + ".conf"); }
  void write(const std::string& text) const;
  [[nodiscard]] std::string conf() const;
  /// How many files are in it.
  [[nodiscard]] std::ptrdiff_t file_count() const;

 private:
  std::string interface_;
  std::filesystem::path path_;
};

/// While it lives, files can't grow beyond so many bytes: as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::size_t bytes);
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit();

 private:
  rlimit before_{};
  void (*signal_before_)(int) = nullptr;
};

}  // namespace ferrule::cli
