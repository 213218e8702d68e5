// Durations, sizes and edit distance.
#include "config/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace ligase::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr std::array<Unit, 5> kTimes{{{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
constexpr std::array<Unit, 4> kSizes{{{"GiB", 1u << 30}, {"MiB", 1u << 20}, {"KiB", 1u << 10}, {"B", 1}}};
constexpr std::uint64_t kLongestTime = 100ull * 366 * 86'400'000;
constexpr std::uint64_t kBiggestSize = 1ull << 53;

std::optional<std::uint64_t> parse(std::string_view text, std::span<const Unit> units, std::uint64_t most) noexcept {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const auto found = std::ranges::find(units, unit, &Unit::name);
  if (found == units.end() || number > most / found->factor) return std::nullopt;
  return number * found->factor;
}

std::string written(std::uint64_t value, std::span<const Unit> units) {
  for (const Unit& unit : units)
    if (value != 0 && value % unit.factor == 0) return fmt::format("{}{}", value / unit.factor, unit.name);
  return fmt::format("{}{}", value, units.size() == kTimes.size() ? "s" : "B");  // zero
}

// Optimal string alignment: one row more than Levenshtein's, for the swapped neighbours that fingers make.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) now[j] = std::min(now[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(now);
  }
  return last[b.size()];
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) noexcept {
  const std::optional<std::uint64_t> count = parse(text, kTimes, kLongestTime);
  if (!count) return std::nullopt;
  return std::chrono::milliseconds(*count);
}

std::optional<std::uint64_t> parse_size(std::string_view text) noexcept { return parse(text, kSizes, kBiggestSize); }

std::string duration_text(Duration duration) {
  return written(static_cast<std::uint64_t>(std::chrono::floor<std::chrono::milliseconds>(duration).count()), kTimes);
}

std::string size_text(std::uint64_t bytes) { return written(bytes, kSizes); }

std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> known) {
  if (word.size() > 64) return std::nullopt;  // nobody mistypes that much; and the work stays small
  std::optional<std::string_view> best;
  std::size_t least = 0;
  for (const std::string_view candidate : known) {
    const std::size_t apart = distance(word, candidate);
    const std::size_t allowed = std::max<std::size_t>(1, std::max(word.size(), candidate.size()) / 3);
    if (apart > allowed || (best && apart >= least)) continue;
    best = candidate;
    least = apart;
  }
  return best;
}

}  // namespace ligase::config
