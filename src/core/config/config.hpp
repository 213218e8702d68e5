// The configuration as a value (contract, section 3). A Config that exists is whole and consistent; a text that is not
// gives all of its faults at once, each with file, line and what to do. Reading files goes through `Files`, so that
// this stays pure.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "name/address.hpp"
#include "name/domain.hpp"
#include "proof/judge.hpp"
#include "report/event.hpp"

namespace ligase::config {

// Names, defaults and bounds: spec/requirements.md section 8 (LIM-01). Sizes in bytes.
struct Limits {
  Duration unproven_timeout = 30s, tls_handshake_timeout = 10s, connect_timeout = 10s, setup_timeout = 45s;
  Duration queue_age = 60s, idle_timeout = 1h, keep_alive = 60s, dead_after = 90s, drain_timeout = 30s;
  Duration negative_proof_cache = 30s, proof_max_age = 24h;
  std::uint64_t window_per_pair = 64 * 1024;  // 0: no flow control (FLOW-01)
  std::uint64_t queue_per_pair = 1u << 20, queue_per_peer = 16u << 20, queue_per_link = 16u << 20,
                queue_total = 256u << 20;
  std::uint64_t stanza_size_unproven = 16 * 1024, stanza_size = 512 * 1024, start_tag = 64 * 1024, name = 1024;
  std::uint64_t reply_buffer = 64 * 1024;
  std::uint64_t depth = 128, attributes = 256;
  std::uint64_t unproven_per_prefix = 64, dial_backs_per_stream = 16, dial_backs_per_address = 64;
  std::uint64_t senders_per_stream = 1000, pairs_per_stream = 100000, proving_per_stream = 1000;
  std::uint64_t pairs_total = 2000000, streams_total = 20000;
  bool operator==(const Limits&) const = default;
};

enum class LogFormat : std::uint8_t { text, json, journald };
using Revocation = proof::RevocationMode;
enum class ListenKind : std::uint8_t { s2s, s2s_tls, component, backend, dns_view, http };

// Where something stands in the file, for whoever judges it later. Two settings are the same wherever they stand.
struct Line {
  unsigned number = 0;
  bool operator==(const Line&) const noexcept { return true; }
};

struct Credential {
  std::string certificate_file, private_key_file;  // resolved against the configuration's folder
  unsigned line = 0;                               // where the certificate is named, for whoever judges it later
};
struct TlsFor {
  std::vector<Domain> domains;
  Credential credential;
};
struct Listen {
  ListenKind kind;
  Endpoint endpoint;
  std::string unix_path; /* instead of endpoint where set */
  Line line = {};
  bool operator==(const Listen&) const = default;
};
struct Secret {
  std::string bytes;
  bool operator==(const Secret&) const = default;
};  // no formatter, never printed (SEC-02)
struct ComponentLink {
  std::vector<Domain> domains;
  Secret secret;
  bool operator==(const ComponentLink&) const = default;
};
struct BackendLink {
  std::vector<Domain> domains;
  Endpoint address;
  Line line = {};
  bool operator==(const BackendLink&) const = default;
};
using HostedLink = std::variant<ComponentLink, BackendLink>;

struct PeerRule {
  std::vector<std::string> patterns;  // canonical domain, or "*.domain": every domain below it
  std::optional<std::vector<proof::ProofType>> proofs;
  std::optional<Encryption> encryption;
  std::optional<bool> multiplex, bidi;
  bool block = false;
  bool names(const Domain& remote) const;  // one of its patterns does
};
struct Policy {
  proof::PeerPolicy defaults;
  bool internal = false;        // COMP-05
  std::vector<PeerRule> peers;  // the first match wins
  proof::PeerPolicy towards(const Domain& remote) const;
};

// A key of the contract that was written and that this version does nothing with.
struct InVain {
  std::string key;  // "[policy] bidi"
  unsigned line = 0;
};

struct Config {
  std::string file;  // as given; relative paths were resolved against its folder
  Domain hostname;   // [gateway]
  std::string state_dir, control;
  Line state_dir_line, control_line;  // 0: the default
  LogFormat log_format = LogFormat::text;
  report::Level log_level = report::Level::info;
  Credential credential;      // [tls]
  std::string trust_anchors;  // "system" or a PEM file
  Revocation revocation = Revocation::soft;
  std::vector<std::string> crl;
  std::string tls_minimum = "1.2";
  std::vector<TlsFor> tls_for;
  std::string dns_trust_anchor = "/usr/share/dns/root.key";  // "": DNSSEC off
  std::vector<std::string> dns_forward;                      // "address@port", or {"root"}
  std::vector<AddressRange> allow_addresses;
  std::vector<Listen> listen;
  std::vector<HostedLink> links;
  Policy policy;
  Limits limits;
  std::vector<InVain> in_vain;
};

struct Fault {
  std::string file;
  unsigned line = 0;   // 0: the file as a whole
  std::string what;    // "unknown key \"hostnam\""
  std::string advice;  // "did you mean \"hostname\"?"
  std::string text()
      const;  // "gw.toml:3: unknown key \"hostnam\"; did you mean \"hostname\"?" (schema `reload.faults`)
};

// What parse() needs of the world, so that it can refuse unreadable files and loose modes (AB-163, AB-164).
struct FileFacts {
  std::string text;   // the content; at most 16 MiB are read
  unsigned mode = 0;  // permission bits
};
class Files {
 public:
  virtual ~Files() = default;
  virtual tl::expected<FileFacts, std::string> read(
      const std::string& path) const = 0;  // error: "No such file or directory"
};

// All faults in one run. Warnings: usable, but an operator should know (a component listener off loopback, AB-106).
struct Parsed {
  std::optional<Config> config;  // present if and only if `faults` is empty
  std::vector<Fault> faults, warnings;
  LogFormat log_format = LogFormat::text;  // as far as it could be read: faults are told in it
};
Parsed parse(const std::string& file, const Files& files);

// Where the control socket of that configuration is: all that `ligase ctl` needs of it, readable by whoever may not read
// its keys. The fault where the file or these two keys cannot be read.
tl::expected<std::string, Fault> control_socket_of(const std::string& file, const Files& files);

}  // namespace ligase::config
