#include "peers/spellings.hpp"

#include <algorithm>

namespace ligase::peers {
namespace {

constexpr auto kLife = std::chrono::days(7);
constexpr std::size_t kMost = 10'000;  // beyond, one that was learned before is learned anew when it is met
constexpr std::string_view kMemo = "labels", kAscii = "ascii";

}  // namespace

Spellings::Spellings(ground::Ground& ground, const std::vector<seams::Memo>& memos) : ground_(ground) {
  const WallTime now = ground.wall();
  for (const seams::Memo& memo : memos) {
    if (memo.kind != kMemo || memo.value != kAscii || memo.expires <= now) continue;
    if (const Result<Domain> domain = Domain::parse(memo.key); domain && has_two_spellings(*domain))
      keep(*domain, std::min<WallTime>(memo.expires, now + kLife));
  }
}

Labels Spellings::labels_of(const Domain& domain) const {
  const auto known = in_ascii_.find(domain);
  return known != in_ascii_.end() && known->second > ground_.wall() ? Labels::ascii : Labels::unicode;
}

void Spellings::is_unknown_as(const Domain& domain, Labels used) {
  if (!has_two_spellings(domain)) return;
  if (used == Labels::ascii) {
    in_ascii_.erase(domain);
    return ground_.world.store.erase(std::string(kMemo), std::string(domain.text()));
  }
  const WallTime until = ground_.wall() + kLife;
  keep(domain, until);
  ground_.world.store.put({std::string(kMemo), std::string(domain.text()), std::string(kAscii), until});
}

void Spellings::clock_was_set_back(std::chrono::seconds by) {
  for (auto& [domain, until] : in_ascii_) until -= by;
}

void Spellings::keep(const Domain& domain, WallTime until) {
  if (in_ascii_.size() >= kMost && !in_ascii_.contains(domain)) in_ascii_.erase(in_ascii_.begin());
  in_ascii_.insert_or_assign(domain, until);
}

}  // namespace ligase::peers
