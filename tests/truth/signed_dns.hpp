// A signed DNS tree on loopback and libunbound that validates it: what the simulated world's gateways are told by DNS is
// then what they would be told in the real one. Real time passes while a question is asked, virtual time does not.
#pragma once
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "dns/resolver.hpp"
#include "lab/dns/server.hpp"
#include "lab/dns/tree.hpp"
#include "sim/world.hpp"

namespace ligase::sim {

class SignedDns {
 public:
  enum class Trust : std::uint8_t {
    anchored,  // validates from the tree's root
    none,      // trust_anchor = "": every answer is insecure
  };
  SignedDns();

  // Faults of the test's own fail it. Names as the Tree has them.
  void zone(std::string_view name, lab::dns::Delegation delegation = lab::dns::Delegation::secure);
  void add(const std::string& line);  // "name TTL IN TYPE data"
  void add_tlsa(const std::string& owner, const Bytes& rdata);
  // Answers fail for this name and all below it, at once (SERVFAIL).
  void fail_at(std::string_view name) { server_->set_manner(name, lab::dns::Manner::servfail); }

  proof::Answer ask(const std::string& name, proof::RrType type, Trust trust);
  // For a Provider; this object outlives it.
  Dns answers(Trust trust = Trust::anchored) {
    return [this, trust](const std::string& name, proof::RrType type) { return ask(name, type, trust); };
  }

  lab::dns::Tree tree;

 private:
  std::unique_ptr<lab::dns::Server> server_;
  boost::asio::io_context loop_{1};
  std::unique_ptr<dns::UnboundResolver> resolvers_[2];  // by Trust, made when first asked
};

// The simulated wall clock shows the machine's time from here on: signatures of a SignedDns are made for it.
void set_wall_to_now(World& world);

}  // namespace ligase::sim
