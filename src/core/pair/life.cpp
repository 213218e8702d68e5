#include "pair/life.hpp"

#include <algorithm>

#include "base/ensure.hpp"

namespace ligase::pair {
namespace {

constexpr Duration kFirstRest = 30s, kMostRest = 1h;

}  // namespace

Duration rest_after(unsigned refusals) noexcept {
  const unsigned doublings = std::min(refusals > 0 ? refusals - 1 : 0, 7u);  // 30 s * 2^7 is more than an hour
  return std::min(kFirstRest * (1 << doublings), kMostRest);
}

std::string_view Life::state_name() const noexcept {
  constexpr std::string_view names[] = {"proving", "proven", "refused", "expired"};
  return names[state_.index()];
}

const proof::Proof* Life::live_on(StreamRef stream, PolicyEpoch epoch, WallTime wall) const noexcept {
  const auto* proven = std::get_if<Proven>(&state_);
  const bool holds = proven != nullptr && proven->stream == stream && proven->epoch == epoch &&
                     wall < proven->proof.expires && !draining_;
  return holds ? &proven->proof : nullptr;
}

bool Life::may_begin(Instant now) const noexcept {
  const auto* refused = std::get_if<Refused>(&state_);
  return !is_being_proven_ && (refused == nullptr || refused->retry_at <= now);
}

void Life::begin() noexcept {
  ensure(!is_being_proven_, "a pair is proven by one attempt at a time");
  is_being_proven_ = true;
}

void Life::settle(Proven proven) {
  ensure(is_being_proven_, "what is settled was begun");
  is_being_proven_ = false;
  refusals_ = 0;
  const auto* before = std::get_if<Proven>(&state_);
  if (before != nullptr && before->stream != proven.stream) leave();
  if (draining_ == proven.stream) draining_.reset();  // one stream keeps the order by itself
  state_ = std::move(proven);
}

void Life::settle(Error why, Weight weight, PolicyEpoch epoch, Instant now, WallTime wall) {
  ensure(is_being_proven_, "what is settled was begun");
  is_being_proven_ = false;
  const auto* before = std::get_if<Proven>(&state_);
  const bool still_holds = before != nullptr && before->epoch == epoch && wall < before->proof.expires;
  if (still_holds && weight == Weight::temporary) return;
  leave();
  ++refusals_;
  state_ = Refused{std::move(why), wall, now + rest_after(refusals_)};
}

void Life::stream_is_over(StreamRef stream, WallTime wall) {
  const auto* proven = std::get_if<Proven>(&state_);
  if (proven != nullptr && proven->stream == stream) close(wall);
}

void Life::has_drained(StreamRef stream) noexcept {
  if (draining_ == stream) draining_.reset();
}

void Life::close(WallTime wall) {
  leave();
  state_ = Closed{wall};
}

void Life::judge_anew(Instant now) noexcept {
  if (auto* refused = std::get_if<Refused>(&state_)) refused->retry_at = std::min(refused->retry_at, now);
}

void Life::leave() noexcept {
  const auto* proven = std::get_if<Proven>(&state_);
  // While an earlier stream drains, nothing was given to this one: there is never more than one to wait for.
  if (proven != nullptr && !draining_) draining_ = proven->stream;
}

}  // namespace ligase::pair
