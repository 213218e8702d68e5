// Who there is in the lab, and where: the names of the project's own picture (sender1.tld … hosted by originating.tld,
// target1.tld … hosted by receiving.tld), with ports that were free on this machine. Everything else is made from this.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "lab/breakage.hpp"
#include "lab/options.hpp"

namespace ligase::lab {

struct Provider {
  std::string name;    // "one", "two": its folder and how people call it
  std::string domain;  // "originating.tld"
  std::string host;    // "xmpp1.originating.tld": the SRV target, and what its certificate names
  std::string
      other_host;  // "xmpp2.originating.tld": the same gateway, for customers who must not share the first's fate
  std::vector<std::string> customers;
  std::uint16_t s2s_port = 0, component_port = 0;  // on kLoopback
  std::string folder;                              // absolute: its configuration, keys, log and control socket

  std::string file(const std::string& of) const { return folder + "/" + of; }
};

// The customers of `mixed` take turns: a fifth of them on each.
constexpr std::array kMixedWays{Way::dane, Way::dnssec, Way::posh, Way::pkix, Way::dialback};

struct Plan {
  Way way = Way::dnssec;
  bool only_that = true;               // the policy takes no other proof; false: the policy that ligase has by default
  const Breakage* breakage = nullptr;  // what is made wrong; null: nothing
  std::array<Provider, 2> providers;
  std::string folder;            // absolute: of the lab as a whole
  std::string component_secret;  // the same for all components: they are all ours
  std::uint16_t dns_port = 0;
  std::string web_address;  // of the customers' web servers; empty: there are none

  std::string anchors_file() const { return folder + "/ca.pem"; }
  std::string revocation_list_file() const { return folder + "/ca.crl"; }  // only where something is revoked
  std::string root_anchor_file() const { return folder + "/root.ds"; }

  bool has(Harm harm) const noexcept { return breakage != nullptr && breakage->harm == harm; }
  // The domain that what is broken is told of: the last customer of provider two.
  const std::string& broken_domain() const { return providers[1].customers.back(); }
  // What proves a customer of either provider, by its number; never Way::mixed.
  Way way_of(std::size_t customer) const noexcept {
    return way == Way::mixed ? kMixedWays[customer % kMixedWays.size()] : way;
  }
  // The host that the customer's SRV record leads to.
  const std::string& host_of(std::size_t provider, std::size_t customer) const;
  // Some customer publishes on the web (POSH).
  bool needs_web() const noexcept;
  // What is needed of the zones and of the certificates.
  bool zones_are_signed() const noexcept { return way == Way::dnssec || way == Way::dane || way == Way::mixed; }
  // Provider two shows another certificate for the broken domain ([[tls.for]]).
  bool has_broken_certificate() const noexcept { return has(Harm::cert_expired) || has(Harm::cert_revoked); }
};

constexpr const char* kLoopback = "127.0.0.1";

// Names only; folder and ports are filled in as they become known. `break_what`, where given, is one there is.
Plan make_plan(const Options& options);

}  // namespace ligase::lab
