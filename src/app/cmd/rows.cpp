// Comparing and choosing JSON values.
#include "cmd/rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <chrono>
#include <cmath>
#include <cstdlib>

#include "base/bytes.hpp"

namespace ligase::cmd {
namespace {

namespace json = boost::json;

std::string text_of(const json::value& value) {
  if (value.is_string()) return std::string(value.as_string());
  return value.is_null() ? std::string() : json::serialize(value);
}

std::string lowered(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

bool holds(const json::value& row, const std::string& word, std::initializer_list<std::string_view> keys = {}) {
  const std::string wanted = lowered(word);
  return std::ranges::any_of(row.as_object(), [&](const json::key_value_pair& entry) {
    const bool is_asked = keys.size() == 0 || std::ranges::find(keys, std::string_view(entry.key())) != keys.end();
    return is_asked && lowered(text_of(entry.value())).find(wanted) != std::string::npos;
  });
}

bool is(const json::value& row, std::string_view key, const std::string& wanted) {
  return wanted.empty() || text_of(row.at(key)) == wanted;
}

bool passes(const json::value& row, const RowFilter& filter) {
  return is(row, "direction", filter.direction) && (filter.state.empty() || is(row, "state", filter.state)) &&
         (filter.proof.empty() || is(row, "proof", filter.proof)) &&
         (filter.peer.empty() || holds(row, filter.peer, {"remote", "peer_host", "address"})) &&
         std::ranges::all_of(filter.words, [&](const std::string& word) { return holds(row, word); });
}

// Numbers by size, all else by its text; null before everything.
bool is_less(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number()) return a.to_number<double>() < b.to_number<double>();
  return text_of(a) < text_of(b);
}

}  // namespace

bool RowFilter::is_any() const noexcept {
  return !words.empty() || !state.empty() || !proof.empty() || !direction.empty() || !peer.empty() || !sort.empty() ||
         limit || is_count;
}

Result<json::array> choose_rows(const json::array& rows, const RowFilter& filter) {
  const bool is_falling = filter.sort.starts_with('-');
  const std::string key = filter.sort.substr(is_falling ? 1 : 0);
  json::array chosen;
  for (const json::value& row : rows) {
    if (!key.empty() && !row.as_object().contains(key)) {
      std::string known;
      for (const auto& entry : row.as_object()) known += (known.empty() ? "" : ", ") + std::string(entry.key());
      return fail(Reason::config_invalid,
                  fmt::format("there is no key \"{}\" to sort by: {}", escaped(key, 40), known));
    }
    if (passes(row, filter)) chosen.push_back(row);
  }
  if (!key.empty()) {
    std::ranges::stable_sort(chosen, [&](const json::value& a, const json::value& b) {
      return is_falling ? is_less(b.at(key), a.at(key)) : is_less(a.at(key), b.at(key));
    });
  }
  if (filter.limit && chosen.size() > *filter.limit) chosen.resize(*filter.limit);
  return chosen;
}

std::string short_number(double number) {
  constexpr std::array<std::string_view, 4> units{"k", "M", "G", "T"};
  if (!(number >= 1000))
    return number == std::floor(number) ? fmt::format("{:.0f}", number) : fmt::format("{:.1f}", number);
  std::size_t unit = 0;
  number /= 1000;
  while (number >= 999.95 && unit + 1 < units.size()) {
    number /= 1000;
    ++unit;
  }
  return number < 99.95 ? fmt::format("{:.1f}{}", number, units[unit]) : fmt::format("{:.0f}{}", number, units[unit]);
}

std::string relative_time(std::int64_t time, std::int64_t now) {
  const std::int64_t apart = time > now ? time - now : now - time;
  if (apart == 0) return "now";
  constexpr std::int64_t minute = 60, hour = 3600, day = 86400;
  const std::string much = apart < 2 * minute ? fmt::format("{} s", apart)
                           : apart < 2 * hour ? fmt::format("{} min", apart / minute)
                           : apart < 2 * day  ? fmt::format("{} h", apart / hour)
                                              : fmt::format("{} d", apart / day);
  return time > now ? "in " + much : much + " ago";
}

std::optional<std::int64_t> parse_time(std::string_view text) {
  if (text.size() != 20) return std::nullopt;
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  char end = 0;
  const std::string whole(text);
  if (std::sscanf(whole.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%c", &year, &month, &day, &hour, &minute, &second, &end) !=
          7 ||
      end != 'Z')
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_seconds(std::chrono::sys_days(date)).time_since_epoch().count() + hour * 3600 + minute * 60 +
         second;
}

}  // namespace ligase::cmd
