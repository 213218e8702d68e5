#include "dns/claim_places.hpp"

#include "base/on_leaving.hpp"
#include "base/work.hpp"

namespace ligase::dns {

Task<std::optional<ClaimPlaces::Place>> ClaimPlaces::take(Address prefix) {
  const auto found = lines_.find(prefix);
  std::optional<Place> place;
  if (found == lines_.end() && may_take(prefix)) {
    place.emplace(*this, taken_.count(prefix));
    co_return place;
  }
  if (found != lines_.end() && found->second.size() >= shares_.waiting) co_return std::nullopt;
  const auto waiter = std::make_shared<Waiter>(executor_, taken_.prepare(prefix));
  join(prefix, waiter);
  const OnLeaving gone([&] { waiter->is_gone = true; });  // its patience is over, or it was given up
  const auto came = co_await waiter->came.wait(clock_, clock_.now() + shares_.patience);
  if (!came) co_return std::nullopt;  // a place that was handed to it meanwhile goes back with it
  if (waiter->place) place.emplace(std::move(*waiter->place));
  co_return place;
}

void ClaimPlaces::join(const Address& prefix, const std::shared_ptr<Waiter>& waiter) {
  const auto line = lines_.try_emplace(prefix).first;
  try {
    line->second.push_back(waiter);
  } catch (...) {
    if (line->second.empty()) lines_.erase(line);
    throw;
  }
}

// The prefixes in turn, each one question. One that has its share is passed over: there are at most all / of_prefix of them.
void ClaimPlaces::hand_on() noexcept {
  std::size_t full = 0;
  while (taken_.total() < shares_.all && full < lines_.size()) {
    count_work();
    auto turn = lines_.upper_bound(last_);
    if (turn == lines_.end()) turn = lines_.begin();
    last_ = turn->first;
    Line& line = turn->second;
    while (!line.empty() && line.front()->is_gone) line.pop_front();
    if (line.empty()) {
      lines_.erase(turn);
    } else if (!may_take(last_)) {
      ++full;
    } else {
      const std::shared_ptr<Waiter> next = std::move(line.front());
      line.pop_front();
      if (line.empty()) lines_.erase(turn);
      next->taken.count();
      next->place.emplace(*this, std::move(next->taken));
      next->came.open(true);
      full = 0;
    }
  }
}

}  // namespace ligase::dns
