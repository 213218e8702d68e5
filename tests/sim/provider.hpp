// A provider in the simulated world: one real gateway, its hosted domains, and a component for each.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "dns/caching_resolver.hpp"
#include "link/component.hpp"
#include "sim/world.hpp"
#include "xml/parser.hpp"

namespace ligase::sim {

struct Received {
  std::string from, to, id, type, bytes;
};

// An XEP-0114 component: connects, shakes hands, sends, remembers what came.
class Component final : public seams::Receiver, private xml::Sink {
 public:
  Component(World& world, std::string domain, std::string secret)
      : world_(world), domain_(std::move(domain)), secret_(std::move(secret)) {}
  void connect(Gateway& gateway);
  void send(std::string_view stanza);
  void disconnect();
  void vanish() { world_.vanished.insert(own); }  // its machine dies without a word
  void stop_reading() { connection_->pause_reading(); }
  void go_on_reading() { connection_->resume_reading(); }
  void break_off() { connection_->abort(); }
  std::size_t unsent() const { return connection_->queued(); }

  Endpoint own = *Endpoint::parse("127.0.0.9:1");
  std::vector<Received> received;
  bool is_up = false, is_closed = false;
  std::string stream_error;

 private:
  void on_bytes(std::string_view bytes) override;
  void on_tls(const Result<seams::TlsFacts>&) override {}
  void on_writable() override {}
  void on_closed(const Error&) override {
    is_closed = true;
    is_up = false;
  }
  xml::Take header(const xml::Header& header) override;
  xml::Take element(const xml::ElementView& element) override;
  void close() override {}

  World& world_;
  std::string domain_, secret_;
  std::unique_ptr<seams::Connection> connection_;
  xml::Parser parser_{xml::Limits{.stanza_size = 1 << 20}};
  std::string waiting_;
};

struct ProviderSpec {
  std::string host, address;
  std::vector<std::string> domains;
  std::shared_ptr<const proof::Chain> chain;  // null: shows none
  std::shared_ptr<const proof::TrustAnchors> anchors;
  config::Policy policy;
  config::Limits limits;
  Dns dns{};  // empty: the world's table
  bool dnssec_is_on = true;
  std::string dial_from{};  // another address than its own, which may show another chain; "": its own
  RevocationSettings revocation{};
  std::map<Domain, std::size_t> own_certificates{};
};

class Provider {
 public:
  Provider(World& world, const ProviderSpec& spec);
  ~Provider();
  Component& component(const std::string& domain) { return *components_.at(domain); }
  std::size_t questions() const { return resolver_.different(); }          // that name servers received
  std::size_t question_bytes() const { return resolver_.question_bytes; }  // in them
  void stop();                                                             // abrupt: as if the process ended

  SimLog log;
  std::unique_ptr<Gateway> gateway;
  const Endpoint endpoint;

 private:
  World& world_;
  SimClock clock_;
  SimRandom random_;
  SimResolver resolver_;
  std::unique_ptr<dns::CachingResolver> cache_;
  SimDialer dialer_;
  std::map<std::string, std::unique_ptr<Component>> components_;
};

}  // namespace ligase::sim
