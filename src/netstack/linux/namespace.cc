#include "netstack/linux/namespace.h"

#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <climits>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "netstack/linux/inside.h"
#include "netstack/linux/passing.h"

namespace ferrule::netstack {

namespace {

constexpr std::size_t kSpareStreams = 8;  // asked for at once

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace

Result<Namespace> Namespace::open(const NamespaceSettings& settings) {
  Result<Pair> pair = make_pair();
  if (!pair) return std::unexpected(pair.error());
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return std::unexpected(system_error(errno, "fork"));
  if (child == 0) {
    pair->ours.reset();
    live_inside(settings, std::move(pair->theirs), parent);
  }
  Namespace made(child, std::move(pair->ours));
  pair->theirs.reset();
  Result<PassedMessage> hello = receive_message(made.control_.get());
  if (!hello) return std::unexpected(hello.error());
  if (hello->text.empty()) {
    return std::unexpected(make_error(ECHILD, "the helper in the namespace ended early"));
  }
  const Hello word = static_cast<Hello>(hello->text[0]);
  if (word == Hello::refused || hello->descriptors.size() < 2) {
    return std::unexpected(make_error(EPERM, hello->text.substr(1)));
  }
  made.notes_ = lines_of(std::string_view(hello->text).substr(1));
  made.tun_ = std::move(hello->descriptors[0]);
  made.network_ = std::move(hello->descriptors[1]);
  std::size_t next = 2;
  const auto take = [&](bool there) {
    return there && next < hello->descriptors.size() ? std::move(hello->descriptors[next++])
                                                     : io::UniqueFd();
  };
  made.mounts_ = take(settings.files.has_value());
  made.user_ = take(word == Hello::with_user);
  return made;
}

Namespace::Namespace(Namespace&& other) noexcept
    : helper_(std::exchange(other.helper_, -1)),
      control_(std::move(other.control_)),
      tun_(std::move(other.tun_)),
      user_(std::move(other.user_)),
      network_(std::move(other.network_)),
      mounts_(std::move(other.mounts_)),
      notes_(std::move(other.notes_)) {}

Namespace::~Namespace() {
  if (helper_ < 0) return;
  control_.reset();  // which tells it to end
  int status = 0;
  while (::waitpid(helper_, &status, 0) < 0 && errno == EINTR) {
  }
}

Result<std::vector<io::UniqueFd>> Namespace::sockets(int family, int type, std::size_t count) {
  const std::array<char, 3> request{static_cast<char>(family), static_cast<char>(type),
                                    static_cast<char>(count)};
  if (auto sent = send_message(control_.get(), {request.data(), request.size()}); !sent) {
    return std::unexpected(sent.error());
  }
  Result<PassedMessage> answer = receive_message(control_.get());
  if (!answer) return std::unexpected(answer.error());
  if (!answer->descriptors.empty()) return std::move(answer->descriptors);
  if (answer->text.empty()) {
    return std::unexpected(make_error(ECHILD, "the helper in the namespace has ended"));
  }
  return std::unexpected(
      system_error(static_cast<unsigned char>(answer->text[0]), "open a socket in the tunnel"));
}

std::vector<int> Namespace::doors() const {
  std::vector<int> doors;
  // The user namespace first: the others are entered by its rights.
  for (const io::UniqueFd* door : {&user_, &network_, &mounts_}) {
    if (*door) doors.push_back(door->get());
  }
  return doors;
}

Result<void> Namespace::enter(const std::vector<io::UniqueFd>& doors) {
  std::array<char, PATH_MAX> folder;
  const bool has_folder = ::getcwd(folder.data(), folder.size()) != nullptr;
  for (const io::UniqueFd& door : doors) {
    if (::setns(door.get(), 0) != 0) {
      return std::unexpected(system_error(errno, "enter the tunnel's namespace"));
    }
  }
  if (has_folder && ::chdir(folder.data()) != 0) {
    return std::unexpected(system_error(errno, std::string("go back to ") + folder.data()));
  }
  return {};
}

Result<io::UniqueFd> NamespaceReach::make(int family, int type) {
  auto kind = std::ranges::find_if(
      kinds_, [&](const Kind& known) { return known.family == family && known.type == type; });
  if (kind == kinds_.end()) kind = kinds_.insert(kinds_.end(), Kind{family, type, {}});
  if (kind->spare.empty()) {
    auto more = inside_.sockets(family, type, type == SOCK_STREAM ? kSpareStreams : 1);
    if (!more) return std::unexpected(more.error());
    kind->spare = std::move(*more);
  }
  io::UniqueFd socket = std::move(kind->spare.back());
  kind->spare.pop_back();
  return socket;
}

}  // namespace ferrule::netstack
