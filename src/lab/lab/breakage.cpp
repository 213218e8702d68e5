// The table, in the order in which `--break list` shows it.
#include "lab/breakage.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "report/json.hpp"

namespace ligase::lab {
namespace {

constexpr auto kNone = std::nullopt;

constexpr Breakage kBreakages[] = {
    {Harm::tlsa, "tlsa", "{} publishes a TLSA record of another key than its server's", Way::dane, kNone,
     Reason::dane_mismatch, Reason::dane_mismatch, "._tcp.xmpp2.receiving.tld", "O-11, I-04"},
    {Harm::rrsig, "rrsig", "the signature of {}'s SRV record expired yesterday", Way::dnssec, kNone, Reason::dns_bogus,
     Reason::dns_bogus, "signature expired", "O-01, I-12"},
    {Harm::srv_bogus, "srv-bogus", "{}'s SRV record was altered after it was signed", Way::dnssec, kNone,
     Reason::dns_bogus, Reason::dns_bogus, "signature", "O-01, I-12"},
    {Harm::cert_expired, "cert-expired", "the certificate that is shown for {} has expired", Way::dnssec, Way::dialback,
     Reason::pkix_expired, kNone, "has expired", "O-17, I-10"},
    {Harm::cert_wrong_name, "cert-wrong-name", "the certificate that is shown for {} names another host", Way::dnssec,
     Way::dialback, Reason::pkix_name, kNone, "names no host that the signed SRV record", "O-17, I-10"},
    {Harm::cert_revoked, "cert-revoked", "the certificate that is shown for {} was revoked by its CA", Way::dnssec,
     Way::dialback, Reason::pkix_revoked, kNone, "revoked", "O-23, O-17, I-10"},
    {Harm::no_eku, "no-eku", "the certificate of {}'s provider is for TLS servers only, without clientAuth",
     Way::dnssec, Way::dnssec, kNone, kNone, "signed SRV record leads to", "O-14, I-09"},
    {Harm::posh_loop, "posh-loop", "{}'s POSH documents refer to one another", Way::posh, Way::dialback,
     Reason::posh_failed, Reason::posh_failed, "/again.json", "O-17, I-10, POSH-02"},
    {Harm::posh_expired, "posh-expired", "{}'s POSH document says that it is over (expires 0)", Way::posh,
     Way::dialback, Reason::posh_failed, Reason::posh_failed, "expires", "O-17, I-10, POSH-02"},
    {Harm::posh_mismatch, "posh-mismatch", "{}'s POSH document lists another certificate", Way::posh, Way::dialback,
     Reason::posh_mismatch, Reason::posh_mismatch, "does not list certificate", "O-17, I-10"},
    {Harm::dialback_forged, "dialback-forged", "somebody else claims to be {}, with a dialback key of his own making",
     Way::dialback, Way::dialback, Reason::dialback_invalid, kNone, "did not make this key", "I-11"},
    {Harm::nameserver_silent, "nameserver-silent", "the name server of {} does not answer", Way::dnssec, kNone,
     Reason::dns_indeterminate, Reason::dns_tlsa_bogus, "SRV", "O-02, I-12"},
    {Harm::peer_restart, "peer-restart", "the gateway that serves {} is restarted in the middle", Way::dnssec,
     Way::dnssec, kNone, kNone, "system-shutdown", "MUX-01"},
    {Harm::slow_customer, "slow-customer", "the server of {} reads 10 kB a second", Way::dnssec, Way::dnssec, kNone,
     kNone, "reads 10 kB a second", "FLOW-02, FLOW-03"},
};

}  // namespace

std::span<const Breakage> all_breakages() noexcept { return kBreakages; }

const Breakage* find_breakage(std::string_view name) noexcept {
  const auto* found = std::ranges::find(kBreakages, name, &Breakage::name);
  return found == std::end(kBreakages) ? nullptr : found;
}

std::string told_of(const Breakage& breakage, std::string_view domain) {
  return fmt::format(fmt::runtime(breakage.meaning), domain);
}

std::string breakage_list() {
  std::string text;
  for (const Breakage& breakage : kBreakages)
    text += fmt::format("{:<18} {}\n", breakage.name, told_of(breakage, "a customer"));
  return text;
}

std::string breakage_document() {
  report::JsonWriter json;
  json.begin_array();
  for (const Breakage& breakage : kBreakages)
    json.begin_object()
        .field("what", breakage.name)
        .field("meaning", told_of(breakage, "a customer"))
        .field("proof", name_of(breakage.way))
        .end_object();
  json.end_array();
  return json.take() + "\n";
}

Expected expected_of(const Breakage& breakage, bool only_its_way) noexcept {
  if (only_its_way && breakage.still != breakage.way) return {std::nullopt, breakage.reason};
  return {breakage.still, breakage.reason};
}

std::string Expected::text(const Breakage& breakage) const {
  if (breakage.harm == Harm::dialback_forged)
    return fmt::format("the forger refused with {}, the domain itself proven by {} ({})", ligase::name_of(*reason),
                       name_of(*proof), breakage.rows);
  if (!proof) return fmt::format("refused with {} ({})", ligase::name_of(*reason), breakage.rows);
  if (!reason) return fmt::format("proven by {} all the same ({})", name_of(*proof), breakage.rows);
  return fmt::format("proven by {} only, since {} ({})", name_of(*proof), ligase::name_of(*reason), breakage.rows);
}

}  // namespace ligase::lab
