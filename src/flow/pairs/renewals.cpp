#include "pairs/renewals.hpp"

#include <algorithm>
#include <cmath>

namespace ligase::pairs {
namespace {

constexpr double kGoldenRatio = 0.6180339887498949;
constexpr double kEarliest = 0.7, kSpread = 0.2;  // of a life: 80 % ± 10 %
constexpr Duration kSoonest = 1s;
constexpr std::size_t kLeastAtOnce = 64, kShareAtOnce = 50;

}  // namespace

Renewals::Ticket Renewals::schedule(pair::StreamRef stream, const PairKey& key, Instant now, Duration life) {
  phase_ = std::fmod(phase_ + kGoldenRatio, 1.0);
  const auto wait = std::chrono::duration_cast<Duration>(life * (kEarliest + kSpread * phase_));
  return {*this, order_.emplace(now + std::max(wait, kSoonest), Due{stream, &key})};
}

Renewals::Ticket Renewals::schedule_retry(pair::StreamRef stream, const PairKey& key, Instant now, Duration life) {
  return {*this, order_.emplace(now + std::max(life / 2, kSoonest), Due{stream, &key})};
}

std::vector<Renewals::Renewal> Renewals::take_due(Instant now) {
  const std::size_t most = std::max(kLeastAtOnce, order_.size() / kShareAtOnce);
  std::vector<Renewal> due;
  for (const auto& [when, what] : order_) {
    if (when > now || due.size() == most) break;
    due.push_back({what.stream, *what.key});
  }
  return due;
}

}  // namespace ligase::pairs
