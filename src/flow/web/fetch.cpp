// The answer is parsed as it comes, by Boost.Beast, which gets bytes only: the connection is the seam's, so the address
// guard and the judgement of the certificate are ours.
#include "web/fetch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/verb.hpp>

#include "base/bytes.hpp"
#include "dns/evidence.hpp"
#include "ground/gate.hpp"
#include "web/connect.hpp"

namespace ligase::web {
namespace {

namespace http = boost::beast::http;
using Parser = http::response_parser<http::string_body>;

constexpr std::uint32_t kMostHeader = 16 * 1024;
constexpr std::size_t kMostTarget = 4 * 1024;
constexpr unsigned kMostInterim = 4;  // 1xx answers before the final one (RFC 9110 §15.2)
// What chunk headers and interim answers may add to the body, beside its own length again.
constexpr std::size_t kMostFraming = 128 * 1024;

Error failed(std::string detail) { return {Reason::web_failed, std::move(detail)}; }

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

// "host", or "host:port" where the port is not the scheme's own (RFC 9110 §7.2).
std::string authority(const WebRequest& request) {
  const bool is_usual = request.port == (request.over_tls ? 443 : 80);
  return is_usual ? request.host : fmt::format("{}:{}", request.host, request.port);
}

std::string request_text(const WebRequest& request) {
  std::string out = fmt::format(
      "{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: ligase\r\nAccept-Encoding: identity\r\nConnection: close\r\n",
      request.method, request.target, authority(request));
  if (!request.accept.empty()) out += fmt::format("Accept: {}\r\n", request.accept);
  if (!request.body.empty())
    out += fmt::format("Content-Type: {}\r\nContent-Length: {}\r\n", request.content_type, request.body.size());
  out += "\r\n";
  return out + request.body;
}

// One answer on one connection. The connection is destroyed before it.
class Exchange final : public seams::Receiver {
 public:
  Exchange(const ground::Ground& ground, const WebRequest& request)
      : secured(std::make_shared<ground::Gate<Result<seams::TlsFacts>>>(ground.world.executor)),
        answered(std::make_shared<ground::Gate<Result<WebAnswer>>>(ground.world.executor)),
        host_(request.host),
        most_body_(request.most_body) {
    renew();
  }

  void on_bytes(std::string_view bytes) override {
    if (is_over_) return;
    received_ += bytes.size();
    if (received_ > 2 * most_body_ + kMostFraming) return give_up(failed(host_ + " sends more than it was asked for"));
    pending_ += bytes;
    while (!is_over_ && !pending_.empty()) {
      boost::system::error_code error;
      pending_.erase(0, parser_->put(boost::asio::buffer(pending_), error));
      if (error == http::error::need_more) return;
      if (error) return give_up(described(error));
      if (parser_->is_done()) finish();
    }
  }
  void on_tls(const Result<seams::TlsFacts>& facts) override { secured->open(facts); }
  void on_writable() override {}
  void on_closed(const Error& why) override {
    secured->open(tl::unexpected(why));
    if (is_over_) return;
    // Only an orderly end may mark the end of a body: over TLS a cut would do for anybody on the path.
    boost::system::error_code error;
    if (why.reason == Reason::network_closed && parser_->got_some()) parser_->put_eof(error);
    if (error || !parser_->is_done()) return give_up(failed(fmt::format("{} ended its answer early", host_)));
    finish();
  }

  std::shared_ptr<ground::Gate<Result<seams::TlsFacts>>> secured;
  std::shared_ptr<ground::Gate<Result<WebAnswer>>> answered;

 private:
  void renew() {
    parser_.emplace();
    parser_->header_limit(kMostHeader);
    parser_->body_limit(most_body_);
    parser_->eager(true);
  }
  void give_up(Error why) {
    is_over_ = true;
    pending_.clear();
    answered->open(tl::unexpected(std::move(why)));
  }
  Error described(const boost::system::error_code& error) const {
    if (error == http::error::body_limit)
      return failed(fmt::format("the answer of {} is longer than {} bytes", host_, most_body_));
    if (error == http::error::header_limit)
      return failed(fmt::format("the answer of {} has a header longer than {} bytes", host_, kMostHeader));
    return failed(fmt::format("the answer of {} is no HTTP: {}", host_, error.message()));
  }

  void finish() {
    const auto& message = parser_->get();
    if (message.result_int() < 200) {
      if (message.result_int() == 101 || ++interim_ > kMostInterim)
        return give_up(failed(fmt::format("{} sends {} where an answer was due", host_, message.result_int())));
      return renew();
    }
    // What was not asked for is not unpacked (AB-152).
    for (const auto& [field, only] :
         {std::pair{http::field::content_encoding, "identity"}, std::pair{http::field::transfer_encoding, "chunked"}}) {
      const auto said = message.find(field);
      if (said != message.end() && !boost::beast::iequals(said->value(), only))
        return give_up(failed(
            fmt::format("the answer of {} is encoded as \"{}\"", host_, escaped(std::string(said->value()), 64))));
    }
    if (message.count(http::field::location) > 1) return give_up(failed(host_ + " names several locations"));
    is_over_ = true;
    WebAnswer answer{message.result_int(), std::string(message[http::field::location]),
                     std::string(message[http::field::content_type]), std::move(parser_->get().body())};
    answered->open(std::move(answer));
  }

  std::string host_;
  std::size_t most_body_;
  std::optional<Parser> parser_;
  std::string pending_;  // received and not yet parsed: less than a header
  std::size_t received_ = 0;
  unsigned interim_ = 0;
  bool is_over_ = false;
};

Task<void> look_up(ground::Ground& ground, proof::SrvTarget target,
                   std::shared_ptr<ground::Gate<dns::HostFacts>> found) {
  found->open(
      co_await dns::look_up_host(ground.world.resolver, std::move(target), proof::Security::insecure, ground.wall()));
}

Task<Result<std::vector<Address>>> find_addresses(ground::Ground& ground, HostName host, std::uint16_t port,
                                                  Instant deadline) {
  auto found = std::make_shared<ground::Gate<dns::HostFacts>>(ground.world.executor);
  proof::SrvTarget target{host, port, 0, 0};
  ground::Scope::Lost lost = [found](const Error& why) {
    dns::HostFacts none;
    none.failure = why;
    found->open(std::move(none));
  };
  ground.spawn(look_up(ground, std::move(target), found), std::move(lost));
  const auto facts = co_await found->wait(ground.world.clock, deadline);
  if (!facts && facts.error() == ground::Missed::late)
    co_return fail(Reason::dns_indeterminate, fmt::format("the addresses of {} did not come in time", host.text()));
  if (!facts) co_return fail(Reason::cancelled, "the look-up was given up");
  if (facts->failure) co_return fail(*facts->failure);
  co_return facts->addresses;
}

// RFC 9110 §4.3.4: the host alone is the reference identity, whoever sent us there.
Result<void> judge_host(ground::Ground& ground, const seams::TlsFacts& facts, const HostName& host) {
  if (facts.peer_chain == nullptr)
    return fail(Reason::certificate_none, fmt::format("the web server {} shows no certificate", host.text()));
  const Result<WallTime> path = ground.rules.paths.verify(*facts.peer_chain, Role::receiving, ground.wall());
  if (!path)
    return fail(path.error().reason,
                fmt::format("the certificate of the web server {}: {}", host.text(), path.error().detail));
  if (!facts.peer_chain->names_host(host))
    return fail(Reason::pkix_name, fmt::format("the certificate of the web server {} does not name it", host.text()));
  return {};
}

}  // namespace

Task<Result<WebAnswer>> fetch_once(ground::Ground& ground, WebRequest request, Instant deadline) {
  const Result<HostName> host = HostName::parse(request.host);
  if (!host) co_return fail(host.error());
  if (!request.target.starts_with('/') || request.target.size() > kMostTarget || !is_printable(request.target))
    co_return fail(failed(fmt::format("the path asked of {} is none", host->text())));
  request.host = host->text();

  const Result<std::vector<Address>> addresses = co_await find_addresses(ground, *host, request.port, deadline);
  if (!addresses) co_return fail(addresses.error());
  // Outlives the connection, whose callbacks come here.
  Exchange exchange(ground, request);
  const Ports ports = request.over_tls ? Ports::usual : Ports::and_http;
  Result<Connected> connected = co_await connect_any(ground, *addresses, request.port, deadline, ports, request.by);
  if (!connected)
    co_return fail(connected.error().reason, fmt::format("{}: {}", host->text(), connected.error().detail));
  const std::unique_ptr<seams::Connection> connection = std::move(connected->connection);
  const std::unique_ptr<ground::Attempts::Attempt> attempt = std::move(connected->attempt);
  const auto blamed = [&](Error why) -> tl::unexpected<Error> {
    attempt->failed(why);
    return fail(std::move(why));
  };
  connection->start(exchange);
  if (request.over_tls) {
    seams::TlsRequest tls{Role::initiating, std::nullopt, request.host, "http/1.1", false};
    connection->start_tls(std::move(tls));
    const auto facts = co_await exchange.secured->wait(ground.world.clock, deadline);
    if (!facts && facts.error() == ground::Missed::late)
      co_return blamed(
          {Reason::tls_timeout, fmt::format("the web server {} did not finish the TLS handshake", host->text())});
    if (!facts) co_return fail(Reason::cancelled, "the handshake was given up");
    if (!*facts) co_return blamed({facts->error().reason, fmt::format("{}: {}", host->text(), facts->error().detail)});
    attempt->arrived();
    if (const Result<void> judged = judge_host(ground, **facts, *host); !judged) co_return blamed(judged.error());
    attempt->succeeded();  // it has a certificate for this very name: we are meant to come
  }
  connection->write(request_text(request));
  auto answer = co_await exchange.answered->wait(ground.world.clock, deadline);
  if (!answer && answer.error() == ground::Missed::late)
    co_return blamed(failed(fmt::format("{} did not answer in time", host->text())));
  if (!answer) co_return fail(Reason::cancelled, "the answer was given up");
  if (!*answer) co_return blamed(answer->error());
  attempt->succeeded();
  co_return *std::move(answer);
}

}  // namespace ligase::web
