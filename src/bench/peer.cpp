// Certificates are shown and never judged here: who is under test is the gateway.
#include "peer.hpp"

#include <cstring>
#include <variant>

#include "base/overloaded.hpp"
#include "link/component.hpp"
#include "stream/dialback.hpp"

namespace ligase::bench {
namespace {

Instant now() { return Instant(std::chrono::steady_clock::now().time_since_epoch()); }

constexpr std::size_t kAhead = 512 * 1024;  // bytes queued: above the connection's high mark, so that it calls again

}  // namespace

void Counter::add(std::string_view bytes) noexcept {
  while (matched_ > 0 && !bytes.empty()) {  // an end that the cut went through; no other '<' stands in it
    matched_ = bytes.front() == kEnd[matched_] ? matched_ + 1 : 0;
    bytes.remove_prefix(1);
    if (matched_ == kEnd.size()) {
      ++count_;
      matched_ = 0;
    }
  }
  while (!bytes.empty()) {
    const void* found = memmem(bytes.data(), bytes.size(), kEnd.data(), kEnd.size());
    if (found == nullptr) break;
    ++count_;
    bytes.remove_prefix(static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data()) + kEnd.size());
  }
  const std::size_t last = bytes.rfind('<');
  if (last != std::string_view::npos && kEnd.starts_with(bytes.substr(last))) matched_ = bytes.size() - last;
}

void Pump::start(seams::Connection& connection, std::string block, std::uint64_t messages_per_block) {
  connection_ = &connection;
  block_ = std::move(block);
  messages_ = messages_per_block;
  is_on_ = true;
  go_on();
}

void Pump::go_on() {
  while (is_on_ && connection_->queued() < kAhead) {
    connection_->write(block_);
    sent_ += messages_;
  }
}

Peer::Peer(Role role, std::unique_ptr<seams::Connection> connection, Domain local, Domain remote)
    : connection_(std::move(connection)),
      local_(std::move(local)),
      remote_(std::move(remote)),
      machine_(role == Role::initiating
                   ? stream::Machine::initiate({}, local_, remote_, Encryption::required, now())
                   : stream::Machine::receive(
                         {}, *this, [] { return std::string("bench-stream-of-one-run"); }, now())) {}

void Peer::start() {
  connection_->start(*this);
  if (machine_.role() == Role::initiating) perform(machine_.start());
}

void Peer::on_bytes(std::string_view bytes) {
  if (is_ready_) return counter_.add(bytes);
  perform(machine_.feed(bytes, *this, now()));
}

void Peer::on_tls(const Result<seams::TlsFacts>& facts) {
  if (!facts) return on_closed(facts.error());
  perform(machine_.on_tls(now()));
}

void Peer::on_closed(const Error& why) {
  pump_.stop();
  if (failure_.empty()) failure_ = std::string(name_of(why.reason)) + ": " + why.detail;
}

xml::Take Peer::stanza(const xml::ElementView&, stream::StanzaKind) {
  is_ready_ = true;
  return xml::Take::more;
}

void Peer::perform(stream::Actions actions) {
  for (;;) {
    for (stream::Action& action : actions) carry_out(action);
    if (!machine_.has_more()) return;
    actions = machine_.resume(*this, now());
  }
}

void Peer::carry_out(stream::Action& action) {
  std::visit(Overloaded{
                 [&](stream::Send& send) { connection_->write(send.bytes); },
                 [&](stream::StartTls&) {
                   seams::TlsRequest request{machine_.role(), std::nullopt, {}, {}};
                   if (machine_.role() == Role::initiating) request.sni = std::string(remote_.text());
                   connection_->start_tls(std::move(request));
                 },
                 [&](stream::AskServerVerdict&) {
                   perform(machine_.go_on(stream::External::usual, stream::Bidi::never, now()));
                 },
                 [&](stream::AskClientVerdict&) { perform(machine_.offer_features(true, now())); },
                 [&](stream::AskAuthentication&) { perform(machine_.authenticate(Result<void>{}, now())); },
                 [&](stream::Authenticated&) { machine_.pair_proven(now()); },
                 [&](stream::ExternalRefused& refused) { failure_ = "EXTERNAL was refused: " + refused.text; },
                 [&](stream::Opened&) { is_ready_ = machine_.role() == Role::initiating; },
                 [&](stream::Claimed& claimed) {
                   const stream::DbResult& result = claimed.result;
                   connection_->write(
                       stream::answer_result(result.sender, result.target, {stream::DbType::valid}, result.spelling));
                 },
                 [&](stream::Ended& ended) { on_closed(ended.why); },
                 [&](auto&) {},  // nothing else is asked of a peer that only takes
             },
             action);
}

PlainComponent::PlainComponent(std::unique_ptr<seams::Connection> connection, std::string domain, std::string secret)
    : connection_(std::move(connection)), domain_(std::move(domain)), secret_(std::move(secret)) {}

void PlainComponent::start() {
  connection_->start(*this);
  connection_->write(
      "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='" + domain_ +
      "'>");
}

void PlainComponent::on_bytes(std::string_view bytes) {
  if (is_ready_) return counter_.add(bytes);
  heard_ += bytes;
  const std::size_t id = heard_.find(" id='");
  const std::size_t id_end = id == std::string::npos ? id : heard_.find('\'', id + 5);
  if (!has_answered_ && id_end != std::string::npos && heard_.ends_with('>')) {
    has_answered_ = true;
    connection_->write("<handshake>" + link::handshake_digest(heard_.substr(id + 5, id_end - id - 5), secret_) +
                       "</handshake>");
  }
  if (heard_.ends_with("<handshake/>")) is_ready_ = true;
}

void PlainComponent::on_closed(const Error& why) {
  pump_.stop();
  if (failure_.empty()) failure_ = std::string(name_of(why.reason)) + ": " + why.detail;
}

}  // namespace ligase::bench
