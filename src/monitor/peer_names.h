// What people call the peers of a device.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/keys.h"

namespace ferrule::monitor {

using PeerNames = std::map<PublicKey, std::string>;

/// Names from the files of interfaces ("# Name = alice"), read again when a file has changed. Not
/// thread-safe.
class NameBook {
 public:
  /// Which file an interface has, as its name or a path.
  using Where = std::function<std::string(const std::string& interface)>;
  NameBook() = default;
  explicit NameBook(Where where) : where_(std::move(where)) {}

  /// Never null; empty where there is no file, or none that can be read.
  [[nodiscard]] std::shared_ptr<const PeerNames> of(const std::string& interface_or_path);

 private:
  struct Page {
    std::int64_t changed_ns = 0;
    std::int64_t size = 0;
    std::shared_ptr<const PeerNames> names;
  };
  Where where_ = [](const std::string& interface) { return interface; };
  std::map<std::string, Page> pages_;
};

}  // namespace ferrule::monitor
