#include "daemon/sandbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "crypto/aead.h"
#include "crypto/prepare.h"
#include "crypto/x25519.h"
#include "daemon/capabilities.h"

namespace ferrule::daemon {
namespace {

constexpr int kSandboxFailed = 99;

// How a child of this process ends that runs `work`, as wait(2) tells it.
template <class Work>
int end_of_child(Work work) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    ::_exit(work());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

class SandboxedCalls : public testing::Test {
 protected:
  void SetUp() override {
#ifdef FERRULE_SANITIZED
    GTEST_SKIP() << "a sanitizer makes calls of its own";
#endif
  }

  // The same for `work` under the list of allowed calls.
  template <class Work>
  static int end_of(Work work) {
    return end_of_child([&] { return restrict_calls() ? work() : kSandboxFailed; });
  }
  // The signal that ends `work`; 0 when none does.
  template <class Work>
  static int signal_ending(Work work) {
    const int status = end_of(work);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }
};

TEST_F(SandboxedCalls, OpeningAFileIsRefused) {
  EXPECT_EQ(end_of([] { return ::open("/dev/null", O_RDONLY) == -1 && errno == EACCES ? 0 : 1; }),
            0);
}

// The C library then asks a file under /proc how free it is with memory.
TEST_F(SandboxedCalls, AThreadMayGiveMemoryBack) {
  EXPECT_EQ(end_of([] {
              std::thread([] {
                std::vector<std::unique_ptr<char[]>> blocks;
                for (int i = 0; i < 100; ++i) blocks.emplace_back(new char[100'000]);
                while (!blocks.empty()) blocks.pop_back();
              }).join();
              return 0;
            }),
            0);
}

TEST_F(SandboxedCalls, ANewProcessEndsTheProcess) {
  EXPECT_EQ(signal_ending([] { return static_cast<int>(::fork()); }), SIGSYS);
}

TEST_F(SandboxedCalls, AnotherProgramEndsTheProcess) {
  EXPECT_EQ(signal_ending([] { return ::execl("/bin/true", "true", nullptr); }), SIGSYS);
}

TEST_F(SandboxedCalls, NewCodeEndsTheProcess) {
  EXPECT_EQ(signal_ending([] {
              const int protection = PROT_READ | PROT_EXEC;
              ::mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              return 0;
            }),
            SIGSYS);
}

TEST_F(SandboxedCalls, ATcpSocketEndsTheProcess) {
  EXPECT_EQ(signal_ending([] { return ::socket(AF_INET, SOCK_STREAM, 0); }), SIGSYS);
}

TEST_F(SandboxedCalls, ASignalToAnotherProcessEndsTheProcess) {
  EXPECT_EQ(signal_ending([] { return ::kill(::getppid(), 0); }), SIGSYS);
}

TEST_F(SandboxedCalls, AThreadMayStart) {
  EXPECT_EQ(end_of([] {
              int done = 1;
              std::thread([&] { done = 0; }).join();
              return done;
            }),
            0);
}

TEST_F(SandboxedCalls, AThreadMayGiveBackMuchMemory) {
  const auto take_and_give_back = [] {
    std::vector<std::unique_ptr<char[]>> chunks;
    for (int i = 0; i < 1000; ++i) chunks.push_back(std::make_unique<char[]>(4096));
  };
  EXPECT_EQ(signal_ending([&] {
              std::thread(take_and_give_back).join();
              return 0;
            }),
            0);
}

TEST_F(SandboxedCalls, AUdpSocketMayOpen) {
  EXPECT_EQ(end_of([] { return ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) >= 0 ? 0 : 1; }), 0);
}

TEST_F(SandboxedCalls, CryptographyWorksInANewThread) {
  crypto::prepare_libraries();
  EXPECT_EQ(end_of([] {
              bool refused = true;
              std::thread([&] {
                const crypto::AeadKey key;
                std::array<std::uint8_t, 16 + crypto::kTagSize> data{};
                std::array<bool, 1> opened{};
                const std::array packets{crypto::AeadPacket{data.data(), 16, &key, 0}};
                for (const crypto::AeadBackend* backend : crypto::aead_backends()) {
                  backend->open(packets, opened);
                  refused = refused && !opened[0];
                }
                (void)crypto::public_key_of(PrivateKey{});
              }).join();
              return refused ? 0 : 1;
            }),
            0);
}

TEST_F(SandboxedCalls, AFailedCheckStillAborts) {
  EXPECT_EQ(signal_ending([] {
              std::fclose(stderr);
              FERRULE_CHECK(false);
              return 0;
            }),
            SIGABRT);
}

class SandboxedFiles : public testing::Test {
 protected:
  SandboxedFiles()
      : directory_(testing::TempDir() + "ferrule-sandbox-" + std::to_string(::getpid())),
        inside_(directory_ + "/wg0.sock"),
        outside_(directory_ + ".file") {
    std::filesystem::create_directory(directory_);
    std::ofstream{inside_};
    std::ofstream{outside_};
  }
  ~SandboxedFiles() override {
    std::filesystem::remove_all(directory_);
    std::filesystem::remove(outside_);
  }
  // What errno `work` leaves behind when files are restricted; 0 when it returns no error.
  template <class Work>
  int error_of(Work work) {
    const int status = end_of_child([&] {
      const Result<int> version = restrict_files(directory_);
      if (!version) return kSandboxFailed;
      if (*version == 0) return kNoLandlock;
      return work() < 0 ? errno : 0;
    });
    EXPECT_TRUE(WIFEXITED(status));
    return WEXITSTATUS(status);
  }

  static constexpr int kNoLandlock = 98;
  std::string directory_;
  std::string inside_;
  std::string outside_;
};

#define SKIP_WITHOUT_LANDLOCK(error) \
  if ((error) == kNoLandlock) GTEST_SKIP() << "this kernel has no Landlock"

TEST_F(SandboxedFiles, NoneCanBeRead) {
  const int error = error_of([&] { return ::open(outside_.c_str(), O_RDONLY); });
  SKIP_WITHOUT_LANDLOCK(error);
  EXPECT_EQ(error, EACCES);
}

TEST_F(SandboxedFiles, NoneCanBeMadeBesideTheSocket) {
  const int error = error_of([&] { return ::mkdir((directory_ + "/new").c_str(), 0700); });
  SKIP_WITHOUT_LANDLOCK(error);
  EXPECT_EQ(error, EACCES);
}

TEST_F(SandboxedFiles, TheSocketCanBeRemoved) {
  const int error = error_of([&] { return ::unlink(inside_.c_str()); });
  SKIP_WITHOUT_LANDLOCK(error);
  EXPECT_EQ(error, 0);
}

TEST_F(SandboxedFiles, OthersCanNotBeRemoved) {
  const int error = error_of([&] { return ::unlink(outside_.c_str()); });
  SKIP_WITHOUT_LANDLOCK(error);
  EXPECT_EQ(error, EACCES);
}

TEST(SandboxedCapabilities, TheKernelNoLongerTakesASuperuserForOne) {
#ifdef FERRULE_SANITIZED
  GTEST_SKIP() << "a sanitizer stands in for setuid";
#endif
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to have capabilities to drop";
  const int status = end_of_child([] {
    if (!drop_capabilities()) return kSandboxFailed;
    return ::setuid(1) < 0 && errno == EPERM ? 0 : 1;  // CAP_SETUID
  });
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace ferrule::daemon
