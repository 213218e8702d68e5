#include "net/tail.hpp"

#include <algorithm>
#include <utility>

namespace ligase::net {

void Tail::add(std::string_view bytes, std::span<const std::size_t> ends) {
  for (const std::size_t end : ends) ends_.push_back(bytes_.size() + end);
  bytes_.append(bytes);
}

void Tail::trim(std::size_t unacknowledged) {
  const std::size_t acknowledged = bytes_.size() - std::min(bytes_.size(), unacknowledged);
  const auto first = std::upper_bound(ends_.begin(), ends_.end(), acknowledged);
  const std::size_t gone = first == ends_.begin() ? 0 : *std::prev(first);
  if (gone == 0) return;
  bytes_.erase(0, gone);
  ends_.erase(ends_.begin(), first);
  for (std::size_t& end : ends_) end -= gone;
  if (bytes_.empty()) {  // at rest nothing is held
    bytes_ = {};
    ends_ = {};
  }
}

seams::Pieces Tail::take(std::size_t unacknowledged) {
  trim(unacknowledged);
  bytes_.resize(ends_.empty() ? 0 : ends_.back());  // the rest is the beginning of one that has not left whole
  return {std::exchange(bytes_, {}), std::exchange(ends_, {})};
}

}  // namespace ligase::net
