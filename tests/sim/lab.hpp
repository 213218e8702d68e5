// The lab in the simulated world: two providers, their domains, and what DNS says of them.
#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/provider.hpp"
#include "support/certificates.hpp"

namespace ligase::sim {

using proof::ProofType;
using proof::Security;

struct Identities {
  std::shared_ptr<const proof::Chain> one, two;
  std::shared_ptr<const proof::TrustAnchors> anchors;
  test::MadeCertificate authority;
};

// Keys are slow to make, and no test here depends on which they are: made once.
inline const Identities& identities() {
  static const Identities made = [] {
    const test::MadeCertificate authority = test::make_root("Simulated CA");
    const auto issue = [&](const std::string& host) {
      return *proof::Chain::parse({test::make_leaf(authority, {host}).der});
    };
    return Identities{issue("xmpp1.originating.tld"), issue("xmpp1.receiving.tld"),
                      *proof::TrustAnchors::parse_pem(authority.pem), authority};
  }();
  return made;
}

inline std::vector<std::string> names(const std::string& stem, unsigned count) {
  std::vector<std::string> domains;
  for (unsigned i = 1; i <= count; ++i) domains.push_back(fmt::format("{}{}.tld", stem, i));
  return domains;
}

// Each direction has a stream of its own, as towards peers without bidi; what both directions on one are is in bidi_test.cpp.
inline config::Policy one_way() {
  config::Policy policy;
  policy.defaults.may_bidi = false;
  return policy;
}

// The lab in small: provider one with senders, provider two with targets.
struct Lab {
  explicit Lab(World& w, unsigned senders, unsigned targets, std::vector<ProofType> kinds = {ProofType::dnssec},
               config::Limits limits = {}, config::Policy policy = one_way())
      : world(w), sender_names(names("sender", senders)), target_names(names("target", targets)) {
    const Identities& ids = identities();
    world.add_address("xmpp1.originating.tld", "192.0.2.1");
    world.add_address("xmpp1.receiving.tld", "192.0.2.2");
    const auto delegate = [&](const std::vector<std::string>& domains, const std::string& host) {
      for (std::size_t i = 0; i < domains.size(); ++i)
        world.add_srv(domains[i], host, 5269,
                      kinds[i % kinds.size()] == ProofType::dialback ? Security::insecure : Security::secure);
    };
    delegate(sender_names, "xmpp1.originating.tld");
    delegate(target_names, "xmpp1.receiving.tld");
    if (kinds == std::vector{ProofType::dane}) {
      world.add_tlsa("xmpp1.originating.tld", 5269, *ids.one);
      world.add_tlsa("xmpp1.receiving.tld", 5269, *ids.two);
    }
    one.emplace(world,
                ProviderSpec{"xmpp1.originating.tld", "192.0.2.1", sender_names, ids.one, ids.anchors, policy, limits});
    two.emplace(world,
                ProviderSpec{"xmpp1.receiving.tld", "192.0.2.2", target_names, ids.two, ids.anchors, policy, limits});
  }
  void send_all(unsigned stanzas) {
    for (unsigned n = 0; n < stanzas; ++n)
      for (const std::string& sender : sender_names)
        for (const std::string& target : target_names) {
          one->component(sender).send(fmt::format(
              "<message from='a@{0}' to='b@{1}' id='{0}-{1}-{2}'><body>x</body></message>", sender, target, n));
          two->component(target).send(fmt::format(
              "<message from='b@{1}' to='a@{0}' id='{1}-{0}-{2}'><body>y</body></message>", sender, target, n));
        }
  }
  std::size_t arrived() {
    std::size_t count = 0;
    for (const std::string& name : sender_names) count += one->component(name).received.size();
    for (const std::string& name : target_names) count += two->component(name).received.size();
    return count;
  }
  // P6, P1: in order per pair, once each, and at whom they were sent to.
  void check_order_and_uniqueness() {
    const auto check = [](const std::string& name, const std::vector<Received>& received) {
      std::map<std::string, int> last;
      for (const Received& stanza : received) {
        if (stanza.type == "error") continue;
        EXPECT_TRUE(stanza.to.ends_with("@" + name)) << stanza.bytes;
        const int number = std::stoi(stanza.id.substr(stanza.id.rfind('-') + 1));
        const auto before = last.find(stanza.from);
        EXPECT_TRUE(before == last.end() || before->second < number) << stanza.bytes;
        last[stanza.from] = number;
      }
    };
    for (const std::string& name : sender_names) check(name, one->component(name).received);
    for (const std::string& name : target_names) check(name, two->component(name).received);
  }
  std::map<std::string, std::size_t> proofs() {
    std::map<std::string, std::size_t> counts;
    for (const Provider* provider : {&*one, &*two})
      for (const report::PairRow& row : provider->gateway->pairs())
        if (row.state == "proven") ++counts[row.proof.value_or("none")];
    return counts;
  }

  World& world;
  std::vector<std::string> sender_names, target_names;
  std::optional<Provider> one, two;
};

}  // namespace ligase::sim
