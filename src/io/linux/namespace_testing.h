// Network namespaces for tests, so that nothing they do touches the machine's own network.
#pragma once

#include <memory>
#include <string>

#include "io/linux/fd.h"

namespace ferrule::io {

/// A network namespace that lives as long as this object or anything inside it.
class TestNamespace {
 public:
  /// A fresh one with loopback up, or null with a reason in `why_not` (no root, no iproute2).
  [[nodiscard]] static std::unique_ptr<TestNamespace> make(std::string& why_not);
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

 private:
  explicit TestNamespace(UniqueFd fd) noexcept : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

/// Puts the calling thread, and those that it starts, into a namespace until it goes out of scope.
class InNamespace {
 public:
  explicit InNamespace(const TestNamespace& space);
  ~InNamespace();
  InNamespace(const InNamespace&) = delete;
  InNamespace& operator=(const InNamespace&) = delete;

 private:
  UniqueFd before_;
};

/// Runs a shell command; true when it succeeded. Its output is thrown away.
bool shell(const std::string& command);

/// Gives an interface an address ("fd00::2/64") and waits until packets to it are taken: for IPv6 the
/// kernel gets it ready in the background, even without duplicate detection.
bool add_address(const std::string& prefix, const std::string& interface);

/// Moves an interface of the calling thread's namespace into another one.
bool move_interface(const std::string& name, const TestNamespace& to);

}  // namespace ferrule::io

/// For tests that need namespaces: `name` is a std::unique_ptr<TestNamespace> afterwards.
#define FERRULE_NAMESPACE_OR_SKIP(name)                         \
  std::string name##_why_not;                                   \
  auto name = ferrule::io::TestNamespace::make(name##_why_not); \
  if (name == nullptr) GTEST_SKIP() << name##_why_not
