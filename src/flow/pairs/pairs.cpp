#include "pairs/pairs.hpp"

namespace ligase::pairs {
namespace {

constexpr std::size_t kMostRefusals = 10000;

}  // namespace

OutPair& OutPairs::add(const PairKey& key, WallTime now) {
  auto& slot = pairs_[key];
  if (!slot)
    slot = std::make_unique<OutPair>(
        OutPair{key, next_number_++, pair::Proving{now}, {}, nullptr, nullptr, false, 0, std::nullopt, {}});
  return *slot;
}

void Refusals::note(const PairKey& key, Refused refused, Instant now) {
  if (refused_.size() >= kMostRefusals)
    std::erase_if(refused_, [&](const auto& entry) { return entry.second.until <= now; });
  if (refused_.size() < kMostRefusals) refused_.insert_or_assign(key, std::move(refused));
}

const Refusals::Refused* Refusals::find(const PairKey& key) const {
  const auto found = refused_.find(key);
  return found == refused_.end() ? nullptr : &found->second;
}

}  // namespace ligase::pairs
