// Whether a peer's certificate was taken back (REV-02, REV-03): from the staple, from lists at hand, from memory, else asked of
// the issuer's OCSP responder and then of its CRLs, all of it within 5 s, one question at a time for a leaf. Under "soft" nobody
// waits for an answer: what is known now is said, and when a later answer says "revoked", the pairs that stand on the certificate
// are judged again at once.
#pragma once
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "ground/gate.hpp"
#include "ground/ground.hpp"
#include "proof/revocation_list.hpp"

namespace ligase::web {

struct OcspFetched {
  proof::RevocationAnswer answer;  // unknown: why
  std::string der;                 // of a good or revoked one
};
// The leaf's responders in turn, over HTTP as fetch_once() does it; until `deadline`.
Task<OcspFetched> ask_responders(ground::Ground& ground, std::shared_ptr<const proof::Issued> issued, Instant deadline);

// One loop's object.
class RevocationSource {
 public:
  // `revoked` is told the fingerprint of a leaf that was found revoked: whatever stands on it is to be judged again.
  // Recalls what `memos` keep of kind "ocsp".
  RevocationSource(ground::Ground& ground, std::function<void(const std::string& leaf)> revoked,
                   const std::vector<seams::Memo>& memos);

  // What judge is to be told of this chain. nullopt: nothing, as [tls] revocation is "off" and the certificate does not say
  // must-staple. Waits, and no longer than 5 s, only where not knowing would refuse. `staple`: of this session, may be "".
  Task<std::optional<proof::RevocationAnswer>> ask(std::shared_ptr<const proof::Chain> chain, std::string staple);

  // The operator's lists, read again. They are looked at when a certificate is next asked for.
  void take_lists(std::vector<std::shared_ptr<proof::RevocationList>> lists);

  // The certificates of live sessions whose answer runs out (at three quarters of its life) are asked for anew; called often.
  void recheck();

  std::size_t size() const noexcept { return known_.size(); }

 private:
  struct Known {
    proof::RevocationAnswer answer = proof::not_known("the issuer is being asked");
    Instant ask_again{};                         // not before; a failure rests here
    unsigned failures = 0;                       // in a row
    unsigned lists = 0;                          // the reading of the operator's lists that was looked at; 0: none
    std::size_t staple = 0;                      // the last one read, hashed; 0: none
    std::shared_ptr<ground::Gate<bool>> asking;  // in flight: opens when it is over
    std::vector<std::weak_ptr<const proof::Chain>> shown;  // by sessions that may still live
  };
  struct FetchedList {
    std::string url;
    std::shared_ptr<proof::RevocationList> list;
  };

  Known& known(const std::string& leaf, const std::shared_ptr<const proof::Chain>& chain);
  void look(const std::string& leaf, Known& known, const proof::Chain& chain, const std::string& staple);
  void start_asking(const std::string& leaf, Known& known, std::shared_ptr<const proof::Chain> chain);
  void take(const std::string& leaf, Known& known, proof::RevocationAnswer answer);
  void take_failure(const std::string& leaf, Known& known, proof::RevocationAnswer answer);
  // A place among those that are asked, for a certificate, as long as its procedure lasts.
  class Asking {
   public:
    Asking(RevocationSource& of, std::string leaf) : of_(&of), leaf_(std::move(leaf)) { ++of.in_flight_; }
    Asking(Asking&& other) noexcept : of_(std::exchange(other.of_, nullptr)), leaf_(std::move(other.leaf_)) {}
    Asking& operator=(Asking&&) = delete;
    ~Asking();

   private:
    RevocationSource* of_;
    std::string leaf_;
  };
  Task<void> run(Asking place, std::string leaf, std::shared_ptr<const proof::Chain> chain);
  Task<OcspFetched> fetch(std::shared_ptr<const proof::Issued> issued);
  Task<proof::RevocationAnswer> ask_list(std::shared_ptr<const proof::Issued> issued, Url url, Instant deadline);

  ground::Ground& ground_;
  std::function<void(const std::string& leaf)> revoked_;
  std::vector<std::shared_ptr<proof::RevocationList>> operator_s_lists_;
  std::unordered_map<std::string, Known> known_;             // by the leaf's fingerprint
  std::unordered_map<std::string, std::string> remembered_;  // OCSP responses of an earlier run, until they are read
  std::list<FetchedList> lists_;                             // of distribution points, the latest first
  std::size_t in_flight_ = 0;
  unsigned reading_ = 1;  // of the operator's lists
  Instant next_check_{};
};

}  // namespace ligase::web
