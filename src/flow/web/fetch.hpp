// One HTTP/1.1 request to a web server of somebody else's choosing: POSH documents, OCSP responders, CRLs. Everything about
// it is hostile: the address it leads to, its certificate, and each byte of the answer. No redirect is followed here, no
// cookie, no compression, no authentication; the client certificate is not shown.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "ground/ground.hpp"
#include "task.hpp"

namespace ligase::web {

struct WebRequest {
  std::string method = "GET";
  std::string host;           // a DNS name, A-labels
  std::uint16_t port = 443;   // over TLS 443 or >= 1024, in clear 80 too (ADDR-02, AB-145)
  bool over_tls = true;       // then the certificate must be valid by PKIX for `host` (RFC 9110 §4.3.4, RFC 9525)
  std::string target = "/";   // path and query as they stand in the request line
  std::string accept;         // media type; empty: not said
  std::string content_type;   // of `body`
  std::string body;           // may be empty
  std::size_t most_body = 0;  // bytes of the answer's body; more is an error (AB-152)
  ground::Claimant by{};      // at whose word (AB-083)
};

struct WebAnswer {
  unsigned status = 0;                 // final: never 1xx
  std::string location, content_type;  // as they stand in the answer, hostile; empty: none
  std::string body;
};

// The addresses are those of the resolver now (a bogus answer refuses), tried in turn; the Dialer guards each (ADDR-01,
// AB-151). All of it until `deadline`. Errors: dns_…, address_…, connect_…, limit_reached (AB-083), tls_…, certificate_none, pkix_…, and
// web_failed for an answer that is late, too long or no HTTP; each with a sentence that names the host.
Task<Result<WebAnswer>> fetch_once(ground::Ground& ground, WebRequest request, Instant deadline);

}  // namespace ligase::web
