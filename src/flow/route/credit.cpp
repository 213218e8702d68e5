// Credit of those who send to us: each stanza counts from its arrival until it is taken, by its receiver or by nobody (FLOW-03).
#include "route/router.hpp"

namespace ligase::route {
namespace {

constexpr Duration kQuiet = 30s;             // a pair that sent nothing for so long gets what is left to give
constexpr std::size_t kQuietAtOnce = 1000;   // of one stream, in a second
constexpr std::size_t kMostOfOthers = 1000;  // pairs of a stream that are not known here, and are counted all the same

}  // namespace

streams::PairWindow* Router::window_of(streams::Stream& session, const pairs::PairView& pair) {
  if (streams::PairWindow* known = session.windows.find(pair)) return known;
  auto sender = Domain::parse(pair.sender), target = Domain::parse(pair.target);
  if (!sender || !target) return nullptr;
  pairs::PairKey key{std::move(*sender), std::move(*target)};
  if (streams::PairWindow* known = session.windows.find(key)) return known;
  // One that was forgotten here a moment ago may still be spoken of there, and its sender counts.
  const bool is_known = session.in_pairs.contains(key) || out_pairs_.find(key.reversed()) != nullptr;
  if (!is_known && session.windows.size() >= session.in_pairs.size() + kMostOfOthers) return nullptr;
  return &session.windows.add(session, std::move(key), session.machine.flow()->ours);
}

bool Router::receive(streams::Stream& session, const pairs::PairView& pair, std::size_t bytes) {
  streams::PairWindow* window = window_of(session, pair);
  if (window == nullptr) return true;
  receipt_ = session.windows.receive(*window, bytes, ground_.now());
  return static_cast<bool>(receipt_);
}

void Router::give_credit() {
  while (!streams_.due_windows.empty()) {
    streams::PairWindow& window = streams_.due_windows.front();
    streams_.due_windows.pop_front();
    if (window.stream->is_live())  // where there is no memory it is given later, as what is unused
      ground_.scope.attempt([&] { window.stream->give_credit(window); });
  }
}

void Router::give_unused_credit() {
  give_credit();
  const Instant now = ground_.now();
  for (const auto& [ref, session] : streams_.all()) {
    if (!session->is_live()) continue;
    for (std::size_t i = 0; i < kQuietAtOnce; ++i) {
      streams::PairWindow* window = session->windows.unused(now - kQuiet);
      if (window == nullptr) break;
      session->give_credit(*window);
      session->windows.forget(*window, now);
    }
  }
}

}  // namespace ligase::route
