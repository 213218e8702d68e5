#include "streams/windows.hpp"

namespace ligase::streams {

PairWindow& Windows::add(Stream& of, pairs::PairKey pair, std::uint32_t first) {
  auto made = std::make_shared<PairWindow>(of, std::move(pair), first, due_);
  PairWindow& window = *made;
  std::list<PairWindow*> place{&window};
  window.by_use = place.begin();
  windows_.emplace(window.key, std::move(made));
  by_use_.splice(by_use_.end(), place);
  return window;
}

pair::Receipt Windows::receive(PairWindow& at, std::uint64_t bytes, Instant now) {
  if (!at.window.receive(bytes)) return {};
  at.used_at = now;
  by_use_.splice(by_use_.end(), by_use_, at.by_use);
  return {at.shared_from_this(), bytes};
}

void Windows::forget(PairWindow& window, Instant now) {
  if (!window.window.is_as_new()) {
    window.used_at = now;
    return by_use_.splice(by_use_.end(), by_use_, window.by_use);
  }
  by_use_.erase(window.by_use);
  const auto found = windows_.find(window.key);
  const std::shared_ptr<PairWindow> last = std::move(found->second);
  windows_.erase(found);
  last->abandon();
}

}  // namespace ligase::streams
