// What one more pair on a session costs to judge, its certificate having been seen before: 400 pairs that come up at
// once are judged so at both ends.
#include <benchmark/benchmark.h>

#include "proof/judge.hpp"
#include "support/certificates.hpp"

namespace ligase::proof {
namespace {

using namespace std::chrono;

struct Case {
  Case() {
    const auto root = test::make_root();
    const auto leaf = test::make_leaf(root, {"xmpp1.receiving.tld"});
    anchors = TrustAnchors::parse_pem(root.pem).value();
    chain = Chain::parse({leaf.der, root.der}).value();
    delegation.kind = Delegation::Kind::srv;
    delegation.security = Security::secure;
    delegation.targets = {target};
    delegation.expires = now + hours(2);
    denial.security = Security::secure;
    denial.owner = "_5269._tcp.xmpp1.receiving.tld";
    denial.expires = now + hours(2);
    match = denial;
    match.has_records = true;
    match.usable = {{TlsaUsage::dane_ee, TlsaSelector::spki, TlsaMatching::sha256, test::sha256(leaf.spki)}};
  }
  const WallTime now = test::day(2026, 11, 24);
  const Domain domain = Domain::parse("target1.tld").value();
  const SrvTarget target{HostName::parse("xmpp1.receiving.tld").value(), 5269, 0, 0};
  std::shared_ptr<const TrustAnchors> anchors;
  std::shared_ptr<const Chain> chain;
  Delegation delegation;
  TlsaSet denial, match;
};

void judge(benchmark::State& state, TlsaSet Case::*tlsa, ProofType type) {
  const Case it;
  PathCache paths(it.anchors);
  PeerPolicy policy;
  policy.proofs = {type};
  for (auto _ : state) {
    const ServerEvidence evidence{it.domain,        it.delegation,     it.target,
                                  Security::secure, &(it.*tlsa),       it.chain.get(),
                                  *it.anchors,      it.now + hours(2), &paths};
    if (!judge_server(evidence, policy, it.now)) state.SkipWithError("not proven");
  }
  state.SetItemsProcessed(state.iterations());
}
void BM_Judge_Dnssec(benchmark::State& state) { judge(state, &Case::denial, ProofType::dnssec); }
void BM_Judge_Dane(benchmark::State& state) { judge(state, &Case::match, ProofType::dane); }
BENCHMARK(BM_Judge_Dnssec);
BENCHMARK(BM_Judge_Dane);

}  // namespace
}  // namespace ligase::proof
