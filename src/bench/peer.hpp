// The far end of a gateway under load, as cheap as it can be: an s2s peer that negotiates with the program's own stream
// machine and a component that shakes hands, both of which then only pump the same block, or count what comes. What a
// load generator costs is not the gateway's.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "lab/plan.hpp"
#include "net/connection.hpp"
#include "stream/machine.hpp"

namespace ligase::bench {

// Counts messages in a byte stream, however it is cut.
class Counter {
 public:
  void add(std::string_view bytes) noexcept;
  std::uint64_t count() const noexcept { return count_; }

 private:
  static constexpr std::string_view kEnd = "</message>";
  std::uint64_t count_ = 0;
  std::size_t matched_ = 0;  // of kEnd, at the end of what came
};

// One end that sends a block again and again, as fast as it is taken, or until `most` were sent.
class Pump {
 public:
  void start(seams::Connection& connection, std::string block, std::uint64_t messages_per_block);
  void stop() noexcept { is_on_ = false; }
  void go_on();  // when the connection takes bytes again
  std::uint64_t sent() const noexcept { return sent_; }

 private:
  seams::Connection* connection_ = nullptr;
  std::string block_;
  std::uint64_t messages_ = 0, sent_ = 0;
  bool is_on_ = false;
};

// A server of provider two for one pair: `remote` is the gateway's domain.
class Peer final : public seams::Receiver, private stream::StanzaSink, private stream::Hosting {
 public:
  // Role::receiving: `connection` was accepted; initiating: it was dialled, and the pair (local, remote) is proven when
  // is_ready().
  Peer(Role role, std::unique_ptr<seams::Connection> connection, Domain local, Domain remote);
  void start();

  bool is_ready() const noexcept { return is_ready_; }  // receiving: the first stanza has come
  const std::string& failure() const noexcept { return failure_; }
  const Counter& counter() const noexcept { return counter_; }
  Pump& pump() noexcept { return pump_; }
  seams::Connection& connection() noexcept { return *connection_; }

  void on_bytes(std::string_view bytes) override;
  void on_tls(const Result<seams::TlsFacts>& facts) override;
  void on_writable() override { pump_.go_on(); }
  void on_closed(const Error& why) override;

 private:
  xml::Take stanza(const xml::ElementView&, stream::StanzaKind) override;
  bool is_hosted(const Domain& domain) const override { return domain == local_; }
  Encryption encryption_towards(const Domain*) const override { return Encryption::required; }
  bool offers_bidi(const Domain&) const override { return false; }
  void perform(stream::Actions actions);
  void carry_out(stream::Action& action);

  std::unique_ptr<seams::Connection> connection_;
  Domain local_, remote_;
  stream::Machine machine_;
  Counter counter_;
  Pump pump_;
  bool is_ready_ = false;
  std::string failure_;
};

// A component of provider one, of the domain `domain`.
class PlainComponent final : public seams::Receiver {
 public:
  PlainComponent(std::unique_ptr<seams::Connection> connection, std::string domain, std::string secret);
  void start();

  bool is_ready() const noexcept { return is_ready_; }
  const std::string& failure() const noexcept { return failure_; }
  const Counter& counter() const noexcept { return counter_; }
  Pump& pump() noexcept { return pump_; }
  seams::Connection& connection() noexcept { return *connection_; }

  void on_bytes(std::string_view bytes) override;
  void on_tls(const Result<seams::TlsFacts>&) override {}
  void on_writable() override { pump_.go_on(); }
  void on_closed(const Error& why) override;

 private:
  std::unique_ptr<seams::Connection> connection_;
  std::string domain_, secret_, heard_;
  Counter counter_;
  Pump pump_;
  bool has_answered_ = false, is_ready_ = false;
  std::string failure_;
};

}  // namespace ligase::bench
