// One timer a certificate: it wakes to fetch, or to take back what is over. That is by the wall clock, which may be set meanwhile.
#include "web/staples.hpp"

#include <algorithm>

#include "ground/ground.hpp"
#include "web/revocation_source.hpp"

namespace ligase::web {
namespace {

using proof::Issued;
using proof::RevocationAnswer;
using Status = RevocationAnswer::Status;

constexpr Duration kPatience = 10s, kLongestSleep = 60s;
constexpr std::chrono::seconds kLeastRest = std::chrono::minutes(1), kMostRest = std::chrono::hours(1);
constexpr std::chrono::seconds kLongestRest = std::chrono::days(30);  // longer than responders' answers hold
constexpr std::string_view kMemo = "staple";

}  // namespace

Staples::Staples(ground::Ground& ground, Serve serve, const std::vector<seams::Memo>& memos)
    : ground_(ground), serve_(std::move(serve)) {
  std::ranges::copy_if(memos, std::back_inserter(memos_), [](const seams::Memo& memo) { return memo.kind == kMemo; });
}

// The very object: a certificate that went and came again is kept by the procedure that began when it came.
bool Staples::is_ours(const Own& own) const { return std::ranges::find(own_, own.chain) != own_.end(); }

void Staples::wake(const std::shared_ptr<Own>& own) {
  if (ground_.scope.is_closed() || !is_ours(*own)) return;
  const Instant now = ground_.now();
  Duration wait = std::min<Duration>(kLongestSleep, own->fetch_at - now);
  if (own->until)
    wait = std::min<Duration>(wait, std::min<std::chrono::seconds>(kLongestRest, *own->until - ground_.wall()));
  ground_.scope.call_at(now + std::max(wait, Duration::zero()), [this, own] {
    ground::Scope::Lost lost = [this, own](const Error&) { rest(own); };
    try {
      ground_.spawn(work(own), std::move(lost));
    } catch (const std::bad_alloc&) {
      rest(own);
    }
  });
}

// There was no memory for it: later.
void Staples::rest(const std::shared_ptr<Own>& own) {
  own->fetch_at = std::max<Instant>(own->fetch_at, ground_.now() + kLeastRest);
  wake(own);
}

// Half of what is left of its life, a tenth more or less, so that a reload does not make all of them ask at once.
Duration Staples::half_of(WallTime until) const {
  const std::chrono::seconds life = until - ground_.wall();
  return std::max(kLeastRest, std::min(kLongestRest, life) * (900 + ground_.world.draw(200)) / 2000);
}

void Staples::serve(Own& own, std::string der, WallTime until) {
  own.until = until;
  own.failures = 0;
  own.fetch_at = ground_.now() + half_of(until);
  serve_(own.leaf, std::move(der));
}

void Staples::take(Own& own, OcspFetched fetched) {
  if (fetched.answer.status == Status::good) {
    ground_.world.store.put({std::string(kMemo), own.leaf, fetched.der, fetched.answer.next_update});
    ground_.log(report::Event(report::Level::info, "staple_fetched")
                    .with("certificate", own.leaf.substr(0, 16) + "…")
                    .with("expires", rfc3339(fetched.answer.next_update)));
    return serve(own, std::move(fetched.der), fetched.answer.next_update);
  }
  const std::chrono::seconds rest = std::min(kMostRest, kLeastRest * (1u << std::min(own.failures, 6u)));
  own.fetch_at = ground_.now() + rest;
  ++own.failures;
  ground_.log(report::Event(report::Level::warning, "staple_failed")
                  .with("certificate", own.leaf.substr(0, 16) + "…")
                  .with("detail", fetched.answer.evidence)
                  .with("retry_at", rfc3339(ground_.wall() + rest)));
}

Task<void> Staples::work(std::shared_ptr<Own> own) {
  if (!is_ours(*own)) co_return;
  const WallTime now = ground_.wall();
  if (own->until && *own->until <= now) {
    own->until.reset();
    serve_(own->leaf, {});
  }
  if (own->fetch_at <= ground_.now()) {
    OcspFetched fetched;
    const Result<std::shared_ptr<const Issued>> issued = Issued::find(*own->chain, *ground_.rules.anchors(), now);
    if (issued)
      fetched = co_await ask_responders(ground_, *issued, ground_.now() + kPatience);
    else
      fetched.answer = proof::not_known(issued.error().detail);
    if (!ground_.scope.is_closed()) take(*own, std::move(fetched));
  }
  wake(own);
}

// What an earlier run fetched, if it still holds.
void Staples::recall(Own& own, const Issued& issued) {
  for (const seams::Memo& memo : memos_) {
    if (memo.kind != kMemo || memo.key != own.leaf) continue;
    const RevocationAnswer kept = proof::read_ocsp(issued, memo.value, proof::OcspOrigin::asked, ground_.wall());
    if (kept.status == Status::good) serve(own, memo.value, kept.next_update);
  }
}

void Staples::begin(const std::shared_ptr<const proof::Chain>& chain) {
  const Result<std::shared_ptr<const Issued>> issued = Issued::find(*chain, *ground_.rules.anchors(), ground_.wall());
  if (!issued || (*issued)->responders().empty()) {
    if (chain->must_staple())
      ground_.log(report::Event(report::Level::warning, "staple_failed")
                      .with("certificate", chain->fingerprint().substr(0, 16) + "…")
                      .with("detail", issued ? "the certificate names no OCSP responder" : issued.error().detail));
    return;
  }
  const auto own = std::make_shared<Own>();
  own->leaf = chain->fingerprint();
  own->chain = chain;
  recall(*own, **issued);
  wake(own);
}

void Staples::keep(std::vector<std::shared_ptr<const proof::Chain>> own) {
  std::vector<std::shared_ptr<const proof::Chain>>& ours = own_;
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
  for (const std::shared_ptr<const proof::Chain>& chain : begun) begin(chain);
}

}  // namespace ligase::web
