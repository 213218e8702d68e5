// Which prefixes are declared around the element at hand. A look-up costs by the length of the prefix and the logarithm of
// what is declared, whatever names a stranger chose (no hash to collide, no list to scan: AB-013). Internal to xml/.
#pragma once
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/work.hpp"

namespace ligase::xml {

struct CountedLess {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const noexcept {
    count_work();
    return a < b;
  }
};

struct Nothing {};

// `Value`: what is known of a declaration beside its prefix.
template <class Value = Nothing>
class Scope {
 public:
  void declare(std::string_view prefix, std::size_t depth, Value value = {}) {
    const auto at = prefixes_.try_emplace(std::string(prefix)).first;
    at->second.push_back(value);
    open_.push_back({at, depth});
  }
  // Those of elements at `depth` and deeper are gone.
  void leave(std::size_t depth) {
    while (!open_.empty() && open_.back().depth >= depth) {
      const auto at = open_.back().at;
      at->second.pop_back();
      if (at->second.empty()) prefixes_.erase(at);
      open_.pop_back();
    }
  }
  void clear() {
    open_.clear();
    prefixes_.clear();
  }
  // The innermost declaration of `prefix`; null: none.
  const Value* find(std::string_view prefix) const noexcept {
    if (open_.empty()) return nullptr;
    const auto found = prefixes_.find(prefix);
    return found == prefixes_.end() ? nullptr : &found->second.back();
  }
  bool is_empty() const noexcept { return open_.empty(); }

 private:
  using Prefixes = std::map<std::string, std::vector<Value>, CountedLess>;
  struct Open {
    typename Prefixes::iterator at;
    std::size_t depth;
  };
  Prefixes prefixes_;
  std::vector<Open> open_;  // in the order of their start tags; bounded by the parser's limits on attributes and depth
};

}  // namespace ligase::xml
