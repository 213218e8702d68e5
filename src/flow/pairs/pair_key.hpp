// Pairs as keys of hash tables, found by the text of a stanza's addresses without making a Domain of it first.
#pragma once
#include <functional>
#include <string_view>

#include "name/domain.hpp"

namespace ligase::pairs {

struct PairView {  // as canonical addresses have them (Domain::unicode()), borrowed for the look-up
  std::string_view sender, target;
};
struct PairKey {
  Domain sender, target;
  operator PairView() const noexcept { return {sender.unicode(), target.unicode()}; }
  PairKey reversed() const { return {target, sender}; }
  auto operator<=>(const PairKey&) const = default;
};
struct PairHash {
  using is_transparent = void;
  std::size_t operator()(const PairView& pair) const noexcept {
    const std::size_t first = std::hash<std::string_view>{}(pair.sender);
    return first * 0x9E3779B97F4A7C15ull + std::hash<std::string_view>{}(pair.target);
  }
  std::size_t operator()(const PairKey& pair) const noexcept { return (*this)(static_cast<PairView>(pair)); }
};
struct PairEqual {
  using is_transparent = void;
  static bool same(const PairView& a, const PairView& b) noexcept {
    return a.sender == b.sender && a.target == b.target;
  }
  bool operator()(const PairView& a, const PairView& b) const noexcept { return same(a, b); }
  bool operator()(const PairKey& a, const PairKey& b) const noexcept { return same(a, b); }
  bool operator()(const PairView& a, const PairKey& b) const noexcept { return same(a, b); }
  bool operator()(const PairKey& a, const PairView& b) const noexcept { return same(a, b); }
};

}  // namespace ligase::pairs
