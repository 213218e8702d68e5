// What every procedure stands on: the world, the rules of this moment, what is known of addresses, and the scope in which
// procedures live. No table of domains, peers or streams is here, so whatever takes a Ground alone can be tried alone.
#pragma once
#include <string>

#include "ground/attempts.hpp"
#include "ground/rules.hpp"
#include "ground/scope.hpp"
#include "ground/world.hpp"
#include "pair/life.hpp"

namespace ligase::ground {

struct Ground {
  Ground(World w, Rules::Given given) : world(w), rules(std::move(given)), attempts(w), scope(w) {}

  Instant now() const { return world.now(); }
  WallTime wall() const { return world.wall(); }
  // The proof under which a stanza of this pair may pass on `stream` now, under the rules of now; null: it may not.
  const proof::Proof* live_proof(const pair::Life& life, pair::StreamRef stream) const {
    return life.live_on(stream, rules.epoch(), wall());
  }
  // Likewise, where the stanza comes in reverse, from the pair's target to its sender.
  const proof::Proof* proof_in_reverse(const pair::Life& life, pair::StreamRef stream) const {
    return life.proven_on(stream, rules.epoch(), wall());
  }
  void log(report::Event event) const { world.log(std::move(event)); }
  void spawn(Task<void> task, Scope::Lost lost = {}) noexcept { scope.spawn(std::move(task), std::move(lost)); }

  World world;
  Rules rules;
  Attempts attempts;
  Scope scope;
};

}  // namespace ligase::ground
