// The program's own stream machine negotiates; only the claim is made by hand.
#include "lab/forger.hpp"

#include <variant>

#include "base/overloaded.hpp"
#include "lab/authority.hpp"
#include "net/connection.hpp"
#include "stream/machine.hpp"

namespace ligase::lab {
namespace {

using boost::asio::ip::tcp;

constexpr const char* kForgersAddress = "127.0.0.66";

Instant now() { return Instant(std::chrono::steady_clock::now().time_since_epoch()); }

Result<std::shared_ptr<const tls::Contexts>> credentials(const std::string& domain) {
  const auto identity = self_signed({.hosts = {domain}});
  if (!identity) return fail(identity.error());
  return tls::Contexts::make({identity->certificate, identity->private_key, "the forger's certificate"}, {},
                             tls::MinimumVersion::tls12);
}

}  // namespace

class Forger::Impl final : public seams::Receiver, private stream::StanzaSink {
 public:
  Impl(Domain claimed, Domain target)
      : claimed_(std::move(claimed)),
        target_(std::move(target)),
        machine_(stream::Machine::initiate({}, claimed_, target_, Encryption::required, now())) {}

  Result<void> connect(std::uint16_t port) {
    auto contexts = credentials(std::string(claimed_.text()));
    if (!contexts) return fail(contexts.error());
    loop_.set_certificates(std::move(*contexts));
    tcp::socket socket(loop_.context());
    boost::system::error_code error;
    const tcp::endpoint gateway(boost::asio::ip::make_address(kLoopback), port);
    socket.open(tcp::v4(), error);
    if (!error) socket.bind({boost::asio::ip::make_address(kForgersAddress), 0}, error);
    if (!error) socket.connect(gateway, error);
    if (error) return fail(Reason::network_closed, "the forger cannot connect: " + error.message());
    const auto remote = Endpoint::parse(std::string(kLoopback) + ":" + std::to_string(port));
    if (!remote) return fail(remote.error());
    connection_ = std::make_unique<net::TcpConnection>(loop_, std::move(socket), *remote);
    connection_->start(*this);
    perform(machine_.start());
    return {};
  }

  void step() { loop_.context().poll(); }

  std::optional<stream::DbVerdict> answer;
  std::optional<Error> failure;

 private:
  void on_bytes(std::string_view bytes) override { perform(machine_.feed(bytes, *this, now())); }
  void on_tls(const Result<seams::TlsFacts>& facts) override {
    if (!facts) return on_closed(facts.error());
    perform(machine_.on_tls(now()));
  }
  void on_writable() override {}
  void on_closed(const Error& why) override {
    if (!answer && !failure) failure = why;
  }
  xml::Take stanza(const xml::ElementView&, stream::StanzaKind) override { return xml::Take::more; }

  void perform(stream::Actions actions) {
    for (;;) {
      for (stream::Action& action : actions) carry_out(action);
      if (!machine_.has_more()) return;
      actions = machine_.resume(*this, now());
    }
  }

  void carry_out(stream::Action& action) {
    std::visit(Overloaded{
                   [&](stream::Send& send) { connection_->write(send.bytes); },
                   [&](stream::StartTls&) {
                     connection_->start_tls({Role::initiating, std::nullopt, std::string(target_.text()), {}});
                   },
                   [&](stream::AskServerVerdict&) {
                     perform(machine_.go_on(stream::External::never, stream::Bidi::never, now()));
                   },
                   [&](stream::Opened&) {
                     connection_->write(stream::ask_result(claimed_, target_, std::string(64, 'f'), {}));
                   },
                   [&](stream::ResultAnswered& answered) { answer = answered.result.verdict; },
                   [&](stream::Ended& ended) { on_closed(ended.why); },
                   [&](auto&) {},  // nothing else is said to him that he would heed
               },
               action);
  }

  net::Loop loop_;
  Domain claimed_, target_;
  stream::Machine machine_;
  std::unique_ptr<net::TcpConnection> connection_;
};

Forger::Forger(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Forger::~Forger() = default;

Result<std::unique_ptr<Forger>> Forger::start(const Plan& plan) {
  auto claimed = Domain::parse(plan.broken_domain());
  auto target = Domain::parse(plan.providers[0].customers.front());
  if (!claimed) return fail(claimed.error());
  if (!target) return fail(target.error());
  auto impl = std::make_unique<Impl>(std::move(*claimed), std::move(*target));
  if (auto connected = impl->connect(plan.providers[0].s2s_port); !connected) return fail(connected.error());
  return std::unique_ptr<Forger>(new Forger(std::move(impl)));
}

void Forger::step() { impl_->step(); }
const std::optional<stream::DbVerdict>& Forger::answer() const noexcept { return impl_->answer; }
const std::optional<Error>& Forger::failure() const noexcept { return impl_->failure; }

}  // namespace ligase::lab
