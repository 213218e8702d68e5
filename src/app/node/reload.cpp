#include "node/reload.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "node/materials.hpp"
#include "node/node.hpp"

namespace ligase::node {
namespace {

// The sections that differ, by their names in the file, of those that are read at start only.
std::vector<std::string_view> changed_sections(const config::Config& before, const config::Config& after) {
  std::vector<std::string_view> changed;
  const auto compare = [&](std::string_view section, bool is_same) {
    if (!is_same) changed.push_back(section);
  };
  compare("[gateway]",
          before.hostname == after.hostname && before.state_dir == after.state_dir && before.control == after.control);
  compare("[log]", before.log_format == after.log_format && before.log_level == after.log_level);
  compare("[tls] trust_anchors, revocation, crl or minimum",
          before.trust_anchors == after.trust_anchors && before.revocation == after.revocation &&
              before.crl == after.crl && before.tls_minimum == after.tls_minimum);
  compare("[dns]", before.dns_trust_anchor == after.dns_trust_anchor && before.dns_forward == after.dns_forward &&
                       before.allow_addresses == after.allow_addresses);
  compare("[[listen]]", before.listen == after.listen);
  compare("[[domain]]", before.links == after.links);
  compare("[limits]", before.limits == after.limits);
  return changed;
}

}  // namespace

Reloaded read_again(const config::Config& in_force, const config::Files& files, WallTime now,
                    std::shared_ptr<const tls::Staples> staples) {
  Reloaded reloaded;
  config::Parsed parsed = config::parse(in_force.file, files);
  if (parsed.config) judge(*parsed.config, files, parsed);
  for (const config::Fault& fault : parsed.faults) reloaded.faults.push_back(fault.text());
  if (!reloaded.faults.empty() || !parsed.config) return reloaded;
  for (const std::string_view section : changed_sections(in_force, *parsed.config))
    reloaded.faults.push_back(config::Fault{in_force.file, 0,
                                            fmt::format("{} changed, which a reload does not do", section),
                                            "restart the gateway, or take the change back"}
                                  .text());
  if (!reloaded.faults.empty()) return reloaded;
  auto contexts = read_contexts(*parsed.config, files, std::move(staples));
  if (!contexts) {
    reloaded.faults.push_back(config::Fault{in_force.file, 0, contexts.error().detail, "mend the certificate"}.text());
    return reloaded;
  }
  auto lists = read_all_revocation_lists(*parsed.config, files);
  if (!lists) {
    reloaded.faults.push_back(config::Fault{in_force.file, 0, lists.error().detail, "mend the revocation list"}.text());
    return reloaded;
  }
  reloaded.crl = std::move(*lists);
  reloaded.own = read_own_chains(*parsed.config, files);
  reloaded.contexts = std::move(*contexts);
  reloaded.certificate_expires = own_certificate_expiry(*parsed.config, files).value_or(now);
  reloaded.config = std::move(parsed.config);
  return reloaded;
}

}  // namespace ligase::node
