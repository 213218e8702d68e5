// One template; what differs between the runs is a line of policy, and a second certificate.
#include "lab/configuration.hpp"

#include <fmt/format.h>

namespace ligase::lab {
namespace {

constexpr std::string_view kTemplate = R"(# The gateway of {domain}, as `ligase lab {options}` runs it.

[gateway]
hostname  = "{host}"    # the SRV target of all customers, and what the certificate names
state_dir = "state"
control   = "control.sock"    # ligase ctl --control {folder}/control.sock pairs

[log]
format = "text"
level  = "info"

[tls]
certificate   = "{host}.pem"
private_key   = "{host}.key"
trust_anchors = "../ca.pem"    # the lab's own authority: no other is trusted
{revocation}
{tls_for}
[dns]
trust_anchor    = "../root.ds"                # the key of the lab's own root zone
forward         = ["127.0.0.1@{dns_port}"]    # the lab's name server
allow_addresses = ["127.0.0.0/8"]             # in this world all hosts have loopback addresses

[[listen]]    # the other provider comes here
kind    = "s2s"
address = "{loopback}:{s2s_port}"

[[listen]]    # the customers' servers: XEP-0114, one connection a domain
kind    = "component"
address = "{loopback}:{component_port}"

[[domain]]
names_file  = "customers.txt"
via         = "component"
secret_file = "component.secret"

[policy]
proofs = [{proofs}]    # {proofs_are}

[limits]
pairs_total = 8000000    # all of them come from one address here, and that may have a quarter
)";

constexpr std::string_view kNoRevocation = R"(revocation    = "off"          # it publishes no revocation lists)";
constexpr std::string_view kRevocation = R"(revocation    = "soft"
crl           = ["../ca.crl"]    # what that authority has revoked)";

constexpr std::string_view kTlsFor = R"(
[[tls.for]]    # the certificate that is wrong in this run
domains     = ["{domain}"]
certificate = "{host}.pem"
private_key = "{host}.key"
)";

std::string options_of(const Plan& plan) {
  if (plan.breakage == nullptr) return fmt::format("--proof {}", name_of(plan.way));
  return fmt::format("--break {}{}", plan.breakage->name,
                     plan.only_that ? fmt::format(" --proof {}", name_of(plan.way)) : "");
}

}  // namespace

std::string make_configuration(const Plan& plan, const Provider& provider) {
  std::string tls_for;
  if (plan.has_broken_certificate() && provider.host == plan.providers[1].host)
    tls_for = fmt::format(kTlsFor, fmt::arg("domain", plan.broken_domain()), fmt::arg("host", provider.other_host));
  const auto proofs = plan.only_that ? fmt::format("\"{}\"", name_of(plan.way))
                                     : std::string(R"("dane", "dnssec", "pkix", "posh", "dialback")");
  return fmt::format(
      kTemplate, fmt::arg("domain", provider.domain), fmt::arg("options", options_of(plan)),
      fmt::arg("host", provider.host), fmt::arg("folder", provider.folder), fmt::arg("tls_for", tls_for),
      fmt::arg("revocation", plan.has(Harm::cert_revoked) ? kRevocation : kNoRevocation),
      fmt::arg("dns_port", plan.dns_port), fmt::arg("loopback", kLoopback), fmt::arg("s2s_port", provider.s2s_port),
      fmt::arg("component_port", provider.component_port), fmt::arg("proofs", proofs),
      fmt::arg("proofs_are", plan.only_that ? "nothing else proves a domain of the other provider in this run"
                                            : "as by default: what a domain can show, the strongest first"));
}

std::string make_customer_list(const Provider& provider) {
  std::string text = "# The domains that " + provider.domain + " hosts, one a line.\n";
  for (const std::string& customer : provider.customers) text += customer + "\n";
  return text;
}

}  // namespace ligase::lab
