// From a file to a Config, or to all its faults: the sections one after another, then the questions that need several.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/bytes.hpp"
#include "config/sections.hpp"

namespace ligase::config {
namespace {

constexpr std::string_view kFormats[] = {"text", "json", "journald"};
constexpr std::string_view kLevels[] = {"debug", "info", "warning", "error"};
constexpr std::string_view kStateDir = "/var/lib/ligase";

struct GatewaySection {
  std::optional<Domain> hostname;
  std::string state_dir{kStateDir}, control;
  Line state_dir_line, control_line;
};

GatewaySection read_gateway(Section gateway, const Context& context) {
  GatewaySection read;
  if (const auto hostname = gateway.required_text("hostname")) read.hostname = context.domain(*hostname);
  if (const auto folder = gateway.text("state_dir")) {
    read.state_dir = context.resolve(folder->text);
    read.state_dir_line = {folder->line};
    if (folder->text.empty())
      context.findings.fault(folder->line, "[gateway] state_dir is empty", "name a folder of the gateway's own");
  }
  const auto control = gateway.text("control");
  read.control = control ? context.resolve(control->text) : read.state_dir + "/control.sock";
  if (control) read.control_line = {control->line};
  gateway.finish();
  return read;
}

struct LogSection {
  LogFormat format = LogFormat::text;
  report::Level level = report::Level::info;
};

LogSection read_log(Section log) {
  LogSection read;
  if (const auto index = log.one_of("format", kFormats)) read.format = static_cast<LogFormat>(*index);
  if (const auto index = log.one_of("level", kLevels)) read.level = static_cast<report::Level>(*index);
  log.finish();
  return read;
}

// A link whose listener is missing can never come up; that is surely not meant.
void check_whole(const std::vector<Listen>& listeners, const std::vector<HostedLink>& links, Findings& findings) {
  if (listeners.empty())
    findings.fault(0, "there is no [[listen]]", "add one: kind = \"s2s\", address = \"[::]:5269\"");
  if (links.empty())
    findings.warn(0, "there is no [[domain]]: nothing is hosted", "add the domains and what serves them");
  const auto listens = [&](ListenKind kind) {
    return std::ranges::find(listeners, kind, &Listen::kind) != listeners.end();
  };
  const bool wants_components =
      std::ranges::any_of(links, [](const HostedLink& link) { return std::holds_alternative<ComponentLink>(link); });
  if (wants_components && !listens(ListenKind::component)) {
    findings.warn(0, "a [[domain]] is served via a component, and no [[listen]] takes components",
                  "add one: kind = \"component\", address = \"127.0.0.1:5347\"");
  }
}

}  // namespace

std::string Fault::text() const {
  const std::string where = line == 0 ? file : fmt::format("{}:{}", file, line);
  return advice.empty() ? fmt::format("{}: {}", where, what) : fmt::format("{}: {}; {}", where, what, advice);
}

std::string Context::resolve(const std::string& path) const {
  return (std::filesystem::path(folder) / path).lexically_normal().string();
}

std::optional<FileFacts> Context::read(const Located& where, std::string_view what) const {
  tl::expected<FileFacts, std::string> facts = files.read(resolve(where.text));
  if (facts) return std::move(*facts);
  findings.fault(where.line, fmt::format("cannot read {} \"{}\": {}", what, escaped(where.text), facts.error()),
                 "check the path and its modes");
  return std::nullopt;
}

std::optional<Domain> Context::domain(const Located& where) const { return domain_in(findings.file(), where); }

std::optional<Domain> Context::domain_in(const std::string& file, const Located& where) const {
  Result<Domain> domain = Domain::parse(where.text);
  if (domain) return std::move(*domain);
  const std::string& detail = domain.error().detail;
  findings.fault_in(
      file, where.line,
      fmt::format("\"{}\" is no domain name{}{}", escaped(where.text, 80), detail.empty() ? "" : ": ", detail),
      "write it as \"example.org\"");
  return std::nullopt;
}

namespace {

std::string folder_of(const std::string& file) { return std::filesystem::path(file).parent_path().string(); }

struct Tree {
  Table table;
  unsigned mode = 0;  // of the file
};

tl::expected<Tree, Fault> read_tree(const std::string& file, const Files& files) {
  const auto facts = files.read(file);
  if (!facts) {
    return tl::unexpected(Fault{file, 0, fmt::format("cannot read the configuration: {}", facts.error()),
                                "check the path and its modes"});
  }
  tl::expected<Table, SyntaxFault> tree = read_toml(facts->text);
  if (tree) return Tree{std::move(*tree), facts->mode};
  return tl::unexpected(Fault{file, tree.error().line, fmt::format("no valid TOML: {}", tree.error().what),
                              "mend this line first; what follows it was not read"});
}

}  // namespace

tl::expected<std::string, Fault> control_socket_of(const std::string& file, const Files& files) {
  const tl::expected<Tree, Fault> tree = read_tree(file, files);
  if (!tree) return tl::unexpected(tree.error());
  Findings findings(file);
  const Context context{files, findings, folder_of(file), tree->mode};
  Section root("", &tree->table, 0, findings);
  Section gateway = root.table("gateway", "[gateway]");
  const auto folder = gateway.text("state_dir");
  const auto control = gateway.text("control");
  if (!findings.faults.empty()) return tl::unexpected(findings.faults.front());
  if (control) return context.resolve(control->text);
  return (folder ? context.resolve(folder->text) : std::string(kStateDir)) + "/control.sock";
}

Parsed parse(const std::string& file, const Files& files) {
  Parsed parsed;
  Findings findings(file);
  const tl::expected<Tree, Fault> tree = read_tree(file, files);
  if (!tree) {
    parsed.faults.push_back(tree.error());
    return parsed;
  }
  const Context context{files, findings, folder_of(file), tree->mode};
  Section root("", &tree->table, 0, findings);
  const GatewaySection gateway = read_gateway(root.table("gateway", "[gateway]"), context);
  const LogSection log = read_log(root.table("log", "[log]"));
  Section tls_table = root.table("tls", "[tls]");
  TlsSection tls = read_tls(tls_table, context);
  Section dns_table = root.table("dns", "[dns]");
  DnsSection dns = read_dns(dns_table, context);
  std::vector<Listen> listeners = read_listeners(root.tables("listen", "[[listen]]"), context);
  std::vector<HostedLink> links = read_domains(root.tables("domain", "[[domain]]"), context);
  Section policy_table = root.table("policy", "[policy]");
  Policy policy = read_policy(policy_table, context, !dns.trust_anchor.empty());
  Section limits_table = root.table("limits", "[limits]");
  const Limits limits = read_limits(limits_table, findings);
  root.finish();
  if (findings.faults.empty()) check_whole(listeners, links, findings);

  const auto by_place = [](const Fault& a, const Fault& b) { return a.line < b.line; };
  std::ranges::stable_sort(findings.faults, by_place);
  std::ranges::stable_sort(findings.warnings, by_place);
  parsed.log_format = log.format;
  parsed.faults = std::move(findings.faults);
  parsed.warnings = std::move(findings.warnings);
  if (!parsed.faults.empty()) return parsed;
  parsed.config = Config{.file = file,
                         .hostname = *gateway.hostname,
                         .state_dir = gateway.state_dir,
                         .control = gateway.control,
                         .state_dir_line = gateway.state_dir_line,
                         .control_line = gateway.control_line,
                         .log_format = log.format,
                         .log_level = log.level,
                         .credential = std::move(tls.credential),
                         .trust_anchors = std::move(tls.trust_anchors),
                         .revocation = tls.revocation,
                         .crl = std::move(tls.crl),
                         .tls_minimum = std::move(tls.minimum),
                         .tls_for = std::move(tls.others),
                         .dns_trust_anchor = std::move(dns.trust_anchor),
                         .dns_forward = std::move(dns.forward),
                         .allow_addresses = std::move(dns.allow_addresses),
                         .listen = std::move(listeners),
                         .links = std::move(links),
                         .policy = std::move(policy),
                         .limits = limits,
                         .in_vain = std::move(findings.keys_in_vain)};
  return parsed;
}

}  // namespace ligase::config
