// The configuration read again (SIGHUP, `ligase ctl reload`): all or nothing (P13). What can change while streams live is
// the policy, the certificates and the content of revocation lists; another change is a fault that says so, rather than half in force.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "proof/revocation_list.hpp"
#include "tls/contexts.hpp"

namespace ligase::node {

struct Reloaded {
  std::vector<std::string> faults;  // "FILE:LINE: WHAT; WHAT TO DO"; not empty: nothing of the rest may be used
  std::optional<config::Config> config;
  std::shared_ptr<const tls::Contexts> contexts;
  std::vector<std::shared_ptr<const proof::Chain>> own;     // what these show
  std::vector<std::shared_ptr<proof::RevocationList>> crl;  // the files' content today
  WallTime certificate_expires{};                           // of the gateway's own
};
Reloaded read_again(const config::Config& in_force, const config::Files& files, WallTime now,
                    std::shared_ptr<const tls::Staples> staples);

}  // namespace ligase::node
