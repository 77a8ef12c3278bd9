#include "proxy/listener.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "proxy/services_testing.h"

namespace ferrule::proxy {
namespace {

// No descriptors are left while this lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const io::UniqueFd next(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    rlimit none = before_;
    none.rlim_cur = static_cast<rlim_t>(next.get());
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

TEST(Listener, WithoutDescriptorsClientsWaitAndThatIsSaidOnce) {
  TestServices test;
  std::vector<io::UniqueFd> clients;
  io::UniqueFd socket = test.reach.listen(loopback()).value();
  const Endpoint at = netstack::local_end_of(socket.get());
  const Listener listener(
      test.services, test.reach, std::move(socket), "SOCKS",
      [&](io::UniqueFd client, const Endpoint&) { clients.push_back(std::move(client)); });
  const io::UniqueFd first = test.reach.dial(at, {}).value();
  const io::UniqueFd second = test.reach.dial(at, {}).value();
  // UndefinedBehaviorSanitizer needs a descriptor to look at an object the first time.
  say(test.services, "");
  test.log.lines.clear();
  {
    const NoDescriptors none;
    bool is_later = false;
    const Timer later(test.loop, test.loop.now() + 3 * kAcceptRest, [&] { is_later = true; });
    test.run_until([&] { return is_later; });
    EXPECT_TRUE(clients.empty());
    ASSERT_EQ(test.log.lines.size(), 1u);
    EXPECT_EQ(test.log.lines[0], "SOCKS: no more connections can be had at once: new ones wait");
  }
  test.run_until([&] { return clients.size() == 2; });
  EXPECT_EQ(test.log.lines.size(), 1u);
}

}  // namespace
}  // namespace ferrule::proxy
