// The table of what others are told; a static_assert holds it complete and in the enumeration's order.
#include "base/told.hpp"

#include <iterator>

namespace ligase {
namespace {

using enum Reason;

struct Told {
  Reason reason;
  std::string_view sentence;
};

constexpr Told kTold[] = {
    {name_invalid, "the address is not valid"},
    {name_not_allowed, "this special-use name is not used on the public network"},
    {dns_resolver, "DNS cannot be used safely here just now; try again later"},
    {dns_bogus, "its DNS records are signed, and the signatures do not hold"},
    {dns_indeterminate, "its DNS records could not be had; try again later"},
    {dns_no_service, "its DNS says that it has no XMPP service"},
    {dns_not_found, "its name is not in DNS"},
    {dns_tlsa_bogus, "the TLSA records of its host could not be had with a signature that holds"},
    {address_forbidden, "its DNS leads to an address that is not on the public network"},
    {address_none, "the host that its DNS names has no address"},
    {connect_refused, "its server refuses the connection"},
    {connect_timeout, "its server does not answer"},
    {setup_timeout, "its server did not finish the negotiation in time"},
    {network_closed, "its server closed the connection"},
    {cancelled, "the attempt was given up; try again"},
    {self_connect, "its DNS leads back to this server, which does not host it"},
    {tls_required, "its server offers no encryption, which is demanded here"},
    {tls_failed, "the TLS handshake with its server failed"},
    {tls_timeout, "its server did not finish the TLS handshake in time"},
    {tls_injection, "bytes in clear came where TLS was to begin"},
    {tls_truncated, "the TLS connection was cut"},
    {certificate_none, "no certificate was shown, or none that was judged in time"},
    {pkix_chain, "its certificate does not lead to an authority that is trusted here"},
    {pkix_expired, "its certificate is not valid now"},
    {pkix_name, "its certificate does not name the domain"},
    {pkix_revoked, "its certificate is revoked"},
    {pkix_revocation_unknown, "nothing says that its certificate is not revoked"},
    {pkix_purpose, "its certificate is not meant for this use"},
    {pkix_constraints, "the authority of its certificate may not certify this name"},
    {dane_mismatch, "its certificate is not the one that its TLSA records name"},
    {dane_chain, "its TLSA records demand a valid chain of certificates, and there is none"},
    {dane_name, "its TLSA records demand a certificate with its name, and there is none"},
    {web_failed, "its web server gave no answer that can be used"},
    {posh_failed, "its POSH document could not be had"},
    {posh_mismatch, "its certificate is not the one that its POSH document names"},
    {dialback_refused, "its server refused this pair of domains"},
    {dialback_invalid, "the dialback key is not valid"},
    {dialback_timeout, "the dialback was not answered in time"},
    {dialback_error, "its server answered the dialback with an error, as where it does not serve the domain"},
    {dialback_too_many, "too many pairs are being proven; try again"},
    {dialback_not_offered, "its server offers no way to prove this pair of domains"},
    {external_refused, "its server refused the certificate"},
    {policy_proof, "no proof of it is among those that are demanded here"},
    {policy_blocked, "this domain is not served here"},
    {policy_encryption, "encryption is demanded here"},
    {policy_internal, "both domains are hosted here, and there is no way between them"},
    {policy_multiplex, "its server takes no further pairs of domains"},
    {proof_expired, "what proved it ran out"},
    {Reason::stream_error, "its server ended the stream"},
    {stream_closed, "the stream was closed"},
    {stream_idle, "the stream was closed after a time without use"},
    {stream_unproven, "no domain was proven in time"},
    {stream_protocol, "the rules of the stream were broken"},
    {stream_limit, "it passes a limit of size or depth"},
    {stream_dead, "its server stopped answering"},
    {host_unknown, "the domain is not hosted here"},
    {sender_hosted, "the sender's domain is hosted here"},
    {sender_not_proven, "the sender's domain is not proven on this stream"},
    {unsolicited, "nobody asked for it"},
    {link_down, "the domain's server is not connected"},
    {link_unauthorized, "the component is not authorized"},
    {link_conflict, "another component serves this domain"},
    {link_foreign_sender, "the component does not speak for this domain"},
    {link_addressing, "a stanza needs an address it comes from and one it goes to"},
    {queue_full, "more waits for this domain than can be kept; try again"},
    {queue_age, "it waited too long"},
    {limit_reached, "a limit was reached; try again later"},
    {stanza_too_big, "the stanza is larger than is taken; send a smaller one"},
    {stanza_invalid, "the stanza lacks an address, or cannot be passed on as it is written"},
    {memory, "no memory is left; try again"},
    {config_invalid, "a fault of this server"},
    {file_unreadable, "a fault of this server"},
    {shutdown, "this server is being stopped; try again"},
    {internal, "a fault of this server"},
};

constexpr bool is_complete() {
  for (std::size_t i = 0; i < std::size(kTold); ++i)
    if (static_cast<std::size_t>(kTold[i].reason) != i) return false;
  return std::size(kTold) == static_cast<std::size_t>(internal) + 1;
}
static_assert(is_complete(), "every Reason has its sentence, in the enumeration's order");

}  // namespace

std::string_view told_of(Reason reason) noexcept { return kTold[static_cast<std::size_t>(reason)].sentence; }

std::string told(Reason reason) {
  std::string text(name_of(reason));
  text += ": ";
  text += told_of(reason);
  return text;
}

}  // namespace ligase
