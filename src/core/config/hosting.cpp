// [[listen]] and [[domain]]: where ligase is reached, and whom it speaks for.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/bytes.hpp"
#include "config/sections.hpp"

namespace ligase::config {
namespace {

constexpr std::string_view kKinds[] = {"s2s", "s2s-tls", "component", "backend", "dns-view", "http"};
constexpr std::string_view kVias[] = {"component", "backend"};
constexpr std::string_view kUnix = "unix:";
constexpr std::size_t kMostNames = 1'000'000;
constexpr std::size_t kShortestSecret = 12;  // nobody guesses that on line

// The IPv4 bytes of an IPv4 or an IPv4-mapped address; null for other IPv6 addresses.
const std::uint8_t* ipv4_bytes(const Address& address) noexcept {
  if (!address.is_v6) return address.bytes.data();
  for (std::size_t i = 0; i < 10; ++i)
    if (address.bytes[i] != 0) return nullptr;
  return address.bytes[10] == 0xFF && address.bytes[11] == 0xFF ? address.bytes.data() + 12 : nullptr;
}

bool is_loopback(const Address& address) noexcept {
  if (const std::uint8_t* v4 = ipv4_bytes(address)) return v4[0] == 127;
  for (std::size_t i = 0; i < 15; ++i)
    if (address.bytes[i] != 0) return false;
  return address.bytes[15] == 1;
}

// RFC 1918, RFC 4193, and link-local.
bool is_private(const Address& address) noexcept {
  if (const std::uint8_t* v4 = ipv4_bytes(address)) {
    return v4[0] == 10 || (v4[0] == 172 && (v4[1] & 0xF0u) == 16) || (v4[0] == 192 && v4[1] == 168) ||
           (v4[0] == 169 && v4[1] == 254);
  }
  return (address.bytes[0] & 0xFEu) == 0xFC || (address.bytes[0] == 0xFE && (address.bytes[1] & 0xC0u) == 0x80);
}

// Closed by default (P15): who may be reached from where.
void judge_place(const Listen& listen, unsigned line, Findings& findings) {
  if (!listen.unix_path.empty()) return;
  const Address& address = listen.endpoint.address;
  const std::string place = listen.endpoint.text();
  switch (listen.kind) {
    case ListenKind::s2s:
    case ListenKind::s2s_tls:
      return;
    case ListenKind::component:
    case ListenKind::dns_view:
      if (!is_loopback(address)) {
        findings.warn(line,
                      fmt::format("the {} listener {} is reachable from other machines",
                                  kKinds[static_cast<std::size_t>(listen.kind)], place),
                      "bind it to 127.0.0.1 or ::1, or keep strangers out by a firewall");
      }
      return;
    case ListenKind::backend:
      if (!is_loopback(address) && !is_private(address)) {
        findings.fault(line, fmt::format("the backend listener {} is neither loopback nor private", place),
                       "bind it to 127.0.0.1, to a private address, or to \"unix:PATH\"");
      }
      return;
    case ListenKind::http:
      if (!is_loopback(address)) {
        findings.fault(
            line,
            fmt::format("the http listener {} is reachable from other machines, and asks nobody for a password", place),
            "bind it to 127.0.0.1 or ::1, and put a reverse proxy with authentication before it");
      }
      return;
  }
}

std::optional<Listen> read_address(ListenKind kind, const Located& where, const Context& context) {
  Listen listen{kind, {}, {}, {where.line}};
  if (where.text.starts_with(kUnix)) {
    const bool may_be_unix = kind != ListenKind::s2s && kind != ListenKind::s2s_tls && kind != ListenKind::dns_view;
    listen.unix_path = context.resolve(where.text.substr(kUnix.size()));
    if (may_be_unix && where.text.size() > kUnix.size()) return listen;
  } else if (const Result<Endpoint> endpoint = Endpoint::parse(where.text)) {
    listen.endpoint = *endpoint;
    return listen;
  }
  context.findings.fault(where.line, fmt::format("[[listen]] address cannot be \"{}\"", escaped(where.text, 80)),
                         "write \"127.0.0.1:5269\" or \"[::]:5269\"");
  return std::nullopt;
}

// Domains of one [[domain]], each with the file and line that names it.
struct Named {
  Domain domain;
  std::string file;
  unsigned line;
};

std::vector<Named> read_names_file(const Located& where, const Context& context) {
  std::vector<Named> named;
  const std::optional<FileFacts> facts = context.read(where, "the list of names");
  if (!facts) return named;
  const std::string file = context.resolve(where.text);
  unsigned number = 0;
  for (std::size_t at = 0; at < facts->text.size() && named.size() < kMostNames;) {
    const std::size_t end = std::min(facts->text.find('\n', at), facts->text.size());
    std::string line = facts->text.substr(at, end - at);
    at = end + 1;
    ++number;
    line = line.substr(0, line.find('#'));
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string::npos) continue;
    line = line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
    if (auto domain = context.domain_in(file, {line, number})) named.push_back({std::move(*domain), file, number});
  }
  if (named.empty())
    context.findings.fault(where.line, fmt::format("\"{}\" names no domain", escaped(where.text)), "write one a line");
  return named;
}

std::vector<Named> read_names(Section& section, const Context& context) {
  std::vector<Located> written;
  const auto one = section.text("name");
  const auto several = section.texts("names");
  const auto file = section.text("names_file");
  const int given = static_cast<int>(section.has("name")) + section.has("names") + section.has("names_file");
  if (given != 1) {
    context.findings.fault(
        section.line(),
        fmt::format("[[domain]] has {} of name, names, names_file", given == 0 ? "none" : "more than one"),
        "name its domains in exactly one of them");
  }
  if (one) written.push_back(*one);
  if (several) written.insert(written.end(), several->begin(), several->end());
  if (several && several->empty())
    context.findings.fault(section.line_of("names"), "[[domain]] names is empty", "name at least one domain");
  std::vector<Named> named;
  for (const Located& where : written)
    if (auto domain = context.domain(where)) named.push_back({std::move(*domain), context.findings.file(), where.line});
  if (file) {
    std::vector<Named> listed = read_names_file(*file, context);
    std::ranges::move(listed, std::back_inserter(named));
  }
  return named;
}

Secret read_secret(Section& section, const Context& context) {
  const auto inline_secret = section.text("secret");
  const auto file = section.text("secret_file");
  if (section.has("secret") == section.has("secret_file")) {
    context.findings.fault(
        section.line(),
        fmt::format("[[domain]] via \"component\" has {}",
                    section.has("secret") ? "both secret and secret_file" : "neither secret nor secret_file"),
        "give exactly one of them");
  }
  Secret secret;
  unsigned line = 0;
  if (inline_secret) {
    secret.bytes = inline_secret->text;
    line = inline_secret->line;
    if ((context.mode & 0007) != 0) {
      context.findings.warn(line,
                            fmt::format("a secret stands in {}, which has mode {:04o}, open to all",
                                        context.findings.file(), context.mode),
                            fmt::format("chmod 640 {}, or name a secret_file", context.findings.file()));
    }
  } else if (file) {
    std::optional<FileFacts> facts = context.read(*file, "the secret");
    if (!facts) return secret;
    if (facts->text.ends_with('\n')) facts->text.pop_back();  // as editors and echo leave it
    secret.bytes = std::move(facts->text);
    line = file->line;
    if ((facts->mode & 0007) != 0) {
      context.findings.warn(
          line, fmt::format("the secret \"{}\" has mode {:04o}, open to all", escaped(file->text), facts->mode),
          fmt::format("chmod 640 {}", escaped(file->text)));
    }
  } else {
    return secret;
  }
  constexpr const char* how = "choose one that nobody guesses: openssl rand -hex 24";
  if (secret.bytes.empty()) {
    context.findings.fault(line, "the component's secret is empty", how);
  } else if (secret.bytes.size() < kShortestSecret) {
    context.findings.warn(line,
                          fmt::format("the component's secret has {} bytes, and who guesses it speaks for its domains",
                                      secret.bytes.size()),
                          how);
  }
  return secret;
}

Endpoint read_backend_address(Section& section, const Context& context) {
  const auto where = section.required_text("address");
  if (!where) return {};
  const Result<Endpoint> endpoint = Endpoint::parse(where->text);
  if (endpoint && endpoint->port != 0) return *endpoint;
  context.findings.fault(where->line, fmt::format("[[domain]] address cannot be \"{}\"", escaped(where->text, 80)),
                         "write the backend's own s2s listener: \"127.0.0.1:15269\"");
  return {};
}

}  // namespace

// An address that takes the port of every other one: of all, or of all IPv4 (a socket on [::] takes IPv4 as well).
bool takes_all_of(const Listen& wide, const Listen& other) noexcept {
  if (!wide.unix_path.empty() || !other.unix_path.empty() || wide.endpoint.port != other.endpoint.port) return false;
  const auto& bytes = wide.endpoint.address.bytes;
  const bool is_any = std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
  return is_any && (wide.endpoint.address.is_v6 || ipv4_bytes(other.endpoint.address) != nullptr);
}

std::vector<Listen> read_listeners(std::vector<Section> listeners, const Context& context) {
  std::vector<Listen> read;
  std::map<std::string, unsigned> taken;
  for (Section& section : listeners) {
    const std::optional<std::size_t> kind = section.one_of("kind", kKinds);
    if (!section.has("kind"))
      context.findings.fault(section.line(), "[[listen]] has no kind", fmt::format("add one of {}", listed(kKinds)));
    const std::optional<Located> address = section.required_text("address");
    section.finish();
    if (!kind || !address) continue;
    const std::optional<Listen> listen = read_address(static_cast<ListenKind>(*kind), *address, context);
    if (!listen) continue;
    judge_place(*listen, address->line, context.findings);
    const std::string place = listen->unix_path.empty() ? listen->endpoint.text() : listen->unix_path;
    const auto [first, is_new] = taken.emplace(place, address->line);
    const bool is_any_port = listen->unix_path.empty() && listen->endpoint.port == 0;
    if (!is_new && !is_any_port) {
      context.findings.fault(address->line,
                             fmt::format("{} is taken by the [[listen]] of line {}", place, first->second),
                             "give each listener an address of its own");
    } else if (!is_any_port) {
      const auto wider = std::ranges::find_if(read, [&](const Listen& earlier) {
        return takes_all_of(earlier, *listen) || takes_all_of(*listen, earlier);
      });
      if (wider != read.end())
        context.findings.fault(address->line,
                               fmt::format("{} and {} of line {} take each other's port", place, wider->endpoint.text(),
                                           wider->line.number),
                               "[::] takes IPv4 as well: leave the narrower one out, or give it another port");
    }
    read.push_back(*listen);
  }
  return read;
}

std::vector<HostedLink> read_domains(std::vector<Section> sections, const Context& context) {
  std::vector<HostedLink> links;
  std::map<Domain, std::string> owners;  // and where it was first named
  for (Section& section : sections) {
    std::vector<Domain> domains;
    for (Named& named : read_names(section, context)) {
      const std::string where = fmt::format("{}:{}", named.file, named.line);
      const auto [first, is_new] = owners.emplace(named.domain, where);
      if (!is_new) {
        context.findings.fault_in(
            named.file, named.line,
            fmt::format("{} has two owners: it is named in {} already", named.domain.text(), first->second),
            "name each domain once");
      }
      domains.push_back(std::move(named.domain));
    }
    const std::optional<std::size_t> via = section.one_of("via", kVias);
    if (!section.has("via"))
      context.findings.fault(section.line(), "[[domain]] has no via", "add via = \"component\" or via = \"backend\"");
    if (via == 1u) {
      const Line line{section.line_of("via")};
      links.emplace_back(BackendLink{std::move(domains), read_backend_address(section, context), line});
    } else if (via == 0u) {
      links.emplace_back(ComponentLink{std::move(domains), read_secret(section, context)});
    } else {
      for (const std::string_view key : {"secret", "secret_file", "address"})
        section.text(key);  // known, whatever via is
    }
    section.finish();
  }
  return links;
}

}  // namespace ligase::config
