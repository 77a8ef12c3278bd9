#include "daemon/uapi_socket.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <latch>
#include <optional>
#include <thread>
#include <vector>

namespace ferrule::daemon {
namespace {

using testing::HasSubstr;

class UapiSocketTest : public testing::Test {
 protected:
  UapiSocketTest() {
    std::array<char, 32> name{"/tmp/ferrule-uapi-XXXXXX"};
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    directory = name.data();
    path = directory + "/wg0.sock";
  }
  ~UapiSocketTest() override { std::filesystem::remove_all(directory); }

  Result<UapiSocket> listen() { return UapiSocket::listen("wg0", directory); }
  bool answers() {
    const io::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    return ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  std::size_t file_count() {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(directory), {}));
  }

  std::string directory;
  std::string path;
};

TEST_F(UapiSocketTest, P100_OthersMayNotConnect) {
  const Result<UapiSocket> socket = listen();
  struct stat status;
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(UapiSocketTest, ConnectionsAreAccepted) {
  Result<UapiSocket> socket = listen();
  ASSERT_TRUE(socket);
  EXPECT_FALSE(socket->accept());
  EXPECT_TRUE(answers());
  EXPECT_TRUE(socket->accept());
}

TEST_F(UapiSocketTest, TheFileGoesWithTheSocket) {
  {
    const Result<UapiSocket> socket = listen();
  }
  EXPECT_EQ(file_count(), 0u);
}

TEST_F(UapiSocketTest, P103_AStaleFileIsTakenOver) {
  {
    const io::UniqueFd dead(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  const Result<UapiSocket> socket = listen();
  ASSERT_TRUE(socket);
  EXPECT_TRUE(answers());
}

TEST_F(UapiSocketTest, P103_ALiveOneIsLeftAlone) {
  const Result<UapiSocket> first = listen();
  const Result<UapiSocket> second = listen();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EADDRINUSE);
  EXPECT_THAT(second.error().what, HasSubstr("already running"));
  EXPECT_TRUE(answers());
}

TEST_F(UapiSocketTest, P103_OfManyThatStartAtOnceOneSucceeds) {
  constexpr int kStarts = 8;
  for (int round = 0; round < 20; ++round) {
    std::vector<std::optional<UapiSocket>> sockets(kStarts);
    std::latch all(kStarts);
    {
      std::vector<std::jthread> starts;
      for (std::optional<UapiSocket>& socket : sockets) {
        starts.emplace_back([&] {
          all.arrive_and_wait();
          if (Result<UapiSocket> opened = listen()) socket.emplace(std::move(*opened));
        });
      }
    }
    ASSERT_EQ(std::ranges::count_if(sockets, [](const auto& s) { return s.has_value(); }), 1);
    ASSERT_TRUE(answers());
    ASSERT_EQ(file_count(), 1u);
  }
}

TEST_F(UapiSocketTest, RemovalIsNoticed) {
  Result<UapiSocket> socket = listen();
  ASSERT_TRUE(socket);
  EXPECT_FALSE(socket->removed());
  ::unlink(path.c_str());
  EXPECT_TRUE(socket->removed());
}

TEST_F(UapiSocketTest, AFileThatIsNoLongerItsOwnStays) {
  {
    Result<UapiSocket> socket = listen();
    ::unlink(path.c_str());
    const io::UniqueFd other(::open(path.c_str(), O_CREAT | O_CLOEXEC, 0600));
    EXPECT_TRUE(socket->removed());
  }
  EXPECT_EQ(file_count(), 1u);
}

TEST_F(UapiSocketTest, ADescriptorThatDoesNotListenIsNotAdopted) {
  EXPECT_FALSE(
      UapiSocket::adopt(io::UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)), "wg0"));
}

TEST_F(UapiSocketTest, ANameThatDoesNotFitAnAddressIsRefused) {
  const Result<UapiSocket> socket = UapiSocket::listen(std::string(120, 'x'), directory);
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error().code, ENAMETOOLONG);
}

}  // namespace
}  // namespace ferrule::daemon
