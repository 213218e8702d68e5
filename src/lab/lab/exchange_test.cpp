#include "lab/exchange.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <map>
#include <memory>

#include "base/bytes.hpp"
#include "lab/loop.hpp"

namespace ligase::lab {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

std::string between(std::string_view text, std::string_view before, std::string_view after) {
  const auto start = text.find(before);
  if (start == std::string_view::npos) return {};
  const auto from = start + before.size();
  return std::string(text.substr(from, text.find(after, from) - from));
}

// An XEP-0114 server that passes every message on to the component of its `to`, unless the test says otherwise.
class Switchboard {
 public:
  enum class Conduct { pass_on, bounce, twice, lose, refuse };

  Switchboard(Executor executor, std::string secret)
      : acceptor_(executor, tcp::endpoint(asio::ip::address_v4::loopback(), 0)), secret_(std::move(secret)) {
    accept();
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  Conduct conduct = Conduct::pass_on;
  std::vector<std::string> seen;  // ids, in order

 private:
  struct Line : std::enable_shared_from_this<Line> {
    explicit Line(tcp::socket taken) : socket(std::move(taken)) {}
    tcp::socket socket;
    std::string domain, in;
    std::array<char, 4096> block;
  };

  void accept() {
    acceptor_.async_accept([this](const boost::system::error_code& error, tcp::socket socket) {
      if (error) return;
      socket.set_option(tcp::no_delay(true));
      read(std::make_shared<Line>(std::move(socket)));
      accept();
    });
  }
  void read(std::shared_ptr<Line> line) {
    auto* raw = line.get();
    raw->socket.async_read_some(asio::buffer(raw->block),
                                [this, line](const boost::system::error_code& error, std::size_t n) {
                                  if (error) return;
                                  line->in.append(line->block.data(), n);
                                  while (step(*line)) {
                                  }
                                  read(line);
                                });
  }
  static void write(Line& line, const std::string& text) { asio::write(line.socket, asio::buffer(text)); }

  bool step(Line& line) {
    const bool is_header = line.domain.empty();
    const bool is_handshake = line.in.starts_with("<handshake>");
    const std::string_view end = is_header ? ">" : is_handshake ? "</handshake>" : "</message>";
    const auto at = line.in.find(end);
    if (at == std::string::npos) return false;
    const std::string element = line.in.substr(0, at + end.size());
    line.in.erase(0, element.size());
    if (is_header) {
      line.domain = between(element, " to='", "'");
      write(line,
            "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream="
            "'http://etherx.jabber.org/streams' from='" +
                line.domain + "' id='k9'>");
    } else if (is_handshake) {
      shake(line, between(element, "<handshake>", "<"));
    } else {
      message(element);
    }
    return true;
  }
  void shake(Line& line, const std::string& digest) {
    Bytes expected(20);
    const std::string text = "k9" + secret_;
    EVP_Digest(text.data(), text.size(), expected.data(), nullptr, EVP_sha1(), nullptr);
    if (conduct == Conduct::refuse || digest != hex(expected))
      return write(line,
                   "<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
                   "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>no</text></stream:error></stream:stream>");
    lines_[line.domain] = line.shared_from_this();
    write(line, "<handshake/>");
  }
  void message(const std::string& element) {
    const std::string from = between(element, "from='", "'"), to = between(element, " to='lab@", "'"),
                      id = between(element, "id='", "'");
    seen.push_back(id);
    switch (conduct) {
      case Conduct::twice:
        write(*lines_.at(to), element);
        [[fallthrough]];
      case Conduct::pass_on:
        return write(*lines_.at(to), element);
      case Conduct::bounce:
        return write(*lines_.at(between(from, "@", "/")),
                     "<message type='error' from='lab@" + to + "' to='" + from + "' id='" + id +
                         "'><error type='cancel'><remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
                         "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>no such host</text></error></message>");
      case Conduct::lose:
      case Conduct::refuse:
        return;
    }
  }

  tcp::acceptor acceptor_;
  std::string secret_;
  std::map<std::string, std::shared_ptr<Line>> lines_;
};

class LabExchange : public ::testing::Test {
 protected:
  LabExchange() : switchboard_(loop_.executor(), "secret"), plan_(make_plan({.domains_one = 3, .domains_two = 2})) {
    plan_.component_secret = "secret";
    for (Provider& provider : plan_.providers) provider.component_port = switchboard_.port();
    exchange_ = std::make_unique<Exchange>(plan_, 2, loop_.executor());
  }
  const Ledger& ledger() const { return exchange_->ledger(); }
  void connect() {
    exchange_->connect();
    ASSERT_EQ(loop_.until([&] { return exchange_->is_connected(); }, 30s), Loop::Outcome::done);
  }
  void run(const std::function<bool()>& is_done) { EXPECT_EQ(loop_.until(is_done, 30s), Loop::Outcome::done); }

  Loop loop_;
  Switchboard switchboard_;
  Plan plan_;
  std::unique_ptr<Exchange> exchange_;
};

TEST_F(LabExchange, FirstStanza_GoesAlone_ThenAllOthersEachOnce) {
  connect();
  exchange_->send_first();
  run([&] { return ledger().delivered() == 1; });
  EXPECT_THAT(switchboard_.seen, ElementsAre("0-0"));
  exchange_->send_rest();
  run([&] { return ledger().is_complete(); });
  EXPECT_EQ(ledger().delivered(), 24u);
  EXPECT_EQ(switchboard_.seen.size(), 24u);
  EXPECT_TRUE(ledger().faults().empty());
  EXPECT_TRUE(ledger().first_time(0));
  EXPECT_TRUE(ledger().median_of_further());
}

TEST_F(LabExchange, ProvidersCustomersThatComeAgain_GoOnWhereTheyWere) {
  connect();
  exchange_->send_first();
  exchange_->send_rest(1);
  run([&] { return ledger().is_complete_to(1); });
  EXPECT_EQ(ledger().sent(), 12u);
  EXPECT_FALSE(ledger().is_complete());
  exchange_->disconnect(1);
  EXPECT_FALSE(exchange_->is_connected());
  exchange_->reconnect(1);
  run([&] { return exchange_->is_connected(); });
  exchange_->send_rest();
  run([&] { return ledger().is_complete(); });
  EXPECT_EQ(ledger().delivered(), 24u);
  EXPECT_TRUE(ledger().faults().empty());
  EXPECT_TRUE(exchange_->failures().empty());
}

TEST_F(LabExchange, Bounces_AreCountedWithTheirText) {
  switchboard_.conduct = Switchboard::Conduct::bounce;
  connect();
  exchange_->send_rest();
  run([&] { return ledger().is_complete(); });
  EXPECT_EQ(ledger().bounced(), 24u);
  EXPECT_THAT(ledger().bounce_texts(), ElementsAre(Pair("remote-server-not-found: no such host", 24u)));
}

TEST_F(LabExchange, StanzaThatComesTwice_IsAFault) {
  switchboard_.conduct = Switchboard::Conduct::twice;
  connect();
  exchange_->send_first();
  run([&] { return ledger().faults().contains("twice"); });
  EXPECT_EQ(ledger().delivered(), 1u);
}

TEST_F(LabExchange, StanzasThatNeverCome_AreLost) {
  switchboard_.conduct = Switchboard::Conduct::lose;
  connect();
  exchange_->send_rest();
  run([&] { return switchboard_.seen.size() == 24; });
  EXPECT_EQ(ledger().lost(), 24u);
  EXPECT_FALSE(ledger().is_complete());
}

TEST_F(LabExchange, RefusedHandshake_IsAFailureWithTheGatewaysWords) {
  switchboard_.conduct = Switchboard::Conduct::refuse;
  exchange_->connect();
  run([&] { return !exchange_->failures().empty(); });
  EXPECT_THAT(exchange_->failures().front(), HasSubstr("stream error not-authorized: no"));
}

TEST_F(LabExchange, NobodyListening_IsAFailure) {
  plan_.providers[0].component_port = 1;
  Exchange exchange(plan_, 1, loop_.executor());
  exchange.connect();
  run([&] { return !exchange.failures().empty(); });
  EXPECT_THAT(exchange.failures().front(), HasSubstr("cannot connect"));
}

TEST_F(LabExchange, Closed_NothingFurtherIsHeard) {
  connect();
  exchange_->close();
  exchange_->send_rest();
  EXPECT_EQ(loop_.until([] { return false; }, 20ms), Loop::Outcome::out_of_time);
  EXPECT_EQ(ledger().sent(), 0u);
  EXPECT_TRUE(exchange_->failures().empty());
}

}  // namespace
}  // namespace ligase::lab
