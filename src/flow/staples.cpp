// One timer a certificate: it wakes to fetch, or to take back what is over.
#include "staples.hpp"

#include <algorithm>

#include "hub.hpp"
#include "revocation_source.hpp"

namespace ligase {
namespace {

using proof::Issued;
using proof::RevocationAnswer;
using Status = RevocationAnswer::Status;

constexpr Duration kPatience = 10s;
constexpr std::chrono::seconds kLeastRest = std::chrono::minutes(1), kMostRest = std::chrono::hours(1);
constexpr std::string_view kMemo = "staple";

struct OwnStaple {
  std::string leaf;  // fingerprint
  std::shared_ptr<const proof::Chain> chain;
  std::optional<WallTime> until;  // of what is served; nullopt: nothing is
  WallTime fetch_at{};            // the next try
  unsigned failures = 0;
};

Task<void> work(std::shared_ptr<Hub> hub, std::shared_ptr<OwnStaple> own);

// The very object: a certificate that went and came again is kept by the procedure that began when it came.
bool is_ours(const Hub& hub, const OwnStaple& own) {
  return std::ranges::find(hub.settings.revocation.own, own.chain) != hub.settings.revocation.own.end();
}

void wake(const std::shared_ptr<Hub>& hub, const std::shared_ptr<OwnStaple>& own) {
  if (hub->is_shut_down || !is_ours(*hub, *own)) return;
  const WallTime now = hub->wall();
  const WallTime at = std::min(own->fetch_at, own->until.value_or(WallTime::max()));
  const Duration wait = std::max(std::chrono::seconds(0), at - now);
  hub->world.clock.call_at(hub->now() + wait, [weak = std::weak_ptr<Hub>(hub), own] {
    if (const auto alive = weak.lock(); alive && !alive->is_shut_down) alive->spawn(work(alive, own));
  });
}

// Half of what is left of its life, a tenth more or less, so that a reload does not make all of them ask at once.
WallTime half_of(Hub& hub, WallTime until) {
  const std::chrono::seconds life = until - hub.wall();
  return hub.wall() + std::max(kLeastRest, life * (900 + hub.draw(200)) / 2000);
}

void serve(Hub& hub, OwnStaple& own, std::string der, WallTime until) {
  own.until = until;
  own.failures = 0;
  own.fetch_at = half_of(hub, until);
  hub.settings.revocation.set_staple(own.leaf, std::move(der));
}

void take(Hub& hub, OwnStaple& own, OcspFetched fetched) {
  const WallTime now = hub.wall();
  if (fetched.answer.status == Status::good) {
    hub.world.store.put({std::string(kMemo), own.leaf, fetched.der, fetched.answer.next_update});
    hub.log(report::Event(report::Level::info, "staple_fetched")
                .with("certificate", own.leaf.substr(0, 16) + "…")
                .with("expires", rfc3339(fetched.answer.next_update)));
    return serve(hub, own, std::move(fetched.der), fetched.answer.next_update);
  }
  own.fetch_at = now + std::min(kMostRest, kLeastRest * (1u << std::min(own.failures, 6u)));
  ++own.failures;
  hub.log(report::Event(report::Level::warning, "staple_failed")
              .with("certificate", own.leaf.substr(0, 16) + "…")
              .with("detail", fetched.answer.evidence)
              .with("retry_at", rfc3339(own.fetch_at)));
}

Task<void> work(std::shared_ptr<Hub> hub, std::shared_ptr<OwnStaple> own) {
  if (!is_ours(*hub, *own)) co_return;
  const WallTime now = hub->wall();
  if (own->until && *own->until <= now) {
    own->until.reset();
    hub->settings.revocation.set_staple(own->leaf, {});
  }
  if (own->fetch_at <= now) {
    OcspFetched fetched;
    const Result<std::shared_ptr<const Issued>> issued = Issued::find(*own->chain, *hub->settings.anchors, now);
    if (issued)
      fetched = co_await ask_responders(hub, *issued, hub->now() + kPatience);
    else
      fetched.answer = proof::not_known(issued.error().detail);
    if (!hub->is_shut_down) take(*hub, *own, std::move(fetched));
  }
  wake(hub, own);
}

// What an earlier run fetched, if it still holds.
void recall(Hub& hub, OwnStaple& own, const Issued& issued) {
  for (const seams::Memo& memo : hub.settings.memos) {
    if (memo.kind != kMemo || memo.key != own.leaf) continue;
    const RevocationAnswer kept = proof::read_ocsp(issued, memo.value, proof::OcspOrigin::asked, hub.wall());
    if (kept.status == Status::good) serve(hub, own, memo.value, kept.next_update);
  }
}

void begin(const std::shared_ptr<Hub>& hub, const std::shared_ptr<const proof::Chain>& chain) {
  const Result<std::shared_ptr<const Issued>> issued = Issued::find(*chain, *hub->settings.anchors, hub->wall());
  if (!issued || (*issued)->responders().empty()) {
    if (chain->must_staple())
      hub->log(report::Event(report::Level::warning, "staple_failed")
                   .with("certificate", chain->fingerprint().substr(0, 16) + "…")
                   .with("detail", issued ? "the certificate names no OCSP responder" : issued.error().detail));
    return;
  }
  const auto own = std::make_shared<OwnStaple>();
  own->leaf = chain->fingerprint();
  own->chain = chain;
  recall(*hub, *own, **issued);
  wake(hub, own);
}

}  // namespace

void keep_staples(const std::shared_ptr<Hub>& hub, std::vector<std::shared_ptr<const proof::Chain>> own) {
  std::vector<std::shared_ptr<const proof::Chain>>& ours = hub->settings.revocation.own;
  std::vector<std::shared_ptr<const proof::Chain>> begun;
  for (std::shared_ptr<const proof::Chain>& chain : own) {
    const auto before = std::ranges::find_if(
        ours, [&](const auto& one) { return one->chain_fingerprint() == chain->chain_fingerprint(); });
    if (before != ours.end())
      chain = *before;
    else
      begun.push_back(chain);
  }
  ours = std::move(own);
  for (const std::shared_ptr<const proof::Chain>& chain : begun) begin(hub, chain);
}

}  // namespace ligase
