// A certificate revocation list (RFC 5280 §5), from a file or a distribution point. Kept as its bytes and walked: a list of
// ten mebibytes has three hundred thousand entries, of which one is asked for.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proof/revocation.hpp"

struct x509_st;

namespace ligase::proof {

class RevocationList {
 public:
  // One list in DER, or any number in PEM, one behind the other; at most 10 MiB. Error: file_unreadable.
  static Result<std::vector<std::shared_ptr<RevocationList>>> parse(std::string_view bytes);
  ~RevocationList();

  // What the list says of the path's certificate `i` (0: the leaf): good if it is the issuer's own, signed by it, within
  // its dates, for such certificates (IDP), and does not list it. The check of the signature is remembered.
  RevocationAnswer look_up(const Issued& issued, std::size_t i, WallTime now);
  bool is_of_issuer(const Issued& issued, std::size_t i) const noexcept;  // by its name

  std::size_t size() const noexcept;     // bytes
  std::size_t entries() const noexcept;  // certificates that it lists

 private:
  struct Native;
  RevocationList();
  static Result<std::shared_ptr<RevocationList>> read(std::string der);
  std::string cannot_speak_of(const Issued& issued, std::size_t i) const;
  bool is_signed_by(x509_st& issuer);
  std::unique_ptr<Native> native_;
};

// The whole path by these lists: revoked if any of its certificates is; good if a list says so of the leaf; else unknown,
// with the reason of a list of the leaf's issuer.
RevocationAnswer look_up(std::span<const std::shared_ptr<RevocationList>> lists, const Issued& issued, WallTime now);

}  // namespace ligase::proof
