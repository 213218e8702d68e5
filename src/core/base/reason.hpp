// The one vocabulary for "why": at once `reason=` in logs, `last_error` in the API, a metric label, and a heading of
// docs/reasons.md. Each reason knows the stanza error that tells a sender of it (RFC 6120 §8.3, ROUTE-02).
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace ligase {

// Stanza error conditions, RFC 6120 §8.3.3.
// clang-format off
enum class StanzaError : std::uint8_t {
  bad_request, conflict, feature_not_implemented, forbidden, gone, internal_server_error, item_not_found,
  jid_malformed, not_acceptable, not_allowed, not_authorized, policy_violation, recipient_unavailable, redirect,
  registration_required, remote_server_not_found, remote_server_timeout, resource_constraint, service_unavailable,
  subscription_required, undefined_condition, unexpected_request,
};
// clang-format on
enum class ErrorType : std::uint8_t { auth, cancel, modify, wait };

std::string_view condition_name(StanzaError condition) noexcept;  // "remote-server-not-found"
std::string_view error_type_name(ErrorType type) noexcept;        // "cancel"

// clang-format off
enum class Reason : std::uint8_t {
  // names
  name_invalid, name_not_allowed,
  // DNS and addresses
  dns_resolver, dns_bogus, dns_indeterminate, dns_no_service, dns_not_found, dns_tlsa_bogus, address_forbidden,
  address_none,
  // reaching a peer
  connect_refused, connect_timeout, setup_timeout, network_closed, cancelled, self_connect,
  // TLS
  tls_required, tls_failed, tls_timeout, tls_injection, tls_truncated,
  // certificates
  certificate_none, pkix_chain, pkix_expired, pkix_name, pkix_revoked, pkix_revocation_unknown,
  pkix_purpose, pkix_constraints,
  // DANE
  dane_mismatch, dane_chain, dane_name,
  // web servers, and POSH
  web_failed, posh_failed, posh_mismatch,
  // dialback
  dialback_refused, dialback_invalid, dialback_timeout, dialback_error, dialback_too_many, dialback_not_offered,
  // EXTERNAL
  external_refused,
  // policy
  policy_proof, policy_blocked, policy_encryption, policy_internal, policy_multiplex,
  proof_expired,
  // streams
  stream_error, stream_closed, stream_idle, stream_unproven, stream_protocol, stream_limit, stream_dead,
  host_unknown, sender_hosted, sender_not_proven, unsolicited,
  // links
  link_down, link_unauthorized, link_conflict, link_foreign_sender, link_addressing,
  // limits
  queue_full, queue_age, limit_reached, stanza_too_big, stanza_invalid, memory,
  // program
  config_invalid, file_unreadable, shutdown, internal,
};
// clang-format on

struct ReasonText {
  Reason reason;
  std::string_view name;        // "dane.mismatch"
  StanzaError condition;        // what a waiting stanza's sender is told
  ErrorType type;               // cancel: will not change by waiting
  std::string_view what_to_do;  // one sentence for an operator
};

// What a reason is about: the groups of the enumeration above.
enum class Family : std::uint8_t {
  name,
  dns,
  reach,
  tls,
  certificate,
  dane,
  web,
  posh,
  dialback,
  external,
  policy,
  stream,
  link,
  limit,
  program,
};
Family family_of(Reason reason) noexcept;
// That a domain is who it says it is could not be shown; else it was not reached, or not allowed.
bool is_of_proof(Reason reason) noexcept;

const ReasonText& describe(Reason reason) noexcept;
std::span<const ReasonText> all_reasons() noexcept;
inline std::string_view name_of(Reason reason) noexcept { return describe(reason).name; }

}  // namespace ligase
