#include "io/linux/namespace_testing.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "base/check.h"
#include "io/linux/kernel_query.h"

namespace ferrule::io {
namespace {

UniqueFd current_namespace() {
  return UniqueFd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
}

}  // namespace

bool shell(const std::string& command) {
  return std::system(("(" + command + ") >/dev/null 2>&1").c_str()) == 0;
}

std::unique_ptr<TestNamespace> TestNamespace::make(std::string& why_not) {
  const UniqueFd before = current_namespace();
  if (!before || ::unshare(CLONE_NEWNET) != 0) {
    why_not = std::string("no network namespaces: ") + std::strerror(errno);
    return nullptr;
  }
  std::unique_ptr<TestNamespace> made(new TestNamespace(current_namespace()));
  const bool loopback = shell("ip link set lo up");
  FERRULE_CHECK(::setns(before.get(), CLONE_NEWNET) == 0);
  if (loopback) return made;
  why_not = "no `ip` of iproute2";
  return nullptr;
}

InNamespace::InNamespace(const TestNamespace& space) : before_(current_namespace()) {
  FERRULE_CHECK(::setns(space.fd(), CLONE_NEWNET) == 0);
}

InNamespace::~InNamespace() { FERRULE_CHECK(::setns(before_.get(), CLONE_NEWNET) == 0); }

bool add_address(const std::string& prefix, const std::string& interface) {
  const std::string no_dad = prefix.find(':') != std::string::npos ? " nodad" : "";
  if (!shell("ip addr add " + prefix + " dev " + interface + no_dad)) return false;
  const auto address = IpAddress::parse(prefix.substr(0, prefix.find('/')));
  auto query = KernelQuery::open();
  if (!address || !query) return false;
  const Source source{*address, ::if_nametoindex(interface.c_str())};
  for (int tries = 0; tries < 1000; ++tries) {
    if (query->owner(source)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return false;
}

bool move_interface(const std::string& name, const TestNamespace& to) {
  const std::string path = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(to.fd());
  return shell("ip link set " + name + " netns " + path);
}

}  // namespace ferrule::io
