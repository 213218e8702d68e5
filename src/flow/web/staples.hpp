// Our own certificates' OCSP responses (REV-01): fetched ahead, at half of their life with jitter, kept across restarts, tried
// again with growing rests where the responder fails, and never served once they are over.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ground/ground.hpp"
#include "proof/certificate.hpp"
#include "web/revocation_source.hpp"

namespace ligase::web {

class Staples {
 public:
  // Is told the leaf's fingerprint and the DER to serve from now on; "": none.
  using Serve = std::function<void(const std::string& fingerprint, std::string der)>;
  // `memos`: those of kind "staple" are looked at whenever certificates are read again.
  Staples(ground::Ground& ground, Serve serve, const std::vector<seams::Memo>& memos);

  // These are ours from now on, each with its issuer, where a trust anchor is not it: for each whose issuer has a responder,
  // what is fetched is served. It goes on for those that were ours before, and ends for the others, and with the scope.
  void keep(std::vector<std::shared_ptr<const proof::Chain>> own);

 private:
  struct Own {
    std::string leaf;  // fingerprint
    std::shared_ptr<const proof::Chain> chain;
    std::optional<WallTime> until;  // of what is served; nullopt: nothing is
    Instant fetch_at{};             // the next try
    unsigned failures = 0;
  };
  Task<void> work(std::shared_ptr<Own> own);
  bool is_ours(const Own& own) const;
  void wake(const std::shared_ptr<Own>& own);
  void rest(const std::shared_ptr<Own>& own);
  Duration half_of(WallTime until) const;
  void serve(Own& own, std::string der, WallTime until);
  void take(Own& own, OcspFetched fetched);
  void recall(Own& own, const proof::Issued& issued);
  void begin(const std::shared_ptr<const proof::Chain>& chain);

  ground::Ground& ground_;
  Serve serve_;
  std::vector<seams::Memo> memos_;
  std::vector<std::shared_ptr<const proof::Chain>> own_;
};

}  // namespace ligase::web
