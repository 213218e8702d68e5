// How long a withdrawal takes, from the moment it is published to the last stanza that the pair could have carried: within
// the evidence's own lifetime. The times printed are those of docs/performance.md; virtual time, so they are exact.
#include <algorithm>

#include "dns/caching_resolver.hpp"
#include "sim/lab.hpp"
#include "sim/times.hpp"

namespace ligase::sim {
namespace {

constexpr unsigned kPairs = 60;

struct Case {
  const char* name;
  ProofType proof;
  std::chrono::seconds ttl;
  std::function<void(World&, Lab&)> withdraw;
};

void set_ttl(World& world, std::chrono::seconds ttl) {
  for (auto& [question, answer] : world.records) answer.ttl = ttl;
}

const Case kCases[] = {
    {"TLSA replaced by another key's, TTL 300 s", ProofType::dane, std::chrono::seconds(300),
     [](World& world, Lab&) {
       world.add_tlsa("xmpp1.receiving.tld", 5269, *identities().one);
       set_ttl(world, std::chrono::seconds(300));
     }},
    {"TLSA replaced by another key's, TTL 3600 s", ProofType::dane, std::chrono::seconds(3600),
     [](World& world, Lab&) { world.add_tlsa("xmpp1.receiving.tld", 5269, *identities().one); }},
    {"signed SRV removed, TTL 300 s", ProofType::dnssec, std::chrono::seconds(300),
     [](World& world, Lab& lab) {
       for (const std::string& target : lab.target_names)
         world.records.erase({"_xmpp-server._tcp." + target, proof::RrType::srv});
     }},
    {"signed SRV removed, TTL 3600 s", ProofType::dnssec, std::chrono::seconds(3600),
     [](World& world, Lab& lab) {
       for (const std::string& target : lab.target_names)
         world.records.erase({"_xmpp-server._tcp." + target, proof::RrType::srv});
     }},
};

class EachWithdrawal : public testing::TestWithParam<Case> {};

TEST_P(EachWithdrawal, TakesEffectWithinTheEvidencesOwnLifetime) {
  const Case& one = GetParam();
  World world(71);
  config::Limits limits;
  limits.idle_timeout = std::chrono::hours(240);
  config::Policy policy;
  policy.defaults.proofs = {one.proof};
  world.has_caches = true;
  Lab lab(world, 1, kPairs, {one.proof}, limits, policy);
  set_ttl(world, one.ttl);
  const auto count = [&](std::string_view state) {
    std::size_t found = 0;
    for (const report::PairRow& row : lab.one->gateway->pairs())
      found += row.direction == "out" && row.state == state ? 1 : 0;
    return found;
  };
  // One after another, over a lifetime: their renewals are spread as in a gateway that runs for long.
  for (const std::string& target : lab.target_names) {
    lab.one->component("sender1.tld").send(fmt::format("<message from='a@sender1.tld' to='b@{}' id='x-0'/>", target));
    world.run_for(one.ttl / kPairs);
  }
  ASSERT_EQ(count("proven"), kPairs);
  world.run_for(one.ttl / 7);
  one.withdraw(world, lab);
  const Instant published = world.now();
  std::vector<double> seconds;
  while (count("proven") > 0 && world.now() - published < 3 * one.ttl) {
    world.run_for(1s);
    while (seconds.size() < kPairs - count("proven"))
      seconds.push_back(std::chrono::duration<double>(world.now() - published).count());
  }
  ASSERT_EQ(seconds.size(), kPairs);
  print_times(one.name, seconds);
  // A cached answer lives for its TTL, and a proof by it at least 5 min (DNSSEC-03): never later than both.
  EXPECT_LE(seconds.back(), std::chrono::duration<double>(one.ttl + std::chrono::seconds(300)).count());
  EXPECT_GT(seconds.back(), 0);
}
INSTANTIATE_TEST_SUITE_P(Withdrawal, EachWithdrawal, testing::ValuesIn(kCases),
                         [](const auto& info) { return "case" + std::to_string(info.index); });

}  // namespace
}  // namespace ligase::sim
