// An answer is remembered for its life, which is at most a day; a failure rests from one minute to ten, whatever the wall clock
// is set to meanwhile. "Revoked" is for
// good: silence does not take it back, only an answer that says otherwise.
#include "web/revocation_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/on_leaving.hpp"
#include "ground/ground.hpp"
#include "web/fetch.hpp"

namespace ligase::web {
namespace {

using proof::Issued;
using proof::not_known;
using proof::RevocationAnswer;
using proof::RevocationList;
using proof::RevocationMode;
using Status = RevocationAnswer::Status;

constexpr Duration kBudget = 5s;           // REV-02
constexpr std::size_t kMostKnown = 10000;  // leaves
constexpr std::size_t kMostShown = 64;     // sessions of one leaf, remembered for the re-check; any of them does
constexpr std::size_t kMostInFlight = 64;  // AB-065: strangers choose the responders
constexpr std::size_t kListBytes = 32 * 1024 * 1024;  // of all lists that are kept
constexpr auto kLeastRest = std::chrono::minutes(1), kMostRest = std::chrono::minutes(10);
constexpr Duration kLongestRest = std::chrono::hours(24);  // of an answer
constexpr std::string_view kMemo = "ocsp";

bool is_known(const RevocationAnswer& answer) noexcept { return answer.status != Status::unknown; }
bool holds(const RevocationAnswer& answer, WallTime now) noexcept {
  return answer.status == Status::revoked || (answer.status == Status::good && answer.expires > now);
}
std::string digits_of(const std::string& fingerprint) { return fingerprint.substr(0, 16) + "…"; }

// Each of `left` places gets its share of what is left of the time, so that a silent one does not use it up.
Instant share_of(const ground::Ground& ground, Instant deadline, std::size_t left) {
  return ground.now() + (deadline - ground.now()) / static_cast<int>(std::max<std::size_t>(1, left));
}

Task<Result<std::string>> fetch_body(ground::Ground& ground, WebRequest request, Instant deadline) {
  std::string host = request.host;
  const Result<WebAnswer> answer = co_await fetch_once(ground, std::move(request), deadline);
  if (!answer) co_return fail(answer.error());
  if (answer->status != 200)
    co_return fail(Reason::web_failed, fmt::format("{} answers with the status {}", host, answer->status));
  co_return answer->body;
}

WebRequest request_for(const Url& url) {
  WebRequest request;
  request.host = url.host.text();
  request.port = url.port;
  request.over_tls = url.is_https;
  request.target = url.target;
  return request;
}

Task<OcspFetched> ask_in_turn(ground::Ground& ground, std::shared_ptr<const Issued> issued, Instant deadline,
                              std::size_t places_after) {
  OcspFetched fetched{not_known("the certificate names no OCSP responder"), {}};
  for (std::size_t i = 0; i < issued->responders().size() && ground.now() < deadline && !ground.scope.is_closed();
       ++i) {
    WebRequest request = request_for(issued->responders()[i]);
    request.method =
        "POST";  // a GET, for the sake of caches between, would put the question into the path (RFC 6960 A.1)
    request.content_type = "application/ocsp-request";
    request.accept = "application/ocsp-response";
    request.body = proof::make_ocsp_request(*issued);
    request.most_body = proof::kLargestOcsp;
    const std::size_t left = issued->responders().size() - i + places_after;
    const Instant until = share_of(ground, deadline, left);
    const Result<std::string> body = co_await fetch_body(ground, std::move(request), until);
    fetched.answer = body ? proof::read_ocsp(*issued, *body, proof::OcspOrigin::asked, ground.wall())
                          : not_known("OCSP: " + body.error().detail);
    if (!is_known(fetched.answer)) continue;
    fetched.der = *body;
    break;
  }
  co_return fetched;
}

}  // namespace

Task<OcspFetched> ask_responders(ground::Ground& ground, std::shared_ptr<const Issued> issued, Instant deadline) {
  return ask_in_turn(ground, std::move(issued), deadline, 0);
}

RevocationSource::RevocationSource(ground::Ground& ground, std::function<void(const std::string& leaf)> revoked,
                                   const std::vector<seams::Memo>& memos)
    : ground_(ground), revoked_(std::move(revoked)) {
  for (const seams::Memo& memo : memos)
    if (memo.kind == kMemo && remembered_.size() < kMostKnown) remembered_.emplace(memo.key, memo.value);
}

RevocationSource::Known& RevocationSource::known(const std::string& leaf,
                                                 const std::shared_ptr<const proof::Chain>& chain) {
  if (known_.size() >= kMostKnown && !known_.contains(leaf)) {
    const auto at_rest = [](const auto& entry) {
      return entry.second.asking == nullptr &&
             std::ranges::all_of(entry.second.shown, [](const auto& one) { return one.expired(); });
    };
    auto victim = std::ranges::find_if(known_, at_rest);
    if (victim == known_.end())
      victim = std::ranges::find_if(known_, [](const auto& entry) { return entry.second.asking == nullptr; });
    if (victim != known_.end()) known_.erase(victim);
  }
  Known& entry = known_[leaf];
  std::erase_if(entry.shown, [](const auto& one) { return one.expired(); });
  const bool is_new = std::ranges::none_of(entry.shown, [&](const auto& one) { return one.lock() == chain; });
  if (is_new && entry.shown.size() < kMostShown) entry.shown.push_back(chain);
  return entry;
}

Task<std::optional<RevocationAnswer>> RevocationSource::ask(std::shared_ptr<const proof::Chain> chain,
                                                            std::string staple) {
  const bool must = ground_.rules.revocation() == RevocationMode::hard || chain->must_staple();
  if (ground_.rules.revocation() == RevocationMode::off && !must) co_return std::nullopt;
  const std::string leaf = chain->fingerprint();
  Known& entry = known(leaf, chain);
  look(leaf, entry, *chain, staple);
  if (entry.asking == nullptr && entry.ask_again <= ground_.now()) start_asking(leaf, entry, chain);
  if (!must || holds(entry.answer, ground_.wall()) || entry.asking == nullptr) co_return entry.answer;
  const std::shared_ptr<ground::Gate<bool>> asking = entry.asking;
  co_await asking->wait();  // who asks keeps the budget
  const auto found = known_.find(leaf);
  if (found == known_.end()) co_return not_known("it was forgotten for others");
  co_return found->second.answer;
}

// What needs no network. A list at hand is an operator's word: its "revoked" counts whatever anybody else says.
void RevocationSource::look(const std::string& leaf, Known& entry, const proof::Chain& chain,
                            const std::string& staple) {
  const WallTime now = ground_.wall();
  const std::size_t seen = staple.empty() ? 0 : std::hash<std::string>()(staple);
  // An earlier response, which still says "good", must not hide that the certificate was taken back since.
  const bool is_new_staple = seen != 0 && seen != entry.staple && entry.answer.status != Status::revoked;
  const bool are_new_lists = std::exchange(entry.lists, reading_) != reading_;
  if (holds(entry.answer, now) && !is_new_staple && !are_new_lists) return;
  const Result<std::shared_ptr<const Issued>> issued = Issued::find(chain, *ground_.rules.anchors(), now);
  if (!issued) {
    if (!holds(entry.answer, now)) entry.answer = not_known(issued.error().detail);
    return;
  }
  const RevocationAnswer by_list = proof::look_up(operator_s_lists_, **issued, now);
  if (by_list.status == Status::revoked) return take(leaf, entry, by_list);
  if (is_new_staple) {
    entry.staple = seen;
    const RevocationAnswer stapled = proof::read_ocsp(**issued, staple, proof::OcspOrigin::stapled, now);
    if (is_known(stapled)) return take(leaf, entry, stapled);
    if (!is_known(entry.answer)) entry.answer = stapled;
  }
  if (holds(entry.answer, now)) return;
  if (by_list.status == Status::good) return take(leaf, entry, by_list);
  if (const auto kept = remembered_.extract(leaf)) {
    const RevocationAnswer earlier = proof::read_ocsp(**issued, kept.mapped(), proof::OcspOrigin::asked, now);
    if (is_known(earlier)) take(leaf, entry, earlier);
  }
}

void RevocationSource::start_asking(const std::string& leaf, Known& entry, std::shared_ptr<const proof::Chain> chain) {
  if (ground_.scope.is_closed()) return;
  if (in_flight_ >= kMostInFlight) {
    if (!is_known(entry.answer)) entry.answer = not_known("too many issuers are being asked");
    return;
  }
  auto asking = std::make_shared<ground::Gate<bool>>(ground_.world.executor);
  Task<void> task = run(Asking(*this, leaf), leaf, std::move(chain));
  entry.asking = std::move(asking);
  ground_.spawn(std::move(task));
}

// By what is thrown too, or where it was never begun: nobody waits for ever, and the place is free (AB-246).
RevocationSource::Asking::~Asking() {
  if (of_ == nullptr) return;
  --of_->in_flight_;
  const auto asked = of_->known_.find(leaf_);
  if (asked == of_->known_.end()) return;
  if (const auto asking = std::exchange(asked->second.asking, nullptr)) asking->open(true);
}

Task<void> RevocationSource::run(Asking place, std::string leaf, std::shared_ptr<const proof::Chain> chain) {
  const Asking held = std::move(place);
  OcspFetched fetched;
  const Result<std::shared_ptr<const Issued>> issued = Issued::find(*chain, *ground_.rules.anchors(), ground_.wall());
  chain.reset();  // its session may end meanwhile
  if (issued)
    fetched = co_await fetch(*issued);
  else
    fetched.answer = not_known(issued.error().detail);
  const auto found = known_.find(leaf);
  if (found == known_.end()) co_return;
  if (is_known(fetched.answer)) {
    if (!fetched.der.empty())
      ground_.world.store.put({std::string(kMemo), leaf, std::move(fetched.der), fetched.answer.expires});
    take(leaf, found->second, std::move(fetched.answer));
  } else {
    take_failure(leaf, found->second, std::move(fetched.answer));
  }
}

Task<OcspFetched> RevocationSource::fetch(std::shared_ptr<const Issued> issued) {
  const Instant deadline = ground_.now() + kBudget;
  if (issued->responders().empty() && issued->lists().empty())
    co_return OcspFetched{not_known("the certificate names neither an OCSP responder nor a CRL"), {}};
  OcspFetched fetched = co_await ask_in_turn(ground_, issued, deadline, issued->lists().size());
  for (std::size_t i = 0; i < issued->lists().size(); ++i) {
    if (is_known(fetched.answer) || ground_.scope.is_closed()) break;
    const Instant until = share_of(ground_, deadline, issued->lists().size() - i);
    RevocationAnswer by_list = co_await ask_list(issued, issued->lists()[i], until);
    if (!is_known(by_list) && !issued->responders().empty())
      by_list.evidence = fetched.answer.evidence + "; " + by_list.evidence;
    fetched.answer = std::move(by_list);
  }
  co_return fetched;
}

// One list serves every certificate that names it.
Task<RevocationAnswer> RevocationSource::ask_list(std::shared_ptr<const Issued> issued, Url url, Instant deadline) {
  const std::string place = url.text();
  const auto is_it = [&](const FetchedList& one) { return one.url == place; };
  if (const auto kept = std::ranges::find_if(lists_, is_it); kept != lists_.end()) {
    RevocationAnswer answer = kept->list->look_up(*issued, 0, ground_.wall());
    if (is_known(answer)) co_return answer;
    lists_.erase(kept);
  }
  WebRequest request = request_for(url);
  request.accept = "application/pkix-crl";
  request.most_body = proof::kLargestList;
  const Result<std::string> body = co_await fetch_body(ground_, std::move(request), deadline);
  if (!body) co_return not_known("CRL: " + body.error().detail);
  const auto parsed = RevocationList::parse(*body);
  if (!parsed || parsed->size() != 1)
    co_return not_known(fmt::format("CRL: what {} sends is no revocation list", url.host.text()));
  const std::shared_ptr<RevocationList>& list = parsed->front();
  RevocationAnswer answer = list->look_up(*issued, 0, ground_.wall());
  if (!is_known(answer)) co_return answer;
  std::erase_if(lists_, is_it);
  lists_.push_front({place, list});
  std::size_t bytes = 0;
  std::erase_if(lists_, [&](const FetchedList& one) { return (bytes += one.list->size()) > kListBytes; });
  co_return answer;
}

void RevocationSource::take(const std::string& leaf, Known& entry, RevocationAnswer answer) {
  const bool is_news = answer.status == Status::revoked && entry.answer.status != Status::revoked;
  entry.failures = 0;
  entry.ask_again =
      ground_.now() + std::clamp<Duration>((answer.expires - ground_.wall()) * 3 / 4, kLeastRest, kLongestRest);
  next_check_ = std::min(next_check_, entry.ask_again);
  entry.answer = std::move(answer);
  if (!is_news) return;
  ground_.log(report::Event(report::Level::warning, "certificate_revoked")
                  .with("certificate", digits_of(leaf))
                  .with("detail", entry.answer.evidence));
  revoked_(leaf);
  // Whatever was judged before the news is granted by then.
  ground_.scope.call_at(ground_.now() + ground_.rules.limits().setup_timeout, [this, leaf] { revoked_(leaf); });
}

void RevocationSource::take_failure(const std::string& leaf, Known& entry, RevocationAnswer answer) {
  const WallTime now = ground_.wall();
  entry.ask_again =
      ground_.now() + std::min<std::chrono::seconds>(kMostRest, kLeastRest * (1u << std::min(entry.failures, 4u)));
  next_check_ = std::min(next_check_, entry.ask_again);
  ++entry.failures;
  ground_.log(report::Event(report::Level::info, "revocation_unknown")
                  .with("certificate", digits_of(leaf))
                  .with("detail", answer.evidence));
  if (!holds(entry.answer, now)) entry.answer = std::move(answer);
}

void RevocationSource::take_lists(std::vector<std::shared_ptr<RevocationList>> lists) {
  operator_s_lists_ = std::move(lists);
  ++reading_;
}

void RevocationSource::recheck() {
  const Instant now = ground_.now();
  if (known_.empty() || now < next_check_) return;
  next_check_ = Instant::max();
  for (auto& [leaf, entry] : known_) {
    std::shared_ptr<const proof::Chain> live;
    for (const std::weak_ptr<const proof::Chain>& one : entry.shown)
      if (live == nullptr) live = one.lock();
    if (live == nullptr) continue;
    if (entry.ask_again <= now && entry.asking == nullptr) start_asking(leaf, entry, std::move(live));
    if (entry.asking == nullptr)
      next_check_ = std::min(next_check_, std::max<Instant>(now + std::chrono::seconds(1), entry.ask_again));
  }
}

}  // namespace ligase::web
