// Somebody who claims a customer's domain with a dialback key of his own making (AB-070 and its kind): an s2s peer from an
// address that neither provider uses, with TLS and a certificate in the domain's name that nobody vouches for. He says all
// that a true server would say, but for the key.
#pragma once
#include <memory>
#include <optional>

#include "base/result.hpp"
#include "lab/plan.hpp"
#include "stream/dialback.hpp"

namespace ligase::lab {

class Forger {
 public:
  // Connects to provider one's gateway, to claim the broken domain towards its first customer. Call step() until answer()
  // or failure() has something.
  static Result<std::unique_ptr<Forger>> start(const Plan& plan);
  ~Forger();

  void step();  // what is to be done now; never waits
  const std::optional<stream::DbVerdict>& answer() const noexcept;
  const std::optional<Error>& failure() const noexcept;  // the connection ended before an answer came

 private:
  class Impl;
  explicit Forger(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ligase::lab
