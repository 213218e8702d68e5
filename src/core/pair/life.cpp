#include "pair/life.hpp"

#include <algorithm>

#include "base/ensure.hpp"

namespace ligase::pair {
namespace {

constexpr Duration kFirstRest = 30s, kMostRest = 1h, kRestOfNetwork = 10s, kRestOfDns = 5s;

bool is_of_network(Reason reason) noexcept {
  constexpr Reason kThose[] = {Reason::connect_refused, Reason::connect_timeout, Reason::setup_timeout,
                               Reason::stream_error,    Reason::stream_closed,   Reason::network_closed,
                               Reason::tls_truncated,   Reason::cancelled,       Reason::dns_indeterminate};
  return std::ranges::find(kThose, reason) != std::end(kThose);
}

bool holds(const Life::Proven& proven, PolicyEpoch today, WallTime wall) noexcept {
  return proven.proof.epoch == today.number && wall < proven.proof.expires;
}

}  // namespace

Duration rest_after(Reason reason, unsigned refusals) noexcept {
  if (describe(reason).condition == StanzaError::remote_server_not_found) return kRestOfDns;
  if (is_of_network(reason)) return kRestOfNetwork;
  const unsigned doublings = std::min(refusals > 0 ? refusals - 1 : 0, 7u);  // 30 s * 2^7 is more than an hour
  return std::min(kFirstRest * (1 << doublings), kMostRest);
}

std::string_view Life::state_name() const noexcept {
  constexpr std::string_view names[] = {"proving", "proven", "refused", "expired"};
  return is_being_proven_ && as<Proven>() == nullptr ? names[0] : names[state_.index()];
}

const proof::Proof* Life::live_on(StreamRef stream, PolicyEpoch epoch, WallTime wall) const noexcept {
  return draining_ ? nullptr : proven_on(stream, epoch, wall);
}

const proof::Proof* Life::proven_on(StreamRef stream, PolicyEpoch epoch, WallTime wall) const noexcept {
  const Proven* proven = as<Proven>();
  const bool is_proven = proven != nullptr && proven->stream == stream && holds(*proven, epoch, wall);
  return is_proven ? &proven->proof : nullptr;
}

bool Life::is_moving(PolicyEpoch epoch, WallTime wall) const noexcept {
  return draining_ && as<Proven>() != nullptr && holds(*as<Proven>(), epoch, wall);
}

const Life::Refused* Life::resting(Instant now) const noexcept {
  const Refused* refused = as<Refused>();
  return refused != nullptr && !is_being_proven_ && now < refused->retry_at ? refused : nullptr;
}

void Life::begin() noexcept {
  ensure(!is_being_proven_, "a pair is proven by one attempt at a time");
  is_being_proven_ = true;
}

void Life::settle(Proven proven) {
  ensure(is_being_proven_, "what is settled was begun");
  is_being_proven_ = false;
  refusals_ = 0;
  const Proven* before = as<Proven>();
  if (before != nullptr && before->stream != proven.stream) leave();
  if (draining_ == proven.stream) draining_.reset();  // one stream keeps the order by itself
  state_ = std::move(proven);
}

void Life::settle(Refused refused, Weight weight, PolicyEpoch today) {
  ensure(is_being_proven_, "what is settled was begun");
  is_being_proven_ = false;
  const Proven* before = as<Proven>();
  if (weight == Weight::temporary && before != nullptr && holds(*before, today, refused.since)) return;
  leave();
  ++refusals_;
  state_ = std::move(refused);
}

void Life::stream_is_over(StreamRef stream) {
  const Proven* proven = as<Proven>();
  if (proven != nullptr && proven->stream == stream) close();
}

void Life::has_drained(StreamRef stream) noexcept {
  if (draining_ == stream) draining_.reset();
}

void Life::close() {
  leave();
  state_ = Closed{};
}

void Life::judge_anew(Instant now) noexcept {
  if (auto* refused = std::get_if<Refused>(&state_)) refused->retry_at = std::min(refused->retry_at, now);
}

void Life::leave() noexcept {
  const Proven* proven = as<Proven>();
  // While an earlier stream drains, nothing was given to this one: there is never more than one to wait for.
  if (proven != nullptr && !draining_) draining_ = proven->stream;
}

}  // namespace ligase::pair
