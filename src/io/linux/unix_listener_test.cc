#include "io/linux/unix_listener.h"

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

namespace ferrule::io {
namespace {

using testing::HasSubstr;

class UnixListenerTest : public testing::Test {
 protected:
  UnixListenerTest() {
    std::array<char, 32> name{"/tmp/ferrule-unix-XXXXXX"};
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    directory = name.data();
    path = directory + "/place.sock";
  }
  ~UnixListenerTest() override { std::filesystem::remove_all(directory); }

  Result<std::unique_ptr<UnixListener>> listen() { return UnixListener::listen(path); }
  bool answers() {
    const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
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

TEST_F(UnixListenerTest, P100_OthersMayNotConnect) {
  const Result<std::unique_ptr<UnixListener>> socket = listen();
  struct stat status;
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(UnixListenerTest, ConnectionsAreAccepted) {
  Result<std::unique_ptr<UnixListener>> socket = listen();
  ASSERT_TRUE(socket);
  EXPECT_FALSE((*socket)->accept());
  EXPECT_TRUE(answers());
  EXPECT_TRUE((*socket)->accept());
}

TEST_F(UnixListenerTest, TheFileGoesWithTheSocket) {
  {
    const Result<std::unique_ptr<UnixListener>> socket = listen();
  }
  EXPECT_EQ(file_count(), 0u);
}

TEST_F(UnixListenerTest, P103_AStaleFileIsTakenOver) {
  {
    const UniqueFd dead(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  const Result<std::unique_ptr<UnixListener>> socket = listen();
  ASSERT_TRUE(socket);
  EXPECT_TRUE(answers());
}

TEST_F(UnixListenerTest, P103_ALiveOneIsLeftAlone) {
  const Result<std::unique_ptr<UnixListener>> first = listen();
  const Result<std::unique_ptr<UnixListener>> second = listen();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EADDRINUSE);
  EXPECT_THAT(second.error().what, HasSubstr("answers"));
  EXPECT_TRUE(answers());
}

TEST_F(UnixListenerTest, P103_OfManyThatStartAtOnceOneSucceeds) {
  constexpr int kStarts = 8;
  for (int round = 0; round < 20; ++round) {
    std::vector<std::unique_ptr<UnixListener>> sockets(kStarts);
    std::latch all(kStarts);
    {
      std::vector<std::jthread> starts;
      for (std::unique_ptr<UnixListener>& socket : sockets) {
        starts.emplace_back([&] {
          all.arrive_and_wait();
          if (Result<std::unique_ptr<UnixListener>> opened = listen()) socket = std::move(*opened);
        });
      }
    }
    ASSERT_EQ(std::ranges::count_if(sockets, [](const auto& s) { return s != nullptr; }), 1);
    ASSERT_TRUE(answers());
    ASSERT_EQ(file_count(), 1u);
  }
}

TEST_F(UnixListenerTest, WhatIsNoSocketStays) {
  std::filesystem::create_directory(path);
  const Result<std::unique_ptr<UnixListener>> socket = listen();
  ASSERT_FALSE(socket);
  EXPECT_THAT(socket.error().what, HasSubstr("remove " + path));
  EXPECT_EQ(file_count(), 1u);
}

TEST_F(UnixListenerTest, RemovalIsNoticed) {
  Result<std::unique_ptr<UnixListener>> socket = listen();
  ASSERT_TRUE(socket);
  EXPECT_FALSE((*socket)->is_gone());
  ::unlink(path.c_str());
  EXPECT_TRUE((*socket)->is_gone());
}

TEST_F(UnixListenerTest, AFileThatIsNoLongerItsOwnStays) {
  {
    Result<std::unique_ptr<UnixListener>> socket = listen();
    ::unlink(path.c_str());
    const UniqueFd other(::open(path.c_str(), O_CREAT | O_CLOEXEC, 0600));
    EXPECT_TRUE((*socket)->is_gone());
  }
  EXPECT_EQ(file_count(), 1u);
}

TEST_F(UnixListenerTest, ADescriptorThatDoesNotListenIsNotAdopted) {
  EXPECT_FALSE(
      UnixListener::adopt(UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)), path));
}

TEST_F(UnixListenerTest, ANameThatDoesNotFitAnAddressIsRefused) {
  const Result<std::unique_ptr<UnixListener>> socket =
      UnixListener::listen(directory + std::string(120, 'x'));
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error().code, ENAMETOOLONG);
}

}  // namespace
}  // namespace ferrule::io
