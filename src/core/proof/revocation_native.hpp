// The crypto library's objects behind Issued, and what OCSP and CRLs have in common. For the .cpp files of this folder
// only.
#pragma once
#include <string>
#include <vector>

#include "proof/native.hpp"
#include "proof/revocation.hpp"

namespace ligase::proof {

struct Issued::Native {
  std::vector<CertificatePtr> path;  // leaf first, anchor last; at least two
  x509_st& leaf() const noexcept { return *path[0]; }
  x509_st& issuer() const noexcept { return *path[1]; }
};

struct Validity {
  WallTime expires, next_update;
  std::string fault;  // "is over since …": why it does not count; empty: it does
};
// Of thisUpdate and nextUpdate (null: absent), with the bounds of revocation.hpp.
Validity read_validity(const asn1_string_st* this_update, const asn1_string_st* next_update, WallTime now);
// " since 2026-11-20T00:00:00Z (keyCompromise)"; what is not known is left out. `reason`: -1: none.
std::string revocation_text(const asn1_string_st* revoked_at, int reason);

}  // namespace ligase::proof
