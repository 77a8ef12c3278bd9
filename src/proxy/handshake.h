// A client before its stream begins: its words are read, and what waits for them has an end.
#pragma once

#include <memory>
#include <string>

#include "io/linux/fd.h"
#include "proxy/services.h"

namespace ferrule::proxy {

/// The socket of a client, what it has said, and answers to it. A protocol is made of it by telling what
/// to do with words (`heard`). It lives in what it waits for, and ends with `close`, or when the client
/// goes, is silent for too long, or has taken over.
class Handshake : public std::enable_shared_from_this<Handshake> {
 public:
  virtual ~Handshake() = default;
  void begin();

 protected:
  Handshake(Services& services, io::UniqueFd client, std::size_t most_bytes) noexcept
      : services_(services), client_(std::move(client)), most_bytes_(most_bytes) {}

  /// More has been said: `input_`.
  virtual void heard() = 0;
  /// The client has said more than it may: an answer, if the protocol has one.
  virtual void said_too_much() {}
  /// What waits for others is to be given up.
  virtual void closing() {}

  /// Sends an answer; false: the client is gone, and all of this with it.
  bool answer(std::string_view text);
  /// Nothing is to be read for a while: the client waits for us. It may still go.
  void wait_with_it();
  void read_on();
  void close();
  /// Counts as a client that was turned away, and ends.
  void turn_away();
  /// The client's socket, for its stream: this ends.
  [[nodiscard]] io::UniqueFd take_client();

  Services& services_;
  std::string input_;

 private:
  void ready(const io::Ready& ready);

  io::UniqueFd client_;
  std::size_t most_bytes_;
  Watched watched_;
  Timer patience_;
  bool is_reading_ = true;

 protected:
  [[nodiscard]] int client() const noexcept { return client_.get(); }
};

}  // namespace ferrule::proxy
