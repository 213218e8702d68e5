// What parse() could not know: today's date, whose folder the state folder is, and what this version is able to do. A part
// of the configuration that would be ignored is refused instead, so that nobody relies on it.
#include <fmt/format.h>

#include <filesystem>

#include "base/bytes.hpp"
#include "dns/anchors.hpp"
#include "node/materials.hpp"
#include "node/node.hpp"
#include "os/files.hpp"
#include "proof/certificate.hpp"
#include "tls/contexts.hpp"

namespace ligase::node {
namespace {

constexpr auto kNearExpiry = std::chrono::days(14);  // PKIX-06

class Judge {
 public:
  Judge(const config::Config& config, const config::Files& files, config::Parsed& findings)
      : config_(config), files_(files), findings_(findings) {}

  void credentials() {
    const auto own = credential(config_.credential);
    if (own && !own->names_host(HostName(config_.hostname)) && !own->names_domain(config_.hostname)) {
      warn(config_.credential.line,
           fmt::format("the certificate does not name the hostname {}", config_.hostname.text()),
           "peers that check certificates will refuse it; get one that names it, or publish a TLSA record 3 1 1");
    }
    for (const config::TlsFor& other : config_.tls_for) {
      const auto chain = credential(other.credential);
      for (const Domain& domain : other.domains) {
        if (!chain || chain->names_domain(domain)) continue;
        warn(other.credential.line, fmt::format("the certificate of [[tls.for]] does not name {}", domain.text()),
             "get one that names it, or take the domain out");
      }
    }
  }

  void anchors() {
    if (const auto anchors = read_anchors(config_, files_); !anchors) {
      const bool is_system = config_.trust_anchors == "system";
      fault(0, "[tls] trust_anchors: " + anchors.error().detail,
            is_system ? "install ca-certificates, or name a PEM file" : "name a PEM file with the CAs to trust");
    }
    if (config_.dns_trust_anchor.empty()) return;
    const Result<std::string> text = read_dns_anchor(config_, files_);
    const auto records = text ? dns::read_trust_anchors(*text) : tl::unexpected(text.error());
    if (!records) {
      fault(0, "[dns] trust_anchor: " + records.error().detail,
            "name a file with DS or DNSKEY lines, such as /usr/share/dns/root.key of the package dns-root-data");
    }
  }

  void revocation_lists() {
    for (const std::string& path : config_.crl)
      if (const auto lists = read_revocation_lists(path, files_); !lists)
        fault(0, "[tls] crl: " + lists.error().detail, "name files with revocation lists, in PEM or DER");
    if (!config_.crl.empty() && config_.revocation == config::Revocation::off)
      warn(0, "[tls] crl is not looked at, since revocation is \"off\"", "write \"soft\" or \"hard\", or take it out");
  }

  void version() {
    for (const config::Listen& listen : config_.listen) listener(listen);
    for (const config::HostedLink& link : config_.links)
      if (const auto* backend = std::get_if<config::BackendLink>(&link))
        not_yet(backend->line.number, "[[domain]] via = \"backend\"",
                "connect the server as a component: via = \"component\"");
    for (const config::InVain& key : config_.in_vain) not_yet(key.line, key.key, "take it out: it would do nothing");
  }

  // What is somebody's is neither tightened nor given away.
  void state_folder() {
    const std::vector<std::string> ours = {"dialback.secret", "learned.sqlite",
                                           std::filesystem::path(config_.control).filename()};
    if (const Result<void> may_be = os::may_be_private_folder(config_.state_dir, ours); !may_be)
      fault(config_.state_dir_line.number, "[gateway] state_dir: " + may_be.error().detail, "");
  }

 private:
  void fault(unsigned line, std::string what, std::string advice) {
    findings_.faults.push_back({config_.file, line, std::move(what), std::move(advice)});
  }
  void warn(unsigned line, std::string what, std::string advice) {
    findings_.warnings.push_back({config_.file, line, std::move(what), std::move(advice)});
  }
  void not_yet(unsigned line, std::string_view what, std::string_view advice) {
    fault(line, fmt::format("{} is not in this version", what), std::string(advice));
  }

  void listener(const config::Listen& listen) {
    const unsigned line = listen.line.number;
    constexpr const char* as_component = "take it out, and connect the server as a component";
    switch (listen.kind) {
      case config::ListenKind::component:
        if (!listen.unix_path.empty()) not_yet(line, "a component listener on a Unix socket", "bind it to 127.0.0.1");
        return;
      case config::ListenKind::s2s:
      case config::ListenKind::http:
        return;
      case config::ListenKind::s2s_tls:
        return not_yet(line, "[[listen]] kind = \"s2s-tls\"", "take it out: peers reach the s2s listener by STARTTLS");
      case config::ListenKind::backend:
        return not_yet(line, "[[listen]] kind = \"backend\"", as_component);
      case config::ListenKind::dns_view:
        return not_yet(line, "[[listen]] kind = \"dns-view\"", as_component);
    }
  }

  // The chain, if it can be used today.
  std::shared_ptr<const proof::Chain> credential(const config::Credential& files) {
    const auto certificate = files_.read(files.certificate_file), key = files_.read(files.private_key_file);
    if (!certificate || !key) {
      fault(files.line, "the certificate or its key cannot be read any more", "check their paths and modes");
      return nullptr;
    }
    const tls::Credential pem{certificate->text, key->text, files.certificate_file};
    if (const Result<void> usable = tls::check(pem); !usable) {
      fault(files.line, usable.error().detail, "");
      return nullptr;
    }
    const auto chain = proof::Chain::parse_pem(certificate->text);
    if (!chain) {
      fault(files.line, "the certificate cannot be used: " + chain.error().detail, "put the chain there, leaf first");
      return nullptr;
    }
    const WallTime now = wall_now();
    const std::string begins = rfc3339((*chain)->not_before()), ends = rfc3339((*chain)->not_after());
    if ((*chain)->not_after() <= now) {
      warn(files.line, fmt::format("the certificate EXPIRED on {}: peers that check certificates refuse it now", ends),
           "renew it; those that match a TLSA record 3 1 1 or ask by dialback still take it");
    } else if ((*chain)->not_before() > now) {
      warn(files.line, fmt::format("the certificate is NOT VALID before {}: peers refuse it until then", begins),
           "check this machine's clock");
    } else if ((*chain)->not_after() < now + kNearExpiry) {
      warn(files.line, fmt::format("the certificate expires on {}", ends), "renew it in time");
    }
    return *chain;
  }

  const config::Config& config_;
  const config::Files& files_;
  config::Parsed& findings_;
};

}  // namespace

void judge(const config::Config& config, const config::Files& files, config::Parsed& findings) {
  Judge judge(config, files, findings);
  judge.credentials();
  judge.anchors();
  judge.revocation_lists();
  judge.version();
  judge.state_folder();
}

}  // namespace ligase::node
