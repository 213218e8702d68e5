// Scripted peers, as simple as a test can bear.
#include "sim/raw_peer.hpp"

#include <fmt/format.h>

namespace ligase::sim {
namespace {

constexpr std::string_view kHeader =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
    "xmlns:db='jabber:server:dialback'";

std::string attribute(const std::string& text, const std::string& name) {
  const std::size_t at = text.find(" " + name + "='");
  if (at == std::string::npos) return {};
  const std::size_t start = at + name.size() + 3;
  return text.substr(start, text.find('\'', start) - start);
}

}  // namespace

std::string verify_answer(const std::string& from, const std::string& to, const std::string& id,
                          const std::string& type) {
  return fmt::format("<db:verify from='{}' to='{}' id='{}' type='{}'/>", to, from, id, type);
}

bool RawPeer::connect(Endpoint to) {
  const auto listener = world_.listeners.find(to);
  if (listener == world_.listeners.end()) return false;
  World::Ends ends = world_.connect({address_, 40000}, to);
  connection_ = std::move(ends.client);
  connection_->start(*this);
  world_.hand_over(listener->second.accept, std::move(ends.server));
  return true;
}

void RawPeer::header(const std::string& from, const std::string& to) {
  say(fmt::format("{} from='{}' to='{}' version='1.0'>", kHeader, from, to));
}

void RawPeer::advance(const std::string& from, const std::string& to) {
  if (step_ == 0 && has("</stream:features>")) {
    say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    ++step_;
  } else if (step_ == 1 && has("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")) {
    received.clear();
    connection_->start_tls({Role::initiating, std::nullopt, to, {}});
    ++step_;
  } else if (step_ == 2 && is_tls) {
    header(from, to);
    ++step_;
  } else if (step_ == 3 && has("</stream:features>")) {
    say(fmt::format("<db:result from='{}' to='{}'>key</db:result>", from, to));
    ++step_;
  }
}

bool RawPeer::wait_for(std::string_view text, Duration limit) {
  return world_.run_until([&] { return has(text); }, limit);
}

std::size_t RawPeer::count(std::string_view text) const {
  std::size_t found = 0;
  for (std::size_t at = received.find(text); at != std::string::npos; at = received.find(text, at + text.size()))
    ++found;
  return found;
}

bool RawPeer::start_tls(const std::string& target) {
  say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
  if (!wait_for("<proceed")) return false;
  received.clear();
  connection_->start_tls({Role::initiating, std::nullopt, target, {}});
  return world_.run_until([&] { return is_tls; }, 10s);
}

bool RawPeer::negotiate(Endpoint to, const std::string& from, const std::string& target) {
  if (!connect(to)) return false;
  header(from, target);
  if (!wait_for("<starttls") || !start_tls(target)) return false;
  header(from, target);
  return wait_for("</stream:features>");
}

struct RawAuthority::Session final : seams::Receiver {
  Session(RawAuthority& o, std::unique_ptr<seams::Connection> c) : owner(o), connection(std::move(c)) {}
  // The first whole element of this name, taken out of what has come.
  std::optional<std::string> take(const std::string& name) {
    const std::size_t begin = text.find("<" + name + " ");
    const std::string closing = "</" + name + ">";
    const std::size_t end = text.find(closing);
    if (begin == std::string::npos || end == std::string::npos) return std::nullopt;
    std::string element = text.substr(begin, end - begin);
    text.erase(0, end + closing.size());
    return element;
  }
  void say(const std::string& answer) {
    connection->write(answer);
    if (answer.ends_with("</stream:stream>")) connection->close(1s);
  }
  void on_bytes(std::string_view bytes) override {
    const AtWork world(Whose::world);
    text += bytes;
    for (;;) {
      if (const std::size_t at = text.find("<stream:stream"); at != std::string::npos) {
        const std::size_t end = text.find('>', at);
        if (end == std::string::npos) return;
        const std::string tag = text.substr(at, end - at);
        text.erase(0, end + 1);
        if (owner.hosts && !owner.hosts(attribute(tag, "to")))
          return say(
              fmt::format("{} id='a1' from='{}' version='1.0'><stream:error><host-unknown "
                          "xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>",
                          kHeader, attribute(tag, "to")));
        connection->write(fmt::format(
            "{} id='a1' from='{}' to='{}' version='1.0'><stream:features>{}</stream:features>",
            kHeader.substr(0, owner.declares_dialback ? kHeader.size() : kHeader.rfind(" xmlns:db=")),
            attribute(tag, "to"), attribute(tag, "from"),
            is_tls || !owner.offers_tls ? owner.features
                                        : "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"));
      } else if (text.find("<starttls") != std::string::npos && text.find("/>") != std::string::npos) {
        text.clear();
        connection->write("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
        connection->start_tls({Role::receiving, std::nullopt, {}, {}});
        return;
      } else if (const auto verify = take("db:verify")) {
        ++owner.questions;
        if (owner.answer)
          say(owner.answer(attribute(*verify, "from"), attribute(*verify, "to"), attribute(*verify, "id")));
      } else if (const auto result = take("db:result")) {
        if (owner.answer_result) say(owner.answer_result(attribute(*result, "from"), attribute(*result, "to")));
      } else if (const auto auth = take("auth")) {
        const std::string said = owner.answer_auth ? owner.answer_auth(auth->substr(auth->find('>') + 1)) : "";
        if (said.empty()) return connection->abort();
        say(said);
      } else {
        if (text.starts_with("<message")) text.erase(0, text.rfind('<'));  // stanzas are not kept
        return;
      }
    }
  }
  void on_tls(const Result<seams::TlsFacts>& facts) override {
    const AtWork world(Whose::world);
    is_tls = facts.has_value();
    if (is_tls && facts->peer_chain != nullptr) ++owner.certificates_seen;
    if (owner.ends_at_tls) connection->abort();
  }
  void on_writable() override {}
  void on_closed(const Error&) override {}

  RawAuthority& owner;
  std::unique_ptr<seams::Connection> connection;
  std::string text;
  bool is_tls = false;
};

RawAuthority::RawAuthority(World& world, const std::string& address)
    : world_(world), endpoint_{*Address::parse(address), 5269} {
  world_.listeners[endpoint_].accept = [this](std::unique_ptr<seams::Connection> connection) {
    const AtWork world(Whose::world);
    ++connections;
    sessions_.push_back(std::make_unique<Session>(*this, std::move(connection)));
    sessions_.back()->connection->start(*sessions_.back());
  };
}
void RawAuthority::stop_reading() {
  for (const auto& session : sessions_) session->connection->pause_reading();
}
void RawAuthority::go_on_reading() {
  for (const auto& session : sessions_) session->connection->resume_reading();
}
void RawAuthority::say(std::string_view bytes) {
  for (const auto& session : sessions_) session->connection->write(bytes);
}
RawAuthority::~RawAuthority() { world_.listeners.erase(endpoint_); }

}  // namespace ligase::sim
