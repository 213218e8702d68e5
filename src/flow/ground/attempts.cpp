// Nothing is scanned: an account leaves the list of those at rest when something begins, and comes to its end when it is over;
// what is too old, or too much, is at its front.
#include "ground/attempts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/on_leaving.hpp"

namespace ligase::ground {
namespace {

constexpr unsigned kOurs = 32, kOfAClaimant = 32, kOfAllClaimants = 64;  // at work, at one address
// Failures in a row before the address itself is in doubt, and not a name: of ours as rounds, of a claimant's each.
constexpr unsigned kFree = 3;
constexpr Duration kLeastPause = 1s, kMostPause = 300s, kRetryAtOnce = 10s;  // as ROUTE-04
constexpr Duration kRemembered = 600s;                                       // longer than any pause
constexpr std::size_t kMostAccounts = 10'000;

}  // namespace

Attempts::Attempt::Attempt(Attempts& all, Address to, Claimant by)
    : all_(all), to_(to), by_(by), began_(all.world_.now()) {}
Attempts::Attempt::~Attempt() { arrived(); }

void Attempts::Attempt::begin() noexcept {
  is_at_work_ = true;
  began_ = all_.world_.now();
}

void Attempts::Attempt::arrived() {
  if (std::exchange(is_at_work_, false)) all_.leave({to_, by_});
}
void Attempts::Attempt::succeeded() {
  arrived();
  if (!std::exchange(is_decided_, true)) all_.note_success({to_, by_});
}
void Attempts::Attempt::failed(const Error& why) {
  const bool is_to_blame = is_at_work_ || by_;
  if (!std::exchange(is_decided_, true) && is_to_blame) all_.note_failure({to_, by_}, began_, why);
  arrived();
}

Result<void> Attempts::admit(const Key& key, const Account& account) const {
  const Instant now = world_.now();
  const auto left_alone = [&] {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(account.retry_at - now).count();
    return fmt::format("{} is left alone for {} s more, since {} attempts in a row failed: {}", key.to.text(), seconds,
                       account.failures, account.last.detail);
  };
  if (key.by) {
    if (account.all_failures > kFree && account.retry_at > now) return fail(Reason::limit_reached, left_alone());
    const auto all = by_claims_.find(key.to);
    if (account.at_work >= kOfAClaimant || (all != by_claims_.end() && all->second >= kOfAllClaimants))
      return fail(Reason::limit_reached,
                  fmt::format("as many connections to {} as claims may bring about are being made", key.to.text()));
  } else if (account.failures >= kFree && account.retry_at > now && now - account.last_try < kRetryAtOnce) {
    return fail(account.last.reason, left_alone());
  }
  return {};
}

std::map<Attempts::Key, Attempts::Account>::iterator Attempts::account_of(const Key& key) {
  const auto known = accounts_.find(key);
  if (known != accounts_.end()) return known;
  Account account;
  account.place = account.kept.insert(account.kept.end(), key);
  return accounts_.emplace(key, std::move(account)).first;
}

Task<Result<std::unique_ptr<Attempts::Attempt>>> Attempts::enter(Address to, Claimant by, Instant deadline) {
  const Key key{to, by};
  auto attempt = std::make_unique<Attempt>(*this, to, by);
  auto entry = account_of(key);
  const OnLeaving settled([&] {  // refused, or something was thrown
    if (const auto left = accounts_.find(key); left != accounts_.end() && !left->second.is_at_rest) settle(left);
  });
  if (Result<void> admitted = admit(key, entry->second); !admitted) co_return fail(std::move(admitted.error()));
  if (!by && entry->second.at_work >= kOurs) {
    auto turn = std::make_shared<Gate<bool>>(world_.executor);
    const auto place = entry->second.waiting.insert(entry->second.waiting.end(), turn);
    bool has_turn = false;
    const OnLeaving given_up([&] {
      if (has_turn) return;
      if (turn->is_open()) {
        leave(key);  // our place came at the very moment that we gave up
      } else {
        accounts_.find(key)->second.waiting.erase(place);
      }
    });
    const auto came = co_await turn->wait(world_.clock, deadline);
    entry = accounts_.find(key);
    if (!came)
      co_return fail(Reason::connect_timeout,
                     fmt::format("as many connections to {} as may be were being made all the time", to.text()));
    // What others met meanwhile counts.
    if (Result<void> admitted = admit(key, entry->second); !admitted) co_return fail(std::move(admitted.error()));
    has_turn = true;
  } else {
    if (by) ++by_claims_[to];
    ++entry->second.at_work;
  }
  attempt->begin();
  stir(entry->second);
  entry->second.last_try = world_.now();
  co_return std::move(attempt);
}

std::size_t Attempts::at_work() const noexcept {
  return by_claims_.size() + static_cast<std::size_t>(std::ranges::count_if(accounts_, [](const auto& entry) {
           return entry.second.at_work > 0 || !entry.second.waiting.empty();
         }));
}

void Attempts::leave(const Key& key) noexcept {
  if (key.by)
    if (const auto all = by_claims_.find(key.to); --all->second == 0) by_claims_.erase(all);
  const auto entry = accounts_.find(key);
  Account& account = entry->second;
  if (account.waiting.empty()) {
    --account.at_work;
    return settle(entry);
  }
  const std::shared_ptr<Gate<bool>> next = std::move(account.waiting.front());
  account.waiting.pop_front();
  next->open(true);
}

void Attempts::note_failure(const Key& key, Instant began, const Error& why) {
  Error last = why;
  const auto entry = account_of(key);
  Account& account = entry->second;
  account.last = std::move(last);
  ++account.all_failures;
  if (account.failures == 0 || began >= account.counted_at) {
    const Duration pause =
        std::min<Duration>(kLeastPause * (1u << std::min(std::max(account.failures, kFree) - kFree, 9u)), kMostPause);
    account.retry_at = world_.now() + pause / 2 + pause * world_.draw(1000) / 1000;
    account.counted_at = world_.now();
    ++account.failures;
  }
  settle(entry);
}

void Attempts::note_success(const Key& key) {
  for (const Key& one : {key, Key{key.to, std::nullopt}}) {  // the address is alive, whoever came to know it
    const auto entry = accounts_.find(one);
    if (entry == accounts_.end()) continue;
    entry->second.failures = entry->second.all_failures = 0;
    settle(entry);
  }
}

// What became of it now that something ended: still at work, at rest with something to remember, or nothing.
void Attempts::settle(std::map<Key, Account>::iterator entry) noexcept {
  Account& account = entry->second;
  if (account.at_work > 0) return;
  stir(account);
  if (account.failures == 0) {
    accounts_.erase(entry);
  } else {
    resting_.splice(resting_.end(), account.kept, account.place);
    account.is_at_rest = true;
  }
  const auto is_over = [&](const Key& first) {
    return accounts_.size() > kMostAccounts || accounts_.at(first).counted_at + kRemembered < world_.now();
  };
  while (!resting_.empty() && is_over(resting_.front())) {
    accounts_.erase(resting_.front());
    resting_.pop_front();
  }
}

void Attempts::stir(Account& account) noexcept {
  if (std::exchange(account.is_at_rest, false)) account.kept.splice(account.kept.end(), resting_, account.place);
}

}  // namespace ligase::ground
