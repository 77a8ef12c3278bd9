// A name server on loopback, in the loop of a test.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "proxy/datagrams.h"
#include "proxy/services_testing.h"

namespace ferrule::proxy {

/// Answers each question with what `answer` makes of it; "" leaves it without one.
class TestNameServer {
 public:
  using Answer = std::function<std::string(const std::string& question)>;

  TestNameServer(TestServices& test, const Endpoint& at, Answer answer)
      : reach_(test.reach), socket_(test.reach.open_udp(at).value()), answer_(std::move(answer)) {
    watched_ = Watched(test.loop, socket_.get(), {}, [this](const io::Ready&) { take(); });
  }

  [[nodiscard]] Endpoint at() const { return netstack::local_end_of(socket_.get()); }
  [[nodiscard]] unsigned asked() const noexcept { return asked_; }

 private:
  void take() {
    while (const auto datagram = receive_datagram(reach_, socket_.get())) {
      ++asked_;
      const std::string answer = answer_(std::string(
          reinterpret_cast<const char*>(datagram->bytes.data()), datagram->bytes.size()));
      if (answer.empty()) continue;
      const Bytes bytes(reinterpret_cast<const std::uint8_t*>(answer.data()), answer.size());
      (void)reach_.send(socket_.get(), datagram->from, {}, bytes);
    }
  }

  netstack::Reach& reach_;
  io::UniqueFd socket_;
  Answer answer_;
  Watched watched_;
  unsigned asked_ = 0;
};

/// The question as an answer with a code, and no records.
inline std::string dns_failure(std::string question, int code) {
  question[2] = static_cast<char>(question[2] | 0x80);
  question[3] = static_cast<char>(code);
  return question;
}

/// One address for a question that asks for A; none for one that asks for AAAA.
inline std::string dns_address(const std::string& question, std::string_view four_bytes,
                               char ttl_s = 60) {
  const std::size_t name_end = question.find('\0', 12);
  const bool is_a = question[name_end + 2] == 1;
  std::string answer = dns_failure(question.substr(0, name_end + 5), 0);
  answer[7] = is_a ? 1 : 0;                 // answers
  answer[9] = answer[10] = answer[11] = 0;  // nothing else
  if (!is_a) return answer;
  answer += std::string("\xc0\x0c\0\1\0\1\0\0\0", 9) + ttl_s + std::string("\0\4", 2);
  return answer += four_bytes;
}

}  // namespace ferrule::proxy
