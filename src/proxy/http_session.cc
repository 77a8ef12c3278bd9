#include "proxy/http_session.h"

#include <memory>
#include <utility>

#include "proxy/dialer.h"
#include "proxy/handshake.h"
#include "proxy/http_request.h"
#include "proxy/relay.h"

namespace ferrule::proxy {

namespace {

constexpr std::string_view kEstablished = "HTTP/1.1 200 Connection established\r\n\r\n";

class HttpSession final : public Handshake {
 public:
  HttpSession(Services& services, Credentials& credentials, io::UniqueFd client) noexcept
      : Handshake(services, std::move(client), kMaxHeadBytes), credentials_(credentials) {}

 private:
  std::shared_ptr<HttpSession> self() {
    return std::static_pointer_cast<HttpSession>(shared_from_this());
  }
  void heard() override;
  void said_too_much() override { (void)answer(http_answer(431, "The head is too long.\n")); }
  void closing() override { dialling_.reset(); }
  void judge();
  void connect();
  void connected(Result<io::UniqueFd> made);
  void refuse(int status, std::string_view text) {
    if (answer(http_answer(status, text))) turn_away();
  }

  Credentials& credentials_;
  HttpRequest request_;
  Dialling dialling_;
};

void HttpSession::heard() {
  const auto alive = shared_from_this();
  HttpHead head = parse_http_head(input_);
  if (head.outcome == HttpHead::Outcome::more) return;
  if (head.outcome == HttpHead::Outcome::bad) {
    return refuse(head.status,
                  "This is an HTTP proxy: it takes CONNECT, and requests with a whole URL "
                  "(http://...).\n");
  }
  request_ = std::move(head.request);
  input_.erase(0, request_.size);
  wait_with_it();
  if (!credentials_.are_wanted()) return connect();
  judge();
}

void HttpSession::judge() {
  const auto given = parse_basic(request_.authorization);
  if (!given) return refuse(407, "A password is needed.\n");
  credentials_.check(given->user, given->password, [session = self()](bool is_good) {
    if (session->client() < 0) return;
    if (is_good) return session->connect();
    session->refuse(407, "This is not the password.\n");
  });
}

void HttpSession::connect() {
  dialling_ =
      dial(services_, services_.inside, request_.target,
           [session = self()](Result<io::UniqueFd> made) { session->connected(std::move(made)); });
}

void HttpSession::connected(Result<io::UniqueFd> made) {
  if (!made) return refuse(http_status_of(made.error().code), made.error().what + "\n");
  if (request_.is_connect && !answer(kEstablished)) return;
  start_relay(services_, take_client(), std::move(*made), request_.passed_on + input_);
}

}  // namespace

void serve_http(Services& services, Credentials& credentials, io::UniqueFd client) {
  std::make_shared<HttpSession>(services, credentials, std::move(client))->begin();
}

}  // namespace ferrule::proxy
