// Peers that are no gateway: one that says whatever a test makes it say, and an authority that answers dialbacks as told.
#pragma once
#include <functional>
#include <list>
#include <string>

#include "sim/world.hpp"

namespace ligase::sim {

// A client on a gateway's s2s port. What it receives is kept as text.
class RawPeer final : public seams::Receiver {
 public:
  RawPeer(World& world, const std::string& address) : world_(world), address_(*Address::parse(address)) {}
  bool connect(Endpoint to);  // false: nobody listens
  void say(std::string_view bytes) { connection_->write(bytes); }
  void stop_reading() { connection_->pause_reading(); }
  void reset() { connection_->abort(); }
  void leave() { connection_.reset(); }  // if it ever came
  void go_on_reading() { connection_->resume_reading(); }
  std::size_t unsent() const { return connection_->queued(); }
  void header(const std::string& from, const std::string& to);
  bool start_tls(const std::string& target);  // after the features in clear
  // Header, STARTTLS, header again: to the point where features over TLS have come. False: it did not come to that.
  bool negotiate(Endpoint to, const std::string& from, const std::string& target);
  // The next step of a whole negotiation, if the last one was answered: STARTTLS, header, a claim.
  void advance(const std::string& from, const std::string& to);
  bool wait_for(std::string_view text, Duration limit = 40s);
  bool has(std::string_view text) const { return received.find(text) != std::string::npos; }
  std::size_t count(std::string_view text) const;

  std::string received;
  bool is_tls = false, is_closed = false;

 private:
  int step_ = 0;
  void on_bytes(std::string_view bytes) override {
    const AtWork world(Whose::world);
    received += bytes;
  }
  void on_tls(const Result<seams::TlsFacts>& facts) override { is_tls = facts.has_value(); }
  void on_writable() override {}
  void on_closed(const Error&) override { is_closed = true; }

  World& world_;
  Address address_;
  std::unique_ptr<seams::Connection> connection_;
};

// Listens as the authoritative server of any domain that leads to it.
class RawAuthority {
 public:
  RawAuthority(World& world, const std::string& address);
  ~RawAuthority();

  void stop_reading();
  void go_on_reading();
  void say(std::string_view bytes);  // on every session

  std::size_t connections = 0, questions = 0;
  std::size_t certificates_seen = 0;  // in TLS sessions that stood
  // What to send for one <db:verify/>; `from`, `to` and `id` as the question has them.
  std::function<std::string(const std::string& from, const std::string& to, const std::string& id)> answer;
  // The same for one <db:result/>; an answer that ends the stream closes the connection.
  std::function<std::string(const std::string& from, const std::string& to)> answer_result;
  // The same for one <auth/>: what it holds; "" cuts the connection without a word.
  std::function<std::string(const std::string& authzid)> answer_auth;
  // Who is served there, by the text of the header's `to`; empty: everybody.
  std::function<bool(const std::string& to)> hosts;
  bool offers_tls = true;         // false: goes on in clear
  bool ends_at_tls = false;       // as soon as it stands
  bool declares_dialback = true;  // in its header, as nearly all do
  std::string features = "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>";

 private:
  struct Session;
  World& world_;
  Endpoint endpoint_;
  std::list<std::unique_ptr<Session>> sessions_;
};

std::string verify_answer(const std::string& from, const std::string& to, const std::string& id,
                          const std::string& type);

}  // namespace ligase::sim
