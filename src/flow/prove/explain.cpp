// A live pair is judged again on its stream; any other is tried afresh, as its first stanza would.
#include "prove/explain.hpp"

#include <fmt/format.h>

#include "proof/explain.hpp"
#include "prove/judge.hpp"
#include "prove/set_up.hpp"

namespace ligase::prove {
namespace {

using report::Outcome;
using report::Step;
using report::StepResult;
using report::Steps;

constexpr unsigned kMostAtOnce = 4;  // each may open a connection

class Counted {
 public:
  explicit Counted(Bench* bench) : bench_(bench) { ++bench_->explaining; }
  ~Counted() { --bench_->explaining; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  Bench* bench_;
};

Step policy_step(const Bench& bench, const Domain& remote) {
  const proof::PeerPolicy policy = bench.policy_towards(remote);
  if (const Result<void> admitted = bench.ground.rules.admits(remote); !admitted)
    return {"policy", StepResult::failed, admitted.error().detail};
  std::string proofs;
  for (const proof::ProofType type : policy.proofs)
    proofs += (proofs.empty() ? "" : ", ") + std::string(proof::name_of(type));
  return {"policy", StepResult::ok,
          fmt::format("proofs {}; encryption {}", proofs,
                      policy.encryption == Encryption::required ? "required" : "preferred")};
}

// What the gateway knows of the pair before anything is asked.
Step state_step(const Bench& bench, std::string what, const pair::Life& life) {
  const WallTime now = bench.wall();
  if (const auto* proven = life.as<pair::Life::Proven>())
    return {std::move(what), proven->proof.expires > now ? StepResult::ok : StepResult::failed,
            fmt::format("proven by {} on stream {} since {}, until {}", proof::name_of(proven->proof.type),
                        proven->stream.number, rfc3339(proven->since), rfc3339(proven->proof.expires))};
  if (const auto* refused = life.as<pair::Life::Refused>())
    return {
        std::move(what), StepResult::failed,
        fmt::format("refused since {}: {}; tried again from {} on", rfc3339(refused->since), reason_text(refused->why),
                    rfc3339(now + std::chrono::ceil<std::chrono::seconds>(
                                      std::max(refused->retry_at - bench.now(), Duration::zero()))))};
  return {std::move(what), StepResult::waiting, std::string(life.state_name())};
}

// One direction: a clause of the verdict.
struct Said {
  std::string clause;
  Outcome outcome;
};

// Whether the failure says something of the pair, and not only that nothing could be learned in time.
Outcome outcome_of(const Error& why) noexcept {
  const bool is_silence = why.reason == Reason::setup_timeout || why.reason == Reason::cancelled ||
                          why.reason == Reason::limit_reached || why.reason == Reason::dns_indeterminate;
  return is_silence ? Outcome::unknown : Outcome::refused;
}

// Only what DNS says: nothing is dialed.
Task<void> look_up(Bench* bench, Domain remote, Steps& steps) {
  Instant asked = bench->now();
  const proof::Delegation delegation =
      co_await dns::find_delegation(bench->ground.world.resolver, remote, bench->wall());
  proof::tell_delegation(steps, "out", remote, delegation, report::milliseconds(bench->now() - asked));
  for (const proof::SrvTarget& target : delegation.targets) {
    asked = bench->now();
    const dns::HostFacts host =
        co_await dns::look_up_host(bench->ground.world.resolver, target, delegation.security, bench->wall());
    proof::tell_target(steps, "out", target, host.addresses, host.addresses_security, host.tlsa ? &*host.tlsa : nullptr,
                       host.failure ? &*host.failure : nullptr, report::milliseconds(bench->now() - asked));
  }
  steps.push_back(
      {"out: stream", StepResult::skipped,
       "the pair does not live, and no connection is made for this question here; ask by the control socket"});
}

Task<Said> explain_out(Bench* bench, pairs::PairKey key, bool may_dial, Steps& steps) {
  pair::StreamRef ridden;
  bool is_live = false;
  if (const pairs::OutPair* pair = bench->out_pairs.find(key)) {
    steps.push_back(state_step(*bench, "out: pair", pair->life));
    const auto* proven = pair->life.as<pair::Life::Proven>();
    is_live = proven != nullptr && bench->streams.find(proven->stream) != nullptr &&
              bench->ground.live_proof(pair->life, proven->stream) != nullptr;
    ridden = pair->accepted_on;
  } else {
    steps.push_back({"out: pair", StepResult::skipped, "nothing was sent for it lately: it is tried afresh"});
  }
  if (!is_live && !may_dial) {
    co_await look_up(bench, key.target, steps);
    Said said{fmt::format("{} is not connected to {} now", key.sender.text(), key.target.text()), Outcome::unknown};
    co_return said;
  }
  const Instant deadline = bench->now() + bench->limits().setup_timeout;
  const Result<Acquired> tried = co_await try_pair(bench, key, ridden, steps, deadline);
  if (!tried) {
    const Error& why = tried.error();
    steps.push_back(
        {"out: result", StepResult::failed, fmt::format("{}; {}", reason_text(why), describe(why.reason).what_to_do)});
    Said said{fmt::format("{} does not reach {}: {}", key.sender.text(), key.target.text(), reason_text(why)),
              outcome_of(why)};
    co_return said;
  }
  Said said{fmt::format("{} reaches {} at {}, proven by {} until {}", key.sender.text(), key.target.text(), tried->host,
                        proof::name_of(tried->proof.type),
                        rfc3339(bench->ground.rules.bounded(tried->proof, bench->wall()).expires)),
            Outcome::holds};
  co_return said;
}

// The stream on which `key` came last, or else one that `key.sender` opened; null: none.
streams::Stream* stream_of(Bench& bench, const pairs::PairKey& key) {
  streams::Stream* found = nullptr;
  for (const auto& [ref, session] : bench.streams.all()) {
    if (session->is_ending || (session->is_ours() && !session->machine.is_bidi())) continue;
    if (session->in_pairs.contains(key)) return session.get();
    if (session->is_ours()) continue;
    const bool is_its_own = session->machine.remote() && *session->machine.remote() == key.sender;
    if (found == nullptr && session->machine.is_proven() && (is_its_own || session->senders.contains(key.sender)))
      found = session.get();
  }
  return found;
}

// On a stream that carries both directions the inverse of our pair lives by the pair's own proof; null: it does not.
const pair::Life::Proven* proven_as_inverse(Bench& bench, const pairs::PairKey& key) {
  const pairs::OutPair* own = bench.out_pairs.find(key.reversed());
  const auto* proven = own == nullptr ? nullptr : own->life.as<pair::Life::Proven>();
  const streams::Stream* rides = proven == nullptr ? nullptr : bench.streams.find(proven->stream);
  const bool lives =
      rides != nullptr && rides->machine.is_bidi() && bench.ground.proof_in_reverse(own->life, rides->ref) != nullptr;
  return lives ? proven : nullptr;
}

Task<Said> explain_in(Bench* bench, pairs::PairKey key, Steps& steps) {
  const std::string_view from = key.sender.text(), to = key.target.text();
  const streams::Stream* session = stream_of(*bench, key);
  const bool is_claimed = session != nullptr && session->in_pairs.contains(key);
  if (const auto* inverse = is_claimed ? nullptr : proven_as_inverse(*bench, key)) {
    steps.push_back(
        {"in: pair", StepResult::ok,
         fmt::format("the inverse of our own pair, which stream {} carries as well (bidi): proven by {} until {}",
                     inverse->stream.number, proof::name_of(inverse->proof.type), rfc3339(inverse->proof.expires))});
    Said said{
        fmt::format("{} reaches {} by {}: {}", from, to, proof::name_of(inverse->proof.type), inverse->proof.evidence),
        Outcome::holds};
    co_return said;
  }
  if (session == nullptr) {
    steps.push_back({"in: stream", StepResult::skipped, fmt::format("no stream of {} is open here", from)});
    Said said{fmt::format("{} is not connected to {} now", from, to), Outcome::unknown};
    if (const auto* refused = bench->refusals.find(key)) {
      said.outcome = Outcome::refused;
      steps.push_back({"in: pair", StepResult::failed,
                       fmt::format("refused since {}: {}", rfc3339(refused->since), reason_text(refused->why))});
    }
    co_return said;
  }
  const pair::StreamRef ref = session->ref;
  steps.push_back({"in: stream", StepResult::ok,
                   fmt::format("{} from {}, {}", session->number(), session->connection->remote().text(),
                               session->machine.is_encrypted() ? session->facts.version : "without TLS")});
  const proof::Proof* live = nullptr;
  bool is_refused = bench->refusals.find(key) != nullptr;
  if (const auto pair = session->in_pairs.find(key); pair != session->in_pairs.end()) {
    steps.push_back(state_step(*bench, "in: pair", pair->second.life));
    live = bench->ground.live_proof(pair->second.life, ref);
    is_refused = is_refused || pair->second.life.as<pair::Life::Refused>() != nullptr;
  } else {
    steps.push_back({"in: pair", StepResult::skipped, fmt::format("{} did not claim it on this stream", from)});
  }
  Said said{live != nullptr
                ? fmt::format("{} reaches {} by {}: {}", from, to, proof::name_of(live->type), live->evidence)
                : fmt::format("{} is not proven towards {} now", from, to),
            live != nullptr ? Outcome::holds
            : is_refused    ? Outcome::refused
                            : Outcome::unknown};
  const bool by_dialback = live != nullptr && live->type == proof::ProofType::dialback;
  (void)co_await prove_client(bench, ref, key.sender, nullptr, &steps);
  if (by_dialback)
    steps.push_back(
        {"in: dialback", StepResult::ok, "the certificate is not needed: the authority vouched for this pair"});
  co_return said;
}

}  // namespace

Task<Result<report::Explanation>> explain_pair(Bench* bench, Domain local, Domain remote, bool may_dial) {
  if (!bench->hosting.is_hosted(local))
    co_return fail(Reason::host_unknown, fmt::format("{} is not hosted here", local.text()));
  if (bench->hosting.is_hosted(remote))
    co_return fail(Reason::policy_internal, fmt::format("{} is hosted here as well", remote.text()));
  if (bench->explaining >= kMostAtOnce)
    co_return fail(Reason::limit_reached, "several explanations are being made; ask again in a moment");
  const ground::Scope::Hold hold(bench->ground.scope);
  const Counted counted(bench);
  report::Explanation told;
  told.local = std::string(local.text());
  told.remote = std::string(remote.text());
  told.steps.push_back(policy_step(*bench, remote));
  const pairs::PairKey out{local, remote}, in{remote, local};
  const Said going = co_await explain_out(bench, out, may_dial, told.steps);
  const Said coming = co_await explain_in(bench, in, told.steps);
  told.verdict = fmt::format("{}; {}", going.clause, coming.clause);
  told.out = going.outcome;
  told.in = coming.outcome;
  co_return told;
}

}  // namespace ligase::prove
