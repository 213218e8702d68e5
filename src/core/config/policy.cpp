// [policy] and [[policy.peer]]: what must be proven towards whom, and the question asked at the moment of use.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/bytes.hpp"
#include "config/sections.hpp"

namespace ligase::config {
namespace {

using proof::ProofType;

constexpr std::string_view kProofs[] = {"dane", "dnssec", "pkix", "posh", "dialback"};
static_assert(std::size(kProofs) == proof::kProofTypes);
constexpr std::string_view kEncryptions[] = {"required", "preferred"};

std::optional<std::vector<ProofType>> read_proofs(Section& section, const Context& context, bool dnssec_is_on) {
  const auto names = section.texts("proofs");
  if (!names) return std::nullopt;
  std::vector<ProofType> proofs;
  for (const Located& name : *names) {
    const auto found = std::ranges::find(kProofs, std::string_view(name.text));
    if (found == std::end(kProofs)) {
      context.findings.fault(name.line,
                             fmt::format("{} proofs cannot hold \"{}\"", section.title(), escaped(name.text, 80)),
                             suggestion(name.text, kProofs));
      continue;
    }
    const auto type = static_cast<ProofType>(found - std::begin(kProofs));
    if (std::ranges::find(proofs, type) != proofs.end()) {
      context.findings.fault(name.line, fmt::format("{} proofs holds \"{}\" twice", section.title(), name.text),
                             "name it once");
      continue;
    }
    proofs.push_back(type);
  }
  if (names->empty()) {
    context.findings.fault(section.line_of("proofs"),
                           fmt::format("{} proofs is empty: nothing could ever be proven", section.title()),
                           "name what may prove a domain, or write block = true in a [[policy.peer]]");
  }
  const auto needs_dnssec = [](ProofType type) { return type == ProofType::dane || type == ProofType::dnssec; };
  if (!dnssec_is_on && !proofs.empty() && std::ranges::all_of(proofs, needs_dnssec)) {  // DNS-07
    context.findings.fault(section.line_of("proofs"),
                           fmt::format("{} proofs demands DNSSEC, and [dns] trust_anchor is empty", section.title()),
                           "name a trust anchor, or allow pkix, posh or dialback");
  }
  return proofs;
}

// The canonical domain, or "*." and the canonical domain.
std::optional<std::string> read_pattern(const Located& where, const Context& context) {
  const bool is_wild = where.text.starts_with("*.");
  const std::optional<Domain> domain = context.domain({where.text.substr(is_wild ? 2 : 0), where.line});
  if (!domain) return std::nullopt;
  return (is_wild ? "*." : "") + std::string(domain->text());
}

bool matches(std::string_view pattern, std::string_view domain) noexcept {
  if (!pattern.starts_with("*.")) return pattern == domain;
  const std::string_view suffix = pattern.substr(1);  // ".x.tld": the domain itself is not below itself
  return domain.size() > suffix.size() && domain.ends_with(suffix);
}

// Patterns and the line of each; says of a further one whether all that it names is named by an earlier one already.
class Named {
 public:
  void add(const std::string& pattern, unsigned line, unsigned rule, const Context& context) {
    if (const auto* earlier = find(pattern); earlier != nullptr && earlier->rule != rule) {
      context.findings.warn(
          line,
          fmt::format("\"{}\" is named by the [[policy.peer]] of line {} already, and the first match "
                      "wins: this block does nothing for it",
                      pattern, earlier->line),
          "put the narrower block before the wider one, or take it out");
    }
    patterns_.try_emplace(pattern, Place{line, rule});
  }

 private:
  struct Place {
    unsigned line, rule;
  };
  const Place* find(const std::string& pattern) const {
    if (const auto same = patterns_.find(pattern); same != patterns_.end()) return &same->second;
    std::size_t dot = pattern.find('.', pattern.starts_with("*.") ? 2 : 0);
    for (; dot != std::string::npos; dot = pattern.find('.', dot + 1))
      if (const auto wider = patterns_.find("*" + pattern.substr(dot)); wider != patterns_.end()) return &wider->second;
    return nullptr;
  }
  std::map<std::string, Place> patterns_;
};

PeerRule read_rule(Section& section, const Context& context, bool dnssec_is_on, Named& named, unsigned number) {
  PeerRule rule;
  const auto domains = section.texts("domains");
  if (!section.has("domains") || (domains && domains->empty()))
    context.findings.fault(section.line(), "[[policy.peer]] names no domains",
                           "add domains = [\"x.tld\", \"*.x.tld\"]");
  for (const Located& where : domains.value_or(std::vector<Located>{}))
    if (auto pattern = read_pattern(where, context)) {
      named.add(*pattern, where.line, number, context);
      rule.patterns.push_back(std::move(*pattern));
    }
  rule.proofs = read_proofs(section, context, dnssec_is_on);
  if (const auto index = section.one_of("encryption", kEncryptions)) rule.encryption = static_cast<Encryption>(*index);
  rule.multiplex = section.boolean("multiplex");
  rule.bidi = section.boolean("bidi");
  rule.block = section.boolean("block").value_or(false);
  section.finish();
  return rule;
}

}  // namespace

Policy read_policy(Section& section, const Context& context, bool dnssec_is_on) {
  Policy policy;
  if (auto proofs = read_proofs(section, context, dnssec_is_on)) policy.defaults.proofs = std::move(*proofs);
  if (const auto index = section.one_of("encryption", kEncryptions))
    policy.defaults.encryption = static_cast<Encryption>(*index);
  policy.defaults.may_multiplex = section.boolean("multiplex").value_or(true);
  policy.defaults.may_bidi = section.boolean("bidi").value_or(true);
  policy.internal = section.boolean("internal").value_or(false);
  Named named;
  unsigned number = 0;
  for (Section& peer : section.tables("peer", "[[policy.peer]]"))
    policy.peers.push_back(read_rule(peer, context, dnssec_is_on, named, ++number));
  section.finish();
  return policy;
}

bool PeerRule::names(const Domain& remote) const {
  return std::ranges::any_of(patterns, [&](const std::string& pattern) { return matches(pattern, remote.text()); });
}

proof::PeerPolicy Policy::towards(const Domain& remote) const {
  proof::PeerPolicy policy = defaults;
  const auto rule = std::ranges::find_if(peers, [&](const PeerRule& candidate) { return candidate.names(remote); });
  if (rule == peers.end()) return policy;
  if (rule->proofs) policy.proofs = *rule->proofs;
  if (rule->encryption) policy.encryption = *rule->encryption;
  if (rule->multiplex) policy.may_multiplex = *rule->multiplex;
  if (rule->bidi) policy.may_bidi = *rule->bidi;
  policy.is_blocked = rule->block;
  return policy;
}

}  // namespace ligase::config
