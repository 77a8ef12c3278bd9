#include "proxy/allowed_calls.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace ferrule::proxy {
namespace {

// Whether `call` is refused in a child that has restricted itself.
template <class Call>
bool is_refused(Call call) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (!restrict_calls()) ::_exit(2);
    ::_exit(call() < 0 && errno == EPERM ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

class RestrictedProxy : public testing::Test {
 protected:
  void SetUp() override {
#ifdef FERRULE_SANITIZED
    GTEST_SKIP() << "a sanitizer makes calls of its own";
#endif
  }
};

TEST_F(RestrictedProxy, OpensNoFileAndStartsNoProgram) {
  EXPECT_TRUE(is_refused([] { return ::open("/dev/null", O_RDONLY); }));
  EXPECT_TRUE(is_refused([] { return ::execl("/bin/true", "true", nullptr); }));
  EXPECT_TRUE(is_refused([] { return static_cast<int>(::fork()); }));
}

TEST_F(RestrictedProxy, HasTcpAndUdpAlone) {
  EXPECT_TRUE(is_refused([] { return ::socket(AF_NETLINK, SOCK_RAW, 0); }));
  EXPECT_TRUE(is_refused([] { return ::socket(AF_INET, SOCK_RAW, 1); }));
  EXPECT_FALSE(is_refused([] { return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); }));
}

}  // namespace
}  // namespace ferrule::proxy
