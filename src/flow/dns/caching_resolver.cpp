#include "dns/caching_resolver.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <chrono>
#include <exception>
#include <map>
#include <utility>

#include "base/on_leaving.hpp"
#include "ground/gate.hpp"

namespace ligase::dns {
namespace {

using proof::Answer;
using Kept = std::shared_ptr<const Answer>;
using Key = std::pair<std::string, proof::RrType>;

constexpr std::chrono::seconds kShortest = 5s, kLongest = 24h, kLongestDenial = 300s;
constexpr std::array<std::chrono::seconds, 4> kFailureSteps{5s, 10s, 20s, 30s};
constexpr Duration kFailuresRemembered = 60s;  // after the last one's time, for the next step

Answer indeterminate(std::string why) {
  Answer answer;
  answer.why = std::move(why);
  return answer;
}

// What an answer holds of memory, and what it takes to find it: nodes of two trees, and what the allocator adds to each
// piece, as near as matters.
constexpr std::size_t kPiece = 32, kEntry = 640;
std::size_t bytes_of(const Key& key, const Answer& answer) {
  std::size_t bytes = kEntry + key.first.size() + answer.canonical_name.size() + answer.why.size();
  for (const Bytes& rdata : answer.rdata) bytes += sizeof rdata + kPiece + rdata.size();
  return bytes;
}

}  // namespace

// Shared with the fetches, which may end after the cache is gone.
struct CachingResolver::State : std::enable_shared_from_this<State> {
  State(seams::Resolver& resolver, seams::Clock& time, Executor on, CacheLimits bounds)
      : inner(resolver), clock(time), executor(std::move(on)), limits(bounds) {}

  struct Entry;
  using Entries = std::map<Key, Entry>;
  using Order = std::multimap<Instant, Entries::iterator>;
  struct Entry {
    Kept answer;
    Instant until;             // when it stops to be an answer
    std::size_t failures = 0;  // one after another
    std::size_t bytes = 0;     // that it is charged
    Order::iterator place;     // by when it may be forgotten
  };

  // The answer as it is now; nullopt: not there, or past its time.
  std::optional<Answer> find(const Key& key) const {
    const auto found = entries.find(key);
    if (found == entries.end() || found->second.until <= clock.now()) return std::nullopt;
    const Kept& kept = found->second.answer;
    if (kept->signatures_expire && *kept->signatures_expire <= clock.wall()) return std::nullopt;
    return with_ttl_left(*kept, found->second.until);
  }

  Answer with_ttl_left(Answer answer, Instant until) const {
    answer.ttl = std::chrono::ceil<std::chrono::seconds>(std::max(until - clock.now(), Duration::zero()));
    return answer;
  }

  // How long from now on it is an answer.
  std::chrono::seconds lifetime(const Answer& answer, std::size_t failures) const {
    if (proof::is_failed(answer.security)) return kFailureSteps[std::min(failures, kFailureSteps.size()) - 1];
    const auto longest = answer.is_denial() ? kLongestDenial : kLongest;
    const auto by_ttl = std::clamp(answer.ttl, kShortest, longest);
    if (!answer.signatures_expire) return by_ttl;
    return std::clamp(*answer.signatures_expire - clock.wall(), std::chrono::seconds::zero(), by_ttl);
  }

  Kept store(const Key& key, Answer answer) {
    const Instant now = clock.now();
    const auto before = entries.find(key);
    const std::size_t failures_before = before == entries.end() ? 0 : before->second.failures;
    const std::size_t failures = proof::is_failed(answer.security) ? failures_before + 1 : 0;
    const auto life = lifetime(answer, failures);
    answer.ttl = life;
    proof::keep_what_is_used(key.second, answer);
    const std::size_t size = bytes_of(key, answer);
    const Kept kept = std::make_shared<const Answer>(std::move(answer));
    const auto [at, is_new] = entries.try_emplace(key);
    Order::iterator place;
    try {
      place = forget_order.emplace(failures == 0 ? now + life : now + life + kFailuresRemembered, at);
    } catch (...) {
      if (is_new) entries.erase(at);
      throw;
    }
    Entry& entry = at->second;
    if (!is_new) forget_order.erase(entry.place);
    entry.failures = failures;
    entry.until = now + life;
    bytes -= std::exchange(entry.bytes, size);
    bytes += entry.bytes;
    entry.answer = kept;
    entry.place = place;
    for (int swept = 0; swept < 2; ++swept) {  // a little at each turn, so that no turn pays for all
      if (!forget_order.empty() && forget_order.begin()->first <= now) forget_first();
    }
    while (bytes > limits.most_bytes) forget_first();
    return kept;
  }

  void forget_first() {
    bytes -= forget_order.begin()->second->second.bytes;
    entries.erase(forget_order.begin()->second);
    forget_order.erase(forget_order.begin());
  }

  void forget_failures() {
    ++era;
    for (auto entry = forget_order.begin(); entry != forget_order.end();) {
      if (entry->second->second.failures == 0) {
        ++entry;
        continue;
      }
      bytes -= entry->second->second.bytes;
      entries.erase(entry->second);
      entry = forget_order.erase(entry);
    }
  }

  static Task<void> fetch(std::shared_ptr<State> self, Key key) {
    const std::uint64_t began_in = self->era;
    const OnLeaving over([&] { self->open.erase(key); });  // by what is thrown too: the next who asks begins anew
    Answer answer;
    try {
      answer = co_await self->inner.ask(key.first, key.second);
    } catch (const std::exception& broken) {  // memory, or a loop that ends
      answer = indeterminate(std::string("the question failed: ") + broken.what());
    }
    if (self->is_closed) co_return;
    const auto node = self->open.extract(key);
    const bool is_of_before = began_in != self->era && proof::is_failed(answer.security);
    node.mapped()->open(is_of_before ? std::make_shared<const Answer>(std::move(answer))
                                     : self->store(key, std::move(answer)));
  }

  static Task<Answer> ask(std::shared_ptr<State> self, Key key) {
    if (self->is_closed) co_return indeterminate("the resolver was shut down");
    if (auto hit = self->find(key)) co_return *std::move(hit);
    const bool is_first = !self->open.contains(key);
    if (is_first && self->open.size() >= self->limits.most_in_flight) {
      co_return indeterminate("too many questions at once");
    }
    if (is_first) self->open.emplace(key, std::make_unique<ground::Gate<Kept>>(self->executor));
    Task<std::optional<Kept>> answered;
    try {
      answered = self->open.at(key)->wait();  // the fetch may end, and the gate go, inside co_spawn
      if (is_first) boost::asio::co_spawn(self->executor, fetch(self, key), [](std::exception_ptr) {});
    } catch (const std::exception&) {
      if (is_first) self->open.erase(key);  // if it is there still
      throw;
    }
    const std::optional<Kept> kept = co_await std::move(answered);
    if (!kept) co_return indeterminate("the question was cancelled, or the resolver shut down");
    co_return **kept;
  }

  seams::Resolver& inner;
  seams::Clock& clock;
  Executor executor;
  CacheLimits limits;
  bool is_closed = false;
  std::uint64_t era = 0;  // a new one begins when failures are forgotten
  Entries entries;
  std::size_t bytes = 0;  // of all entries
  Order forget_order;
  std::map<Key, std::unique_ptr<ground::Gate<Kept>>> open;
};

CachingResolver::CachingResolver(seams::Resolver& inner, seams::Clock& clock, Executor executor, CacheLimits limits)
    : state_(std::make_shared<State>(inner, clock, std::move(executor), limits)) {}

CachingResolver::~CachingResolver() {
  state_->is_closed = true;
  state_->open.clear();
}

Task<proof::Answer> CachingResolver::ask(std::string name, proof::RrType type) {
  return State::ask(state_, Key(std::move(name), type));
}

bool CachingResolver::knows(const std::string& name, proof::RrType type) const {
  const Key key(name, type);
  return state_->open.contains(key) || state_->find(key).has_value();
}

void CachingResolver::forget_failures() { state_->forget_failures(); }

std::size_t CachingResolver::size() const noexcept { return state_->entries.size(); }
std::size_t CachingResolver::bytes() const noexcept { return state_->bytes; }
std::size_t CachingResolver::in_flight() const noexcept { return state_->open.size(); }

}  // namespace ligase::dns
