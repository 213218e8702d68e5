// One gateway hosting target1.tld and target2.tld; a stranger at 198.51.100.7, and at 198.51.100.8, where the named domain leads,
// whoever the test puts there. That host's certificate proves nothing.
#pragma once
#include <gtest/gtest.h>

#include "sim/provider.hpp"
#include "sim/raw_peer.hpp"
#include "support/certificates.hpp"

namespace ligase::sim {

class OneGateway : public testing::Test {
 protected:
  OneGateway(std::uint64_t seed, std::string domain) : world(seed), domain_(std::move(domain)) {}

  static const test::MadeCertificate& authority() {
    static const test::MadeCertificate made = test::make_root("One gateway's CA");
    return made;
  }
  static std::shared_ptr<const proof::Chain> chain_for(const std::string& name) {
    return *proof::Chain::parse({test::make_leaf(authority(), {name}).der});
  }
  void start(config::Limits limits = {}, config::Policy policy = {}) {
    world.add_srv(domain_, "mx." + domain_, 5269, proof::Security::insecure);
    world.add_address("mx." + domain_, "198.51.100.8");
    static const auto unrelated = chain_for("unrelated.tld");
    world.chains[*Address::parse("198.51.100.8")] = unrelated;
    static const auto own = chain_for("xmpp1.receiving.tld");
    ProviderSpec spec{"xmpp1.receiving.tld",
                      "192.0.2.2",
                      {"target1.tld", "target2.tld"},
                      own,
                      *proof::TrustAnchors::parse_pem(authority().pem),
                      policy,
                      limits};
    spec.dns = dns;
    gateway.emplace(world, std::move(spec));
    world.run_for(5s);
  }
  // Whoever asks at 198.51.100.8 is told `valid`.
  void start_authority() {
    authority_server.emplace(world, "198.51.100.8");
    authority_server->answer = [](const auto& from, const auto& to, const auto& id) {
      return verify_answer(from, to, id, "valid");
    };
  }
  Endpoint door() const { return gateway->endpoint; }

  World world;
  Dns dns{};  // before start(): instead of the world's table
  std::optional<Provider> gateway;
  std::optional<RawAuthority> authority_server;
  RawPeer stranger{world, "198.51.100.7"};

 private:
  std::string domain_;
};

}  // namespace ligase::sim
