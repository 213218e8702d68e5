// What RFC 3986 allows and nobody needs is refused, so that no two readers of one URL can disagree on its host.
#include "name/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/bytes.hpp"

namespace ligase {
namespace {

constexpr std::size_t kLongest = 2048;

bool starts_without_case(std::string_view text, std::string_view prefix) noexcept {
  return text.size() >= prefix.size() && std::ranges::equal(text.substr(0, prefix.size()), prefix, [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
         });
}

// A last label of digits makes a name that some read as an address.
bool looks_like_address(std::string_view host) noexcept {
  const std::string_view last = host.substr(host.rfind('.') + 1);
  return !last.empty() && last.front() >= '0' && last.front() <= '9';
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  const auto refused = [&](std::string_view why) {
    return fail(Reason::name_invalid, fmt::format("\"{}\" is no URL to fetch: {}", escaped(text, 128), why));
  };
  if (text.size() > kLongest) return refused("longer than 2048 bytes");
  const bool is_clean = std::ranges::all_of(
      text, [](char c) { return c > ' ' && c < 0x7f && std::string_view("\"<>\\^`{|}").find(c) == std::string::npos; });
  if (!is_clean) return refused("a character that no URL has");
  const bool is_https = starts_without_case(text, "https://");
  if (!is_https && !starts_without_case(text, "http://")) return refused("neither http nor https");
  std::string_view rest = text.substr(is_https ? 8 : 7);
  rest = rest.substr(0, rest.find('#'));
  std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
  rest.remove_prefix(authority.size());
  std::uint16_t port = is_https ? 443 : 80;
  if (authority.find('@') != std::string_view::npos) return refused("user information in it");
  if (const std::size_t colon = authority.find(':'); colon != std::string_view::npos) {
    const std::string_view digits = authority.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc() || end != digits.data() + digits.size() || port == 0) return refused("its port");
    authority = authority.substr(0, colon);
  }
  Result<HostName> host = HostName::parse(authority);
  if (!host || looks_like_address(host->text())) return refused("its host");
  std::string target(rest.starts_with('/') ? "" : "/");
  target += rest;
  return Url{is_https, *std::move(host), port, std::move(target)};
}

std::string Url::text() const {
  return fmt::format("{}://{}:{}{}", is_https ? "https" : "http", host.text(), port, target);
}

}  // namespace ligase
