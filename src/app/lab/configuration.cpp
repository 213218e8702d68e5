// One template; what differs between the ways is one line of policy.
#include "lab/configuration.hpp"

#include <fmt/format.h>

namespace ligase::lab {
namespace {

constexpr std::string_view kTemplate = R"(# The gateway of {domain}, as `ligase lab --proof {way}` runs it.

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
revocation    = "off"          # it publishes no revocation lists

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
proofs = ["{way}"]    # nothing else proves a domain of the other provider in this run
)";

}  // namespace

std::string make_configuration(const Plan& plan, const Provider& provider) {
  return fmt::format(kTemplate, fmt::arg("domain", provider.domain), fmt::arg("way", name_of(plan.way)),
                     fmt::arg("host", provider.host), fmt::arg("folder", provider.folder),
                     fmt::arg("dns_port", plan.dns_port), fmt::arg("loopback", kLoopback),
                     fmt::arg("s2s_port", provider.s2s_port), fmt::arg("component_port", provider.component_port));
}

std::string make_customer_list(const Provider& provider) {
  std::string text = "# The domains that " + provider.domain + " hosts, one a line.\n";
  for (const std::string& customer : provider.customers) text += customer + "\n";
  return text;
}

}  // namespace ligase::lab
