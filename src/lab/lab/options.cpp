// The options of `ligase lab` as values.
#include <array>
#include <charconv>
#include <utility>

#include "base/bytes.hpp"
#include "lab/options.hpp"

namespace ligase::lab {
namespace {

constexpr std::array<std::pair<Way, std::string_view>, 6> kWays{{{Way::dane, "dane"},
                                                                 {Way::dnssec, "dnssec"},
                                                                 {Way::pkix, "pkix"},
                                                                 {Way::posh, "posh"},
                                                                 {Way::dialback, "dialback"},
                                                                 {Way::mixed, "mixed"}}};

std::optional<unsigned> parse_count(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1 || value > kMostDomains)
    return std::nullopt;
  return value;
}

}  // namespace

std::string_view name_of(Way way) noexcept {
  for (const auto& [known, name] : kWays)
    if (known == way) return name;
  return "";
}

std::optional<Way> parse_way(std::string_view text) noexcept {
  for (const auto& [way, name] : kWays)
    if (name == text) return way;
  return std::nullopt;
}

Result<Domains> parse_domains(std::string_view text) {
  const auto cross = text.find('x');
  if (cross != std::string_view::npos) {
    const auto one = parse_count(text.substr(0, cross)), two = parse_count(text.substr(cross + 1));
    if (one && two) return Domains{*one, *two};
  }
  return fail(Reason::config_invalid, "\"" + escaped(text, 40) + "\" is not N1xN2 with two numbers from 1 to " +
                                          std::to_string(kMostDomains) + ", such as 20x20");
}

}  // namespace ligase::lab
