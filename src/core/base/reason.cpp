// The table of reasons; a static_assert holds it complete and in the enumeration's order.
#include "base/reason.hpp"

#include <array>
#include <utility>

namespace ligase {
namespace {

using enum Reason;
using enum StanzaError;
constexpr auto kCancel = ErrorType::cancel;
constexpr auto kWait = ErrorType::wait;
constexpr auto kAuth = ErrorType::auth;

constexpr ReasonText kReasons[] = {
    {name_invalid, "name.invalid", jid_malformed, ErrorType::modify, "correct the domain name"},
    {name_not_allowed, "name.not_allowed", remote_server_not_found, kCancel,
     "special-use names are refused unless configured; use a public domain"},
    {dns_resolver, "dns.resolver", remote_server_timeout, kWait,
     "the resolver passes no valid DNSSEC data on: name one that does in [dns] forward, or \"root\"; else look at "
     "trust_anchor and at this machine's clock"},
    {dns_bogus, "dns.bogus", remote_server_timeout, kWait,
     "the zone's DNSSEC signatures do not validate; its holder must re-sign it or mend the DS record"},
    {dns_indeterminate, "dns.indeterminate", remote_server_timeout, kWait,
     "the name servers did not answer; try again later, or check the resolver in [dns] forward"},
    {dns_no_service, "dns.no_service", remote_server_not_found, kCancel,
     "the domain publishes SRV target '.', that is: no XMPP here"},
    {dns_not_found, "dns.not_found", remote_server_not_found, kCancel,
     "the domain has neither SRV nor address records; check its spelling"},
    {dns_tlsa_bogus, "dns.tlsa_bogus", remote_server_timeout, kWait,
     "the TLSA answer does not validate or did not come; the host's zone must be mended"},
    {address_forbidden, "address.forbidden", remote_server_not_found, kCancel,
     "the address is not globally routable; list its range in [dns] allow_addresses if that is meant"},
    {address_none, "address.none", remote_server_not_found, kCancel, "the SRV target has no address records"},
    {connect_refused, "connect.refused", remote_server_timeout, kWait,
     "nothing listens there; the peer's server or firewall must be looked at"},
    {connect_timeout, "connect.timeout", remote_server_timeout, kWait,
     "the peer's address does not answer; its firewall or routing must be looked at"},
    {setup_timeout, "setup.timeout", remote_server_timeout, kWait,
     "the peer did not finish the negotiation in time; try again later"},
    {network_closed, "network.closed", remote_server_timeout, kWait, "the peer closed the connection; see its log"},
    {cancelled, "cancelled", remote_server_timeout, kWait, "the work was given up; try again"},
    {self_connect, "connect.self", remote_server_not_found, kCancel,
     "the domain's SRV record leads back to this gateway, which does not host it"},
    {tls_required, "tls.required", remote_server_timeout, kCancel,
     "the peer offers no TLS, and [policy] encryption demands it"},
    {tls_failed, "tls.failed", remote_server_timeout, kWait,
     "the TLS handshake failed; compare versions and cipher suites with the peer's"},
    {tls_timeout, "tls.timeout", remote_server_timeout, kWait, "the TLS handshake was not finished in time"},
    {tls_injection, "tls.injection", remote_server_timeout, kWait,
     "clear bytes came behind STARTTLS: a broken peer, or somebody on the path"},
    {tls_truncated, "tls.truncated", remote_server_timeout, kWait,
     "the connection ended without close_notify: a broken peer, or somebody on the path"},
    {certificate_none, "certificate.none", remote_server_timeout, kCancel, "the peer showed no certificate"},
    {pkix_chain, "pkix.chain", remote_server_timeout, kCancel,
     "the certificate does not lead to a trust anchor; the peer must send its intermediates or use a known CA"},
    {pkix_expired, "pkix.expired", remote_server_timeout, kCancel, "the peer must renew its certificate"},
    {pkix_name, "pkix.name", remote_server_timeout, kCancel,
     "the certificate names neither the domain nor a host that a signed SRV record leads to"},
    {pkix_revoked, "pkix.revoked", remote_server_timeout, kCancel, "the peer must replace its revoked certificate"},
    {pkix_revocation_unknown, "pkix.revocation_unknown", remote_server_timeout, kWait,
     "neither a staple nor the CA's OCSP responder nor a CRL says that the peer's certificate still holds"},
    {pkix_purpose, "pkix.purpose", remote_server_timeout, kCancel,
     "the certificate's extended key usage excludes TLS; the peer needs another"},
    {pkix_constraints, "pkix.constraints", remote_server_timeout, kCancel,
     "the CA's name constraints do not allow this name"},
    {dane_mismatch, "dane.mismatch", remote_server_timeout, kCancel,
     "the peer renewed its key before its TLSA record; ask it to publish both"},
    {dane_chain, "dane.chain", remote_server_timeout, kCancel,
     "the TLSA record's usage demands a valid chain, and it is not"},
    {dane_name, "dane.name", remote_server_timeout, kCancel,
     "the TLSA record's usage demands a matching name, and the certificate has none"},
    {web_failed, "web.failed", remote_server_timeout, kWait,
     "the web server's answer is late, too long or no HTTP; its holder must look at it"},
    {posh_failed, "posh.failed", remote_server_timeout, kWait,
     "fetch https://DOMAIN/.well-known/posh/xmpp-server.json: it must come over a valid certificate, and be as RFC "
     "7711 says"},
    {posh_mismatch, "posh.mismatch", remote_server_timeout, kWait,
     "the certificate was renewed before the POSH document; ask the domain's holder to publish both"},
    {dialback_refused, "dialback.refused", remote_server_timeout, kWait,
     "the peer refused the domain pair; its reason is in its log"},
    {dialback_invalid, "dialback.invalid", remote_server_timeout, kCancel,
     "the sender domain's authority did not make this key; all nodes of a provider must share one dialback secret"},
    {dialback_timeout, "dialback.timeout", remote_server_timeout, kWait,
     "no dialback answer in time; the peer may be unable to reach us"},
    {dialback_error, "dialback.error", remote_server_timeout, kWait, "the peer answered the dialback with an error"},
    {dialback_too_many, "dialback.too_many", resource_constraint, kWait, "too many claims wait at once; try again"},
    {dialback_not_offered, "dialback.not_offered", remote_server_timeout, kCancel,
     "the peer offers no dialback and did not accept our certificate"},
    {external_refused, "external.refused", remote_server_timeout, kCancel,
     "the peer refused our certificate; its text says why"},
    {policy_proof, "policy.proof", remote_server_timeout, kCancel,
     "the domain can be proven, but not by what [policy] proofs demands"},
    {policy_blocked, "policy.blocked", forbidden, kAuth, "the domain is blocked by [[policy.peer]]"},
    {policy_encryption, "policy.encryption", policy_violation, kCancel, "encryption is demanded for this domain"},
    {policy_internal, "policy.internal", remote_server_not_found, kCancel,
     "both domains are hosted here; set [policy] internal = true to route between them"},
    {policy_multiplex, "policy.multiplex", remote_server_timeout, kWait, "the peer takes no further pairs"},
    {proof_expired, "proof.expired", remote_server_timeout, kWait, "the proof ran out and is being renewed"},
    {Reason::stream_error, "stream.error", remote_server_timeout, kWait,
     "the peer ended the stream; its text says why"},
    {stream_closed, "stream.closed", remote_server_timeout, kWait, "the stream was closed"},
    {stream_idle, "stream.idle", remote_server_timeout, kWait, "nothing to do: the stream was closed for idleness"},
    {stream_unproven, "stream.unproven", remote_server_timeout, kWait,
     "no domain pair was proven in time; see the refusals before"},
    {stream_protocol, "stream.protocol", remote_server_timeout, kWait, "the peer broke the stream's rules"},
    {stream_limit, "stream.limit", remote_server_timeout, kWait, "a size or depth limit of [limits] was passed"},
    {stream_dead, "stream.dead", remote_server_timeout, kWait, "the peer stopped answering"},
    {host_unknown, "host.unknown", item_not_found, kCancel, "the domain is not hosted here"},
    {sender_hosted, "sender.hosted", not_authorized, kAuth, "a peer claimed a domain that is hosted here"},
    {sender_not_proven, "sender.not_proven", not_authorized, kAuth, "the sender's domain is not proven on this stream"},
    {unsolicited, "unsolicited", not_acceptable, kCancel, "an answer to no question; it was dropped"},
    {link_down, "link.down", service_unavailable, kWait, "the domain's component is not connected"},
    {link_unauthorized, "link.unauthorized", not_authorized, kAuth, "the component's secret is wrong"},
    {link_conflict, "link.conflict", conflict, kCancel, "another component serves this domain already"},
    {link_foreign_sender, "link.foreign_sender", not_authorized, kCancel,
     "a component sent with a domain that is not its own"},
    {link_addressing, "link.addressing", jid_malformed, ErrorType::modify, "a stanza needs a valid from and to"},
    {queue_full, "queue.full", resource_constraint, kWait, "the pair's queue is full; the peer is slow or unreachable"},
    {queue_age, "queue.age", remote_server_timeout, kWait, "the stanza waited too long"},
    {limit_reached, "limit.reached", resource_constraint, kWait, "a limit of [limits] was reached"},
    {stanza_too_big, "stanza.too_big", policy_violation, ErrorType::modify, "send a smaller stanza"},
    {stanza_invalid, "stanza.invalid", bad_request, ErrorType::modify,
     "the sender must mend the stanza: a namespace name with a control character, a space, {, } or |, or more of the "
     "content namespace than one stanza may declare"},
    {memory, "memory", resource_constraint, kWait, "the total memory limit was reached"},
    {config_invalid, "config.invalid", internal_server_error, kCancel, "correct the configuration"},
    {file_unreadable, "file.unreadable", internal_server_error, kCancel, "check the file's path and modes"},
    {shutdown, "shutdown", remote_server_timeout, kWait, "the gateway is stopping; try again"},
    {internal, "internal", internal_server_error, kWait, "a fault in ligase; please report it"},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < std::size(kReasons); ++i)
    if (static_cast<std::size_t>(kReasons[i].reason) != i) return false;
  return std::size(kReasons) == static_cast<std::size_t>(internal) + 1;
}
static_assert(in_order(), "every Reason has its row, in the enumeration's order");

// clang-format off
constexpr std::string_view kConditions[] = {
    "bad-request", "conflict", "feature-not-implemented", "forbidden", "gone", "internal-server-error",
    "item-not-found", "jid-malformed", "not-acceptable", "not-allowed", "not-authorized", "policy-violation",
    "recipient-unavailable", "redirect", "registration-required", "remote-server-not-found", "remote-server-timeout",
    "resource-constraint", "service-unavailable", "subscription-required", "undefined-condition", "unexpected-request",
};
// clang-format on
static_assert(std::size(kConditions) == static_cast<std::size_t>(unexpected_request) + 1);
constexpr std::string_view kErrorTypes[] = {"auth", "cancel", "modify", "wait"};

}  // namespace

// The enumeration goes by families, so that the last of each says them all.
Family family_of(Reason reason) noexcept {
  constexpr std::pair<Reason, Family> kLast[] = {
      {name_not_allowed, Family::name},
      {address_none, Family::dns},
      {self_connect, Family::reach},
      {tls_truncated, Family::tls},
      {pkix_constraints, Family::certificate},
      {dane_name, Family::dane},
      {web_failed, Family::web},
      {posh_mismatch, Family::posh},
      {dialback_not_offered, Family::dialback},
      {external_refused, Family::external},
      {proof_expired, Family::policy},
      {unsolicited, Family::stream},
      {link_addressing, Family::link},
      {memory, Family::limit},
      {internal, Family::program},
  };
  for (const auto& [last, family] : kLast)
    if (reason <= last) return family;
  return Family::program;
}

bool is_of_proof(Reason reason) noexcept {
  switch (family_of(reason)) {
    case Family::certificate:
    case Family::dane:
    case Family::posh:
    case Family::dialback:
    case Family::external:
      return true;
    case Family::dns:
      return reason == dns_bogus || reason == dns_tlsa_bogus;
    case Family::policy:
      return reason == policy_proof;
    case Family::name:
    case Family::reach:
    case Family::tls:
    case Family::web:
    case Family::stream:
    case Family::link:
    case Family::limit:
    case Family::program:
      return false;
  }
  return false;
}

std::string_view condition_name(StanzaError condition) noexcept {
  return kConditions[static_cast<std::size_t>(condition)];
}
std::string_view error_type_name(ErrorType type) noexcept { return kErrorTypes[static_cast<std::size_t>(type)]; }
const ReasonText& describe(Reason reason) noexcept { return kReasons[static_cast<std::size_t>(reason)]; }
std::span<const ReasonText> all_reasons() noexcept { return kReasons; }

}  // namespace ligase
