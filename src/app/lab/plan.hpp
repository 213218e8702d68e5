// Who there is in the lab, and where: the names of the project's own picture (sender1.tld … hosted by originating.tld,
// target1.tld … hosted by receiving.tld), with ports that were free on this machine. Everything else is made from this.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "lab/lab.hpp"

namespace ligase::lab {

struct Provider {
  std::string name;    // "one", "two": its folder and how people call it
  std::string domain;  // "originating.tld"
  std::string host;    // "xmpp1.originating.tld": the SRV target, and what its certificate names
  std::vector<std::string> customers;
  std::uint16_t s2s_port = 0, component_port = 0;  // on kLoopback
  std::string folder;                              // absolute: its configuration, keys, log and control socket

  std::string file(const std::string& of) const { return folder + "/" + of; }
};

struct Plan {
  Way way = Way::dnssec;
  std::array<Provider, 2> providers;
  std::string folder;            // absolute: of the lab as a whole
  std::string component_secret;  // the same for all components: they are all ours
  std::uint16_t dns_port = 0;

  std::string anchors_file() const { return folder + "/ca.pem"; }
  std::string root_anchor_file() const { return folder + "/root.ds"; }
  // What the way needs of the zones and of the certificates.
  bool zones_are_signed() const noexcept { return way == Way::dnssec || way == Way::dane; }
};

constexpr const char* kLoopback = "127.0.0.1";

// Names only; folder and ports are filled in as they become known.
Plan make_plan(const Options& options);

}  // namespace ligase::lab
