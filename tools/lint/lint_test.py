"""The checks against small trees, good and bad."""

import unittest

import abi
import constants
import includes
import leaks
import links
import mutants
import portable
import printing
import purity
import rules
import sizes
from tree import Tree, code_only

HEADER = "#pragma once\n"


def tree(**files):
    return Tree(files={path.replace("__", "/"): text for path, text in files.items()})


def tree_of(path, text):
    return Tree(files={path: text})


class CodeOnly(unittest.TestCase):
    def test_comments_and_literals_go_and_lines_stay(self):
        text = 'a; // time(\n/* rand(\n */ b("socket(", \'"\'); x = R"(\n")"; y = 1\'000;\n'
        self.assertEqual(code_only(text), 'a; \n\n b("", ""); x = ""\n; y = 1\'000;\n')


class Includes(unittest.TestCase):
    def problems(self, path, include):
        files = {"src/io/tun.h": HEADER, "src/core/base/bytes.h": HEADER,
                 "src/core/protocol/device.h": HEADER, "src/core/protocol/configuration.h": HEADER}
        return includes.check(Tree(files={**files, path: f"#include {include}\n"}))

    def test_the_core_and_io_never_see_each_other(self):
        self.assertTrue(self.problems("src/core/protocol/x.cc", '"io/tun.h"'))
        self.assertTrue(self.problems("src/io/x.cc", '"protocol/device.h"'))
        self.assertFalse(self.problems("src/engine/x.cc", '"io/tun.h"'))
        self.assertFalse(self.problems("src/io/linux/x.cc", '"base/bytes.h"'))

    def test_control_sees_only_the_configuration(self):
        self.assertTrue(self.problems("src/core/control/x.cc", '"protocol/device.h"'))
        self.assertFalse(self.problems("src/core/control/x.cc", '"protocol/configuration.h"'))

    def test_libraries_have_their_folders(self):
        self.assertTrue(self.problems("src/core/protocol/x.cc", "<openssl/evp.h>"))
        self.assertFalse(self.problems("src/core/crypto/x.cc", "<openssl/evp.h>"))
        self.assertTrue(self.problems("src/core/base/x.cc", "<gtest/gtest.h>"))
        self.assertFalse(self.problems("src/core/base/x_test.cc", "<gtest/gtest.h>"))

    def test_the_c_abi_is_for_its_own_folder(self):
        self.assertTrue(self.problems("src/engine/x.cc", '"ferrule.h"'))
        self.assertFalse(self.problems("src/ffi/x.cc", '"ferrule.h"'))

    def test_an_unknown_library_is_refused(self):
        self.assertTrue(self.problems("src/cli/x.cc", "<boost/asio.hpp>"))
        self.assertTrue(self.problems("src/core/base/x.cc", "<sys/socket.h>"))
        self.assertFalse(self.problems("src/core/base/x.cc", "<vector>"))

    def test_what_is_included_exists(self):
        self.assertTrue(self.problems("src/core/base/x.cc", '"base/nothing.h"'))

    def test_a_header_is_included_once(self):
        self.assertTrue(includes.check(tree_of("src/core/base/x.h", "int x;\n")))


class Purity(unittest.TestCase):
    def test_calls_to_the_system_are_found(self):
        for call in ("clock_gettime(CLOCK_BOOTTIME, &t)", "std::chrono::steady_clock::now()",
                     "time(nullptr)", "std::time(nullptr)", "rand()", "getrandom(p, n, 0)",
                     "std::random_device r", "::socket(AF_INET, 0, 0)", "sendmsg(fd, &m, 0)",
                     "std::mutex m", "std::unique_lock lock(m)"):
            self.assertTrue(purity.check(tree_of("src/core/protocol/x.cc", f"void f() {{ {call}; }}\n")),
                            call)

    def test_names_that_only_look_like_calls_are_not(self):
        for call in ("now.time()", "rekey_after_time(x)", "stamp->time()", "operand(1)",
                     "Clock::time(x)", "websocket(1)", "/* time( */", 'log("rand(")'):
            self.assertFalse(purity.check(tree_of("src/core/protocol/x.cc", f"void f() {{ {call}; }}\n")),
                             call)

    def test_only_the_core_must_be_pure(self):
        text = "void f() { getrandom(p, n, 0); }\n"
        self.assertFalse(purity.check(tree_of("src/core/crypto/linux/random.cc", text)))
        self.assertTrue(purity.check(tree_of("src/core/crypto/random.cc", text)))
        self.assertTrue(purity.check(tree_of("src/core/crypto/linux/other.cc", text)))
        self.assertFalse(purity.check(tree_of("src/daemon/x.cc", text)))
        self.assertFalse(purity.check(tree_of("src/core/protocol/x_test.cc", text)))


class Printing(unittest.TestCase):
    def problems(self, path, text):
        return printing.check(tree_of(path, f"void f() {{ {text}; }}\n"))

    def test_what_prints_is_found(self):
        for text in ("std::cout << x", "fmt::print(stderr, x)", "std::printf(x)", "puts(x)", "write(1, p, n)",
                     "::write(STDERR_FILENO, p, n)", "Output out(1)", "files::Output{2}.write(x)",
                     'return "\\x1b[1m"'):
            for room in ("client", "files", "quick", "monitor", "diagnosis"):
                self.assertTrue(self.problems(f"src/{room}/x.cc", text), text)

    def test_what_writes_elsewhere_is_not(self):
        for text in ("Output out(fd.get())", "out.print(x)", "out.write(x)", "write(fd, p, n)", "snprintf(p, n, x)",
                     "// printf(x)", "dup2(null, STDOUT_FILENO)"):
            self.assertFalse(self.problems("src/files/x.cc", text), text)

    def test_the_command_line_prints(self):
        self.assertFalse(self.problems("src/cli/x.cc", "fmt::print(x)"))
        self.assertFalse(self.problems("src/files/x_test.cc", "fmt::print(x)"))


class Portable(unittest.TestCase):
    FOLDERS = ("src/core/control/x.cc", "src/engine/x.h", "src/io/x.h", "src/io/memory/x.cc")

    def problems(self, path, text):
        return portable.check(tree_of(path, text))

    def test_words_of_a_system_are_found(self):
        for word in ("if (errno == 5)", "refuse(ENOMEM)", "Error{E2BIG, {}}", "epoll_event room[4]",
                     "add(EPOLLIN | EPOLLONESHOT)", "int fd", "int fd_", "int wake_fd", "door.poll_fd()",
                     "int poll_fd_v4", "io::UniqueFd x", "io::Epoll epoll", "pthread_self()",
                     "set_mark(7)", "SO_MARK", "::setsockopt(1)"):
            for path in self.FOLDERS:
                self.assertTrue(self.problems(path, f"void f() {{ {word}; }}\n"), (path, word))

    def test_conditions_on_a_system_are_found(self):
        for word in ("#ifdef _WIN32", "#if defined(__linux__) && !defined(__ANDROID__)",
                     "#ifndef __APPLE__", "#if __FreeBSD__ > 13", "#ifdef __GLIBC__", "#ifdef __unix__"):
            for path in (*self.FOLDERS, "src/ffi/x.cc"):
                self.assertTrue(self.problems(path, f"{word}\nint x;\n#endif\n"), (path, word))
            self.assertFalse(self.problems("src/core/crypto/bsd/x.cc", f"{word}\n#endif\n"), word)
        for word in ("#if defined(__x86_64__)", "#ifdef __clang__", "#ifdef FERRULE_NEON"):
            self.assertFalse(self.problems("src/core/crypto/x.cc", f"{word}\n#endif\n"), word)

    def test_includes_of_a_systems_folder_are_found(self):
        for path in self.FOLDERS:
            self.assertTrue(self.problems(path, '#include "io/linux/fd.h"\n'))
            self.assertFalse(self.problems(path, '#include "io/memory/memory_tun.h"\n'))

    def test_words_that_only_look_like_them_are_not(self):
        for word in ("std::errc::not_enough_memory", "set_route_mark(7)", "Error error", "EXPECT(x)",
                     "EACH", "errno_ = 1", "ENUM", "fdes", "/* errno EINVAL fd */", 'log("EPOLLIN")'):
            self.assertFalse(self.problems("src/engine/x.cc", f"void f() {{ {word}; }}\n"), word)

    def test_systems_folders_tests_and_programs_may_name_their_system(self):
        for path in ("src/io/linux/x.cc", "src/engine/x_test.cc", "src/engine/x_testing.h",
                     "src/daemon/x.cc", "src/core/crypto/windows/random.cc"):
            self.assertFalse(self.problems(path, '#include "io/linux/fd.h"\nint fd = EINVAL;\n'))


class Sizes(unittest.TestCase):
    def lengths(self, text):
        return [length for _, length in sizes.cpp_functions(text)]

    def test_functions_are_told_from_everything_else_in_braces(self):
        text = """
namespace a {
struct alignas(64) S : B<f()> {
  S(int x) noexcept
      : x_{x},
        y_{f(x)} {
    g();
  }
 private:
  std::array<int, 2> z_{};
  auto f() const -> int { return 1; }
};
constexpr int kTable[] = {
  1, 2,
};
#define M(x) \\
  if (x) {
template <class T>
  requires std::is_same_v<T, int>
[[nodiscard]] std::optional<T> h(T t = {}, int = 0) {
  if (t) {
    auto l = [&] { return 1; };
  }
  return {};
}
}  // namespace a
"""
        self.assertEqual(self.lengths(text), [3, 1, 6])

    def test_long_functions_and_files_are_found(self):
        body = "  g();\n" * 69
        self.assertFalse(sizes.check_functions(tree_of("src/a.cc", f"void f() {{\n{body[7:]}}}\n")))
        self.assertTrue(sizes.check_functions(tree_of("src/a.cc", f"void f() {{\n{body}}}\n")))
        self.assertTrue(sizes.check_files(tree_of("src/a.cc", "\n" * 501)))
        self.assertFalse(sizes.check_files(tree_of("src/a_test.cc", "\n" * 800)))


class Constants(unittest.TestCase):
    def test_spans_of_time_belong_to_the_constants(self):
        self.assertTrue(constants.check(tree_of("src/core/protocol/x.cc", "auto t = now + 120s;\n")))
        self.assertTrue(constants.check(tree_of("src/core/protocol/x.cc", "std::chrono::seconds(5);\n")))
        self.assertFalse(constants.check(tree_of("src/core/protocol/x.cc", "t > 0s; t + 1ns; 1s / n; x60s;\n")))
        self.assertFalse(constants.check(tree_of("src/core/protocol/constants.h", "k = 120s;\n")))


class Rules(unittest.TestCase):
    def test_tests_are_found_by_name(self):
        files = tree(**{"src__a_test.cc": "TEST(A, P43_P44a_Holds) {\nTEST_F(B, P43_TooOld) {\n"
                                          "TEST(C, Other) {\n",
                        "tests__e2e__test_b.py": "def test_P43_on_the_wire(scene):\n"})
        found = rules.tests_by_rule(files)
        self.assertEqual(sorted(found), ["P43", "P44a"])
        self.assertEqual(rules.cell(found["P43"]),
                         "[A](../src/a_test.cc), [B](../src/a_test.cc), "
                         "[e2e b](../tests/e2e/test_b.py)")

    def test_a_row_follows_its_tests(self):
        row = "| P43 | a rule | `protocol/replay.h` | [Old](../a) |\n"
        document = rules.updated(row, {"P43": {("New", "b"): ["P43_Holds"]}})
        self.assertEqual(document, "| P43 | a rule | `protocol/replay.h` | [New](../b) |\n")
        self.assertEqual(rules.updated(document, {}), "| P43 | a rule | `protocol/replay.h` | |\n")

    def test_places_that_are_not_there_are_found(self):
        row = "| P43 | a rule | `protocol/replay.h`: `accept` | |\n"
        files = {"docs/protocol.md": row, "src/core/protocol/replay.h": "bool accept(Counter);\n"}
        self.assertFalse(rules.check_places(Tree(files=files)))
        self.assertTrue(rules.check_places(tree_of("docs/protocol.md", row)))
        files["src/core/protocol/replay.h"] = "bool accepts(Counter);\n"
        self.assertTrue(rules.check_places(Tree(files=files)))

    def test_unknown_and_untested_rules_are_found(self):
        problems = rules.check_tests(tree_of("src/a_test.cc", "TEST(A, P999_Holds) {\n"))
        self.assertEqual(len(problems), len(rules.RULES) + 1)


class Leaks(unittest.TestCase):
    def test_paths_of_a_machine_are_found(self):
        self.assertTrue(leaks.check(tree_of("a.md", "see /home/" + "someone/x\n")))
        self.assertTrue(leaks.check(tree_of("a.md", "see ../" + "shared/x\n")))
        self.assertFalse(leaks.check(tree_of(".ci/run", "see ../" + "shared/x\n")))
        self.assertFalse(leaks.check(tree_of("a.md", "see /usr/bin/x and /run/wireguard\n")))


class Links(unittest.TestCase):
    def test_links_that_lead_nowhere_are_found(self):
        files = {"docs/a.md": "[b](b.md#part) [src](../src) [web](https://example.org)\n",
                 "docs/b.md": "", "src/x.cc": ""}
        self.assertFalse(links.check(Tree(files=files)))
        self.assertTrue(links.check(tree_of("docs/a.md", "[c](c.md)\n")))


class Abi(unittest.TestCase):
    def problems(self, declared, let_out):
        header = "".join(f"/* not ferrule_this() */ int {name}(void);\n" for name in declared)
        symbols = "X_1 {\n  global:\n" + "".join(f"    {name};\n" for name in let_out)
        return abi.check(Tree(files={abi.HEADER: header, abi.SYMBOLS: symbols + "  local:\n    *;\n};\n"}))

    def test_what_is_declared_is_let_out_and_nothing_else(self):
        self.assertFalse(self.problems(["ferrule_a", "ferrule_b"], ["ferrule_a", "ferrule_b"]))
        self.assertTrue(self.problems(["ferrule_a", "ferrule_b"], ["ferrule_a"]))
        self.assertTrue(self.problems(["ferrule_a"], ["ferrule_a", "ferrule_b"]))


class Mutants(unittest.TestCase):
    def problems(self, source):
        table = ("import dataclasses\n@dataclasses.dataclass\nclass Mutation:\n"
                 "    name: str\n    file: str\n    text: str\n"
                 "MUTATIONS = [Mutation('P1', 'src/a.cc', 'x < 1')]\n")
        return mutants.check(Tree(files={mutants.TABLE: table, "src/a.cc": source}))

    def test_the_text_of_a_mutant_stands_once(self):
        self.assertFalse(self.problems("if (x < 1) {}"))
        self.assertTrue(self.problems("if (x < 2) {}"))
        self.assertTrue(self.problems("if (x < 1 && x < 1) {}"))


if __name__ == "__main__":
    unittest.main()
