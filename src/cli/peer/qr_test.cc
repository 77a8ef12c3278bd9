#include "cli/peer/qr.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "cli/terminal/console_testing.h"
#include "files/input.h"

namespace ferrule::cli {
namespace {

std::string printed(const QrCode& code, bool is_colored) {
  const files::MemoryFile file;
  Output out(file.fd());
  print_qr(out, code, is_colored);
  out.flush();
  return file.content();
}

TEST(QrCode, HasFindersInThreeCorners) {
  const QrCode code = std::move(*QrCode::of("ferrule"));
  ASSERT_EQ(code.size(), 21u);
  const std::size_t last = code.size() - 1;
  EXPECT_TRUE(code.is_dark(0, 0) && code.is_dark(0, last) && code.is_dark(last, 0));
  EXPECT_FALSE(code.is_dark(1, 1) || code.is_dark(7, 0) || code.is_dark(0, code.size()));
}

TEST(QrCode, TooMuchTextIsAnError) {
  const auto code = QrCode::of(std::string(3000, 'a'));
  ASSERT_FALSE(code);
  EXPECT_EQ(code.error().code, ERANGE);
}

// 29 rows with the quiet zone, two a line. The fifth and sixth are the first two of the finder.
TEST(QrCode, IsPrintedTwoRowsALine) {
  const std::string text = printed(*QrCode::of("ferrule"), false);
  std::string line = "██████████████████████████████";
  line.resize(29 * 3);  // of three bytes each
  EXPECT_TRUE(text.starts_with(line + "\n" + line + "\n"));
  EXPECT_EQ(std::ranges::count(text, '\n'), 15);
  EXPECT_TRUE(text.substr(2 * (line.size() + 1)).starts_with("████ ▄▄▄▄▄ █"));
}

TEST(QrCode, WithColoursItIsWhiteOnBlackWhateverTheTerminal) {
  const std::string text = printed(*QrCode::of("ferrule"), true);
  EXPECT_TRUE(text.starts_with("\x1b[97;40m█"));
  EXPECT_TRUE(text.ends_with("█\x1b[0m\n"));
}

TEST(QrCode, APictureIsANewFileForItsOwnerAlone) {
  const std::string path = testing::TempDir() + "ferrule_qr_" + std::to_string(getpid()) + ".png";
  const QrCode code = std::move(*QrCode::of("ferrule"));
  ASSERT_TRUE(write_png(code, path));
  struct stat status;
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
  EXPECT_TRUE(files::read_file(path)->view().starts_with("\x89PNG"));
  EXPECT_EQ(write_png(code, path).error().code, EEXIST);
  unlink(path.c_str());
}

}  // namespace
}  // namespace ferrule::cli
