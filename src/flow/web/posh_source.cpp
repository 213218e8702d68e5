// Every hop is a fetch of its own, so the address guard and the judgement of the certificate are new each time (AB-150,
// AB-151). A document is evidence only if all of its way held.
#include "web/posh_source.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/on_leaving.hpp"
#include "ground/ground.hpp"
#include "name/url.hpp"
#include "web/fetch.hpp"

namespace ligase::web {
namespace {

using proof::PoshAnswer;
using proof::PoshFingerprints;
using proof::PoshReference;

constexpr Duration kPatience = 10s;
constexpr Duration kFailureLife = 60s;
constexpr std::size_t kMostBody = 64 * 1024;
constexpr unsigned kMostRedirects = 3;                                // on the whole way, a reference's included
constexpr std::size_t kMostKept = 10'000, kMostDescriptors = 20'000;  // the latter are some 200 bytes each
constexpr std::size_t kMostInFlight = 64;                             // of ours; and of all claimants together
constexpr std::size_t kMostOfAClaimant = 16, kMostWaitingOfAClaimant = 256;
constexpr std::string_view kPath = "/.well-known/posh/xmpp-server.json";
constexpr std::string_view kMemo = "posh";

Error failed(std::string why) { return {Reason::posh_failed, std::move(why)}; }

bool is_json(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find(';')));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.pop_back();
  std::ranges::transform(type, type.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return type == "application/json";
}

bool is_redirect(unsigned status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// Where a redirect leads, if it may be followed: RFC 7711 §10 asks for an https URI; another port than 443 is for those
// alone who are at one already, since a reference document named it (POSH-01).
Result<Url> follow(const Url& from, const std::string& location) {
  Result<Url> to = Url::parse(location);
  if (!to)
    return fail(failed(fmt::format("{} redirects to what may not be followed: {}", from.text(), to.error().detail)));
  if (!to->is_https)
    return fail(failed(fmt::format("{} redirects to {}, which is not https", from.text(), to->text())));
  if (to->port != 443 && to->port != from.port)
    return fail(failed(fmt::format("{} redirects to another port, {}", from.text(), to->text())));
  return to;
}

struct Fetched {
  Url from;
  std::string body;
};

Task<Result<Fetched>> fetch_document(ground::Ground& ground, Url url, ground::Claimant by, unsigned* redirects,
                                     Instant deadline) {
  for (;;) {
    WebRequest request;
    request.host = url.host.text();
    request.port = url.port;
    request.target = url.target;
    request.accept = "application/json";
    request.most_body = kMostBody;
    request.by = by;
    Result<WebAnswer> answer = co_await fetch_once(ground, std::move(request), deadline);
    if (!answer && answer.error().reason == Reason::limit_reached) co_return fail(std::move(answer.error()));
    if (!answer) co_return fail(failed(fmt::format("{}: {}", url.text(), reason_text(answer.error()))));
    if (is_redirect(answer->status)) {
      if (++*redirects > kMostRedirects) co_return fail(failed(url.text() + " is one redirect too many"));
      Result<Url> next = follow(url, answer->location);
      if (!next) co_return fail(next.error());
      url = *std::move(next);
      continue;
    }
    if (answer->status != 200) co_return fail(failed(fmt::format("{} answers {}", url.text(), answer->status)));
    if (!is_json(answer->content_type))
      co_return fail(failed(fmt::format("{} answers with \"{}\", which is not application/json", url.text(),
                                        escaped(answer->content_type, 64))));
    Fetched fetched{std::move(url), std::move(answer->body)};
    co_return fetched;
  }
}

// The document itself, or the one it refers to (RFC 7711 §3.2). `expires` of the answer: now and the lower of the two.
Task<Result<PoshAnswer>> retrieve(ground::Ground& ground, Domain domain, ground::Claimant by, Instant deadline) {
  unsigned redirects = 0;
  Url url{true, HostName(domain), 443, std::string(kPath)};
  auto life = std::chrono::seconds::max();
  for (bool may_refer = true;; may_refer = false) {
    Result<Fetched> fetched = co_await fetch_document(ground, std::move(url), by, &redirects, deadline);
    if (!fetched) co_return fail(fetched.error());
    Result<proof::PoshDocument> document = proof::parse_posh(fetched->body);
    if (!document) co_return fail(failed(fmt::format("{}: {}", fetched->from.text(), document.error().detail)));
    if (auto* fingerprints = std::get_if<PoshFingerprints>(&*document)) {
      life = proof::clamp_posh_expiry(std::min(life, fingerprints->expires));
      PoshAnswer answer{std::move(fingerprints->descriptors), std::nullopt, ground.wall() + life, fetched->from.text()};
      co_return answer;
    }
    const auto& reference = std::get<PoshReference>(*document);
    if (!may_refer)
      co_return fail(
          failed(fmt::format("{} is a reference, as was the document that refers to it", fetched->from.text())));
    Result<Url> next = Url::parse(reference.url);
    if (!next || !next->is_https)
      co_return fail(failed(fmt::format("{} refers to \"{}\", which is no https URL to fetch", fetched->from.text(),
                                        escaped(reference.url, 128))));
    url = *std::move(next);
    life = reference.expires;
  }
}

// "URL\nDOCUMENT"
std::string memo_text(const PoshAnswer& answer, std::chrono::seconds life) {
  return answer.source + "\n" + proof::write_posh(answer.descriptors, life);
}

Duration part(Duration life) { return life * 6 / 10; }

PoshAnswer not_fetched(Error why) {
  PoshAnswer none;
  none.failure = std::move(why);
  none.expires = WallTime::max();
  return none;
}

}  // namespace

Task<PoshAnswer> PoshSource::ask(Domain domain, ground::Claimant by) {
  const Instant until = ground_.now() + kPatience / 2;  // for a place
  for (;;) {
    const Entry* known = usable(domain, ground_.wall(), ground_.now());
    if (known != nullptr && ground_.now() < known->fresh_until) co_return *known->answer;
    const auto at = in_flight_.find(domain);
    const bool is_joined = at != in_flight_.end();
    std::shared_ptr<ground::Gate<Shared>> done;
    if (is_joined) {
      done = at->second;
    } else {
      if (!has_room_for(by)) {
        if (known != nullptr) co_return *known->answer;
        // A provider of many such domains claims them all at once: they wait for one another, and for nobody else.
        if (const std::shared_ptr<ground::Gate<bool>> room = room_of(by)) {
          const auto came = co_await room->wait(ground_.world.clock, until);
          if (came && *came) continue;
        }
        co_return not_fetched({Reason::limit_reached, "too many POSH documents are being fetched"});
      }
      done = begin(domain, by);
    }
    const std::optional<Shared> came = co_await done->wait();
    if (!came || *came == nullptr) co_return not_fetched({Reason::cancelled, "the fetch was given up"});
    const bool is_refused = (*came)->failure && (*came)->failure->reason == Reason::limit_reached;
    if (!is_refused || !is_joined) co_return **came;  // else: refused to somebody else, not to us
  }
}

// Who claims domains whose web servers say nothing fills places of his own.
bool PoshSource::has_room_for(ground::Claimant by) const {
  const auto mine = fetching_.find(by);
  const std::size_t at_work = mine == fetching_.end() ? 0 : mine->second;
  if (!by) return at_work < kMostInFlight;
  const auto ours = fetching_.find(std::nullopt);
  const std::size_t claimed = in_flight_.size() - (ours == fetching_.end() ? 0 : ours->second);
  return at_work < kMostOfAClaimant && claimed < kMostInFlight;
}

std::shared_ptr<ground::Gate<bool>> PoshSource::room_of(ground::Claimant by) {
  if (!fetching_.contains(by)) return nullptr;  // others have taken it all: there is nothing of its own to wait for
  std::shared_ptr<ground::Gate<bool>>& room = room_[by];
  if (room == nullptr) room = std::make_shared<ground::Gate<bool>>(ground_.world.executor);
  return room->waiting() < kMostWaitingOfAClaimant ? room : nullptr;
}

std::shared_ptr<ground::Gate<PoshSource::Shared>> PoshSource::begin(const Domain& domain, ground::Claimant by) {
  const auto done = std::make_shared<ground::Gate<Shared>>(ground_.world.executor);
  ground::Scope::Lost lost = [this, domain, by, done](const Error&) { is_over(domain, by, *done); };
  Task<void> task = fetch(domain, by, done);
  in_flight_.emplace(domain, done);
  try {
    ++fetching_[by];
  } catch (...) {
    in_flight_.erase(domain);
    throw;
  }
  ground_.spawn(std::move(task), std::move(lost));
  return done;
}

// Once, however it ends.
void PoshSource::is_over(const Domain& domain, ground::Claimant by, ground::Gate<Shared>& done) noexcept {
  const auto own = in_flight_.find(domain);
  if (own == in_flight_.end() || own->second.get() != &done) return;
  if (const auto mine = fetching_.find(by); --mine->second == 0) fetching_.erase(mine);
  const std::shared_ptr<ground::Gate<Shared>> kept = std::move(own->second);
  in_flight_.erase(own);
  if (auto room = room_.extract(by)) room.mapped()->open(true);
  done.open(nullptr);  // unless it is open already: something was thrown
}

Task<void> PoshSource::fetch(Domain domain, ground::Claimant by, std::shared_ptr<ground::Gate<Shared>> done) {
  const OnLeaving over([&] { is_over(domain, by, *done); });
  Result<PoshAnswer> came = co_await retrieve(ground_, domain, by, ground_.now() + kPatience);
  if (!came && came.error().reason == Reason::limit_reached) {
    const auto refused = std::make_shared<const PoshAnswer>(not_fetched(std::move(came.error())));
    done->open(refused);
    co_return;
  }
  if (!came) {
    PoshAnswer none;
    none.failure = failed(fmt::format("the POSH document of {} cannot be had: {}", domain.text(), came.error().detail));
    none.expires = ground_.wall() + std::chrono::duration_cast<std::chrono::seconds>(kFailureLife);
    came = std::move(none);
  }
  const Shared settled = settle(domain, *std::move(came));
  done->open(settled);
}

PoshSource::Shared PoshSource::settle(const Domain& domain, PoshAnswer came) {
  const Instant now = ground_.now();
  const auto before = kept_.find(domain);
  const auto life = came.expires - ground_.wall();
  if (came.failure) {
    ground_.log(report::Event(report::Level::info, "posh_failed")
                    .with("remote", domain.text())
                    .with("reason", name_of(came.failure->reason))
                    .with("detail", came.failure->detail));
    // A web server that is down for an hour takes nothing back that was said for a day.
    if (const Entry* old = usable(domain, ground_.wall(), now); old != nullptr && !old->answer->failure) {
      before->second.fresh_until = std::min(old->usable_until, now + kFailureLife);
      return old->answer;
    }
    auto answer = std::make_shared<const PoshAnswer>(std::move(came));
    keep(domain, {answer, now + life, now + life}, now);
    return answer;
  }
  const bool is_other = before != kept_.end() && !before->second.answer->failure &&
                        before->second.answer->descriptors != came.descriptors;
  ground_.log(
      report::Event(is_other ? report::Level::info : report::Level::debug, is_other ? "posh_changed" : "posh_fetched")
          .with("remote", domain.text())
          .with("source", came.source)
          .with("fingerprints", std::to_string(came.descriptors.size()))
          .with("expires", rfc3339(came.expires)));
  ground_.world.store.put({std::string(kMemo), std::string(domain.text()), memo_text(came, life), came.expires});
  auto answer = std::make_shared<const PoshAnswer>(std::move(came));
  keep(domain, {answer, now + part(life), now + life}, now);
  return answer;
}

bool PoshSource::knows(const Domain& domain) const {
  const Entry* known = usable(domain, ground_.wall(), ground_.now());
  return known != nullptr && ground_.now() < known->fresh_until;
}

const PoshSource::Entry* PoshSource::usable(const Domain& domain, WallTime wall, Instant now) const {
  const auto found = kept_.find(domain);
  if (found == kept_.end()) return nullptr;
  const Entry& entry = found->second;
  return wall < entry.answer->expires && now < entry.usable_until ? &entry : nullptr;
}

void PoshSource::forget(std::map<Domain, Entry>::iterator entry) {
  kept_descriptors_ -= entry->second.answer->descriptors.size();
  kept_.erase(entry);
}

// Over the bounds what is over goes, then what ends first: a flood of domains costs web servers their documents, not us.
void PoshSource::keep(const Domain& domain, Entry entry, Instant now) {
  if (const auto old = kept_.find(domain); old != kept_.end()) forget(old);
  kept_descriptors_ += entry.answer->descriptors.size();
  kept_.insert_or_assign(domain, std::move(entry));
  const auto is_full = [&] { return kept_.size() > kMostKept || kept_descriptors_ > kMostDescriptors; };
  if (is_full())
    for (auto at = kept_.begin(); at != kept_.end();) {
      const auto here = at++;
      if (here->second.usable_until <= now) forget(here);
    }
  while (is_full())
    forget(std::ranges::min_element(kept_, {}, [](const auto& one) { return one.second.usable_until; }));
}

void PoshSource::recall(const std::vector<seams::Memo>& memos, WallTime wall, Instant now) {
  for (const seams::Memo& memo : memos) {
    if (memo.kind != kMemo) continue;
    const std::size_t end = memo.value.find('\n');
    const Result<Domain> domain = Domain::parse(memo.key);
    if (!domain || end == std::string::npos) continue;
    const Result<proof::PoshDocument> document = proof::parse_posh(std::string_view(memo.value).substr(end + 1));
    if (!document || !std::holds_alternative<PoshFingerprints>(*document)) continue;
    // Whatever the file says, no longer than the longest life there is.
    const auto life = std::min<std::chrono::seconds>(memo.expires - wall, std::chrono::hours(24));
    if (life <= std::chrono::seconds::zero()) continue;
    PoshAnswer answer{std::get<PoshFingerprints>(*document).descriptors, std::nullopt, wall + life,
                      memo.value.substr(0, end)};
    keep(*domain, {std::make_shared<const PoshAnswer>(std::move(answer)), now + part(life), now + life}, now);
  }
}

}  // namespace ligase::web
