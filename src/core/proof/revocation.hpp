// Whether a certificate was taken back: what may be asked of its issuer (RFC 6960, RFC 5280 §4.2.1.13 and §4.2.2.1), and
// what an OCSP response says at a time that is told. Whatever is wrong with an answer makes it as if it had not come
// (AB-066): never "good", and no more than "not known".
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "name/url.hpp"
#include "proof/certificate.hpp"

namespace ligase::proof {

enum class RevocationMode : std::uint8_t { off, soft, hard };  // [tls] revocation

struct RevocationAnswer {
  enum class Status : std::uint8_t { good, revoked, unknown };
  Status status = Status::unknown;
  WallTime expires{};      // nextUpdate, at most 24 h from when it was read; unknown: not said
  std::string evidence;    // "OCSP says good, until 2026-11-25T00:00:00Z"; unknown: why nothing is known
  WallTime next_update{};  // good, revoked: as the issuer says it, however far
  bool operator==(const RevocationAnswer&) const = default;
};
RevocationAnswer not_known(std::string why);
constexpr auto kLongestAnswer = std::chrono::hours(24);  // what counts of an answer's life (REV-03)
constexpr auto kClockSkew = std::chrono::minutes(5);     // by which a responder's clock may be ahead of ours
constexpr std::size_t kLargestOcsp = 64 * 1024;          // AB-066
constexpr std::size_t kLargestList = 10 * 1024 * 1024;   // REV-02

// A leaf with its issuer and what lies above: whom an answer must be about, and by.
class Issued {
 public:
  struct Native;
  // By the path to an anchor; where there is none, by the path to a certificate of the chain itself, which a TLSA record may
  // trust (DANE-TA). Errors: those of verify_path().
  static Result<std::shared_ptr<const Issued>> find(const Chain& chain, const TrustAnchors& anchors, WallTime now);
  ~Issued();

  // Where the leaf says to ask: http and https only, at most 4 of each.
  const std::vector<Url>& responders() const noexcept { return responders_; }
  const std::vector<Url>& lists() const noexcept { return lists_; }
  const Native& native() const noexcept { return *native_; }

 private:
  Issued();
  std::unique_ptr<Native> native_;
  std::vector<Url> responders_, lists_;
};

// The DER of a request for the leaf. Without a nonce: public responders answer from what they signed in advance (RFC 5019),
// so an answer without one would have to be taken anyway, and a replayed one lives no longer than its nextUpdate.
std::string make_ocsp_request(const Issued& issued);

enum class OcspOrigin : std::uint8_t {
  stapled,  // may hold the nonce of whoever asked
  asked     // by us: a nonce in it is of another question
};
// Signed by the issuer, or by a responder that the issuer made one (id-kp-OCSPSigning); about this leaf; within its dates.
RevocationAnswer read_ocsp(const Issued& issued, std::string_view der, OcspOrigin origin, WallTime now);

}  // namespace ligase::proof
