// Domains and host names by RFC 7622 §3.2 and IDNA2008. libidn2 maps and checks U-labels, but it lets empty labels,
// spaces and '@' through, so UTF-8 is checked before it and letters, digits, hyphens and lengths after it. Its STD3
// flag must never be set: it deletes forbidden characters instead of refusing them.
#include "name/domain.hpp"

#include <idn2.h>

#include <algorithm>
#include <cstdint>
#include <memory>

#include "base/bytes.hpp"

namespace ligase {
namespace {

constexpr std::size_t kLongestLabel = 63;
constexpr std::size_t kLongestName = 253;
constexpr std::size_t kLongestPart = 1023;  // RFC 7622 §3.2-3.4

bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_hex_digit(char c) noexcept { return is_digit(c) || (c >= 'a' && c <= 'f'); }

enum class Underscore : std::uint8_t { allowed, refused };

// Why `name` is no sequence of lower-case LDH labels, or an empty text.
std::string_view fault_of(std::string_view name, Underscore underscore) noexcept {
  if (name.empty()) return "it is empty";
  if (name.size() > kLongestName) return "it is longer than 253 bytes";
  std::size_t start = 0;
  for (;;) {
    const std::size_t end = std::min(name.find('.', start), name.size());
    const std::string_view label = name.substr(start, end - start);
    if (label.empty()) return "it has an empty label";
    if (label.size() > kLongestLabel) return "it has a label longer than 63 bytes";
    if (label.front() == '-' || label.back() == '-') return "a label begins or ends with a hyphen";
    for (const char c : label) {
      if (is_lower(c) || is_digit(c) || c == '-') continue;
      if (c == '_' && underscore == Underscore::allowed) continue;
      return "it has a character that is no letter, digit or hyphen";
    }
    if (end == name.size()) break;
    start = end + 1;
  }
  // "192.0.2.1", "127.1", "0x7f.1": what ends in a number is read as an address by somebody.
  const std::string_view last = name.substr(start);
  const bool is_number = std::ranges::all_of(last, is_digit) ||
                         (last.starts_with("0x") && std::ranges::all_of(last.substr(2), is_hex_digit));
  return is_number ? "it ends in a number, as an IP address does" : std::string_view{};
}

// True for a label that only IDNA can judge: an A-label, or another one with hyphens in its third and fourth place.
bool has_reserved_label(std::string_view name) noexcept {
  for (std::size_t at = name.find("--"); at != std::string_view::npos; at = name.find("--", at + 1)) {
    const std::size_t dot = name.rfind('.', at);
    if (at - (dot == std::string_view::npos ? 0 : dot + 1) == 2) return true;
  }
  return false;
}

bool is_plain_ascii(std::string_view name) noexcept {
  return std::ranges::all_of(name, [](char c) { return is_lower(c) || is_digit(c) || c == '-' || c == '.'; }) &&
         !has_reserved_label(name);
}

std::string_view without_one_dot(std::string_view name) noexcept {
  return name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
}

tl::unexpected<Error> invalid(std::string_view text, std::string_view why) {
  return fail(Reason::name_invalid, "\"" + escaped(text) + "\" is no domain: " + std::string(why));
}

struct FreedByIdn2 {
  void operator()(char* text) const noexcept { idn2_free(text); }
};
using Idn2Text = std::unique_ptr<char, FreedByIdn2>;

// `name` holds no NUL.
Result<std::string> to_a_labels(const std::string& name, std::string_view given) {
  char* output = nullptr;
  const int code = idn2_to_ascii_8z(name.c_str(), &output, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
  const Idn2Text owner(output);
  if (code != IDN2_OK) return invalid(given, idn2_strerror(code));
  return std::string(output);
}

// Empty where it is the same, or would not lead back to it.
std::string to_u_labels(const std::string& canonical) {
  if (canonical.find("xn--") == std::string::npos) return {};
  char* output = nullptr;
  const int code = idn2_to_unicode_8z8z(canonical.c_str(), &output, 0);
  const Idn2Text owner(output);
  if (code != IDN2_OK) return {};
  std::string unicode(output);
  const Result<std::string> back = to_a_labels(unicode, unicode);
  return back && *back == canonical && unicode != canonical ? unicode : std::string();
}

}  // namespace

Result<Domain> Domain::parse(std::string_view text) {
  if (const std::string_view plain = without_one_dot(text); is_plain_ascii(plain)) {
    if (const std::string_view fault = fault_of(plain, Underscore::refused); !fault.empty())
      return invalid(text, fault);
    return Domain(std::string(plain));
  }
  if (text.size() > kLongestPart) return invalid(text, "it is longer than 1023 bytes");
  if (text.find('\0') != std::string_view::npos) return invalid(text, "it has a NUL");
  if (!is_utf8(text)) return invalid(text, "it is not UTF-8");
  Result<std::string> mapped = to_a_labels(std::string(text), text);
  if (!mapped) return fail(mapped.error());
  // Ideographic and full-width dots are dots only now.
  const std::string canonical(without_one_dot(*mapped));
  if (const std::string_view fault = fault_of(canonical, Underscore::refused); !fault.empty())
    return invalid(text, fault);
  // One form is compared everywhere, so it must be its own canonical form (AB-026).
  const Result<std::string> again = to_a_labels(canonical, text);
  if (!again) return fail(again.error());
  if (*again != canonical) return invalid(text, "it has no one canonical form");
  return Domain(canonical, to_u_labels(canonical));
}

Labels labels_of(std::string_view text, const Domain& domain) noexcept {
  // What is not the A-labels, nor differs from them by letter case and a final dot alone, is U-labels of some spelling.
  const std::string_view plain = without_one_dot(text), ascii = domain.text();
  const bool is_ascii = std::ranges::equal(
      plain, ascii, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b; });
  return is_ascii && domain.unicode() != ascii ? Labels::ascii : Labels::unicode;
}

bool Domain::is_special_use() const noexcept {
  const std::string_view name = text_;
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return true;
  constexpr std::string_view kSpecial[] = {"localhost", "local", "onion", "test", "invalid", "arpa"};
  return std::ranges::find(kSpecial, name.substr(dot + 1)) != std::end(kSpecial);
}

Result<HostName> HostName::parse(std::string_view text) {
  const std::string_view name = without_one_dot(text);
  if (name.size() > kLongestName) return fail(Reason::name_invalid, "a host name is longer than 253 bytes");
  std::string canonical(name);
  for (char& c : canonical)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (const std::string_view fault = fault_of(canonical, Underscore::allowed); !fault.empty())
    return fail(Reason::name_invalid, "\"" + escaped(text) + "\" is no host name: " + std::string(fault));
  return HostName(std::move(canonical));
}

JidParts split_jid(std::string_view jid) noexcept {
  JidParts parts;
  std::string_view rest = jid;
  if (const std::size_t slash = rest.find('/'); slash != std::string_view::npos) {
    parts.resource = rest.substr(slash + 1);
    rest = rest.substr(0, slash);
    if (parts.resource.empty() || parts.resource.size() > kLongestPart) return {};
  }
  if (const std::size_t at = rest.find('@'); at != std::string_view::npos) {
    parts.local = rest.substr(0, at);
    rest = rest.substr(at + 1);
    if (parts.local.empty() || parts.local.size() > kLongestPart) return {};
  }
  if (rest.empty() || rest.size() > kLongestPart) return {};
  // What the XML parser gives is UTF-8 already; the check is one pass without branches for plain ASCII.
  unsigned char all = 0;
  for (const char c : jid) all |= static_cast<unsigned char>(c);
  if (all >= 0x80 && !is_utf8(jid)) return {};
  parts.domain = rest;
  return parts;
}

std::string with_domain(std::string_view jid, std::string_view domain) {
  const JidParts parts = split_jid(jid);
  std::string whole;
  if (!parts.local.empty()) (whole += parts.local) += '@';
  whole += domain;
  if (!parts.resource.empty()) (whole += '/') += parts.resource;
  return whole;
}

std::string_view domain_meant(std::string_view jid) noexcept {
  jid = jid.substr(0, jid.find('/'));
  if (const std::size_t at = jid.rfind('@'); at != std::string_view::npos) jid.remove_prefix(at + 1);
  while (jid.starts_with(' ')) jid.remove_prefix(1);
  while (jid.ends_with(' ')) jid.remove_suffix(1);
  return jid;
}

}  // namespace ligase
