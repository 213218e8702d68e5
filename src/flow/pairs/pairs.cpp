#include "pairs/pairs.hpp"

#include <algorithm>

#include "base/work.hpp"

namespace ligase::pairs {
namespace {

constexpr std::size_t kMostRefusals = 10000;
constexpr std::uint64_t kShares = 4;

}  // namespace

OutPair& OutPairs::add(const PairKey& key) {
  if (OutPair* known = find(key)) return *known;
  auto made = std::make_unique<OutPair>(
      OutPair{key, next_number_++, {}, {}, nullptr, nullptr, 0, 0, std::nullopt, {}, of_senders_.count(key.sender)});
  return *pairs_.emplace(key, std::move(made)).first->second;
}

bool OutPairs::may_add(const PairKey& key, std::uint64_t most) const {
  if (pairs_.contains(key)) return true;
  return pairs_.size() < most && of_senders_.of(key.sender) < std::max<std::uint64_t>(1, most / kShares);
}

void Refusals::note(const PairKey& key, Refused refused, Instant now) {
  while (!oldest_.empty() && (oldest_.front().first <= now || oldest_.size() >= 2 * kMostRefusals)) {
    const auto found = refused_.find(oldest_.front().second);  // noted again since, or taken back: not this one's
    if (found != refused_.end() && found->second.until == oldest_.front().first) refused_.erase(found);
    oldest_.pop_front();
    count_work();
  }
  if (refused_.size() >= kMostRefusals && !refused_.contains(key)) return;
  oldest_.emplace_back(refused.until, key);
  refused_.insert_or_assign(key, std::move(refused));
}

const Refusals::Refused* Refusals::find(const PairKey& key) const {
  const auto found = refused_.find(key);
  return found == refused_.end() ? nullptr : &found->second;
}

}  // namespace ligase::pairs
