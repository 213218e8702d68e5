// The windows of the pairs that send to us on one stream, and the credit that is to be given for them (docs/specs/flow.md). A
// window that is as new, and was not used for a while, is not remembered: what the peer may count on is the same without it.
#pragma once
#include <boost/intrusive/list.hpp>
#include <list>
#include <memory>
#include <unordered_map>

#include "pair/credit.hpp"
#include "pairs/pair_key.hpp"

namespace ligase::streams {

class Stream;

class PairWindow final
    : public pair::Lender,
      public std::enable_shared_from_this<PairWindow>,
      public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  // In the order in which they came to it; of all streams. What gives credit goes through it after whatever it did.
  using Due = boost::intrusive::list<PairWindow, boost::intrusive::constant_time_size<false>>;

  PairWindow(Stream& of, pairs::PairKey pair, std::uint32_t first, Due& due)
      : stream(&of), key(std::move(pair)), window(first), due_(&due) {}

  void take(std::uint64_t bytes) noexcept override {
    window.take(bytes);
    if (due_ != nullptr && window.is_due() && !is_linked()) due_->push_back(*this);
  }
  // The stream is gone: what is kept of it owes nobody anything.
  void abandon() noexcept {
    unlink();
    due_ = nullptr;
  }

  Stream* const stream;  // until abandon()
  const pairs::PairKey key;
  pair::Window window;
  Instant used_at{};
  std::list<PairWindow*>::iterator by_use{};

 private:
  Due* due_;
};

class Windows {
 public:
  explicit Windows(PairWindow::Due& due) noexcept : due_(due) {}
  ~Windows() {
    for (auto& [key, window] : windows_) window->abandon();
  }
  Windows(const Windows&) = delete;
  Windows& operator=(const Windows&) = delete;

  std::size_t size() const noexcept { return windows_.size(); }
  PairWindow* find(pairs::PairView pair) noexcept {
    const auto found = windows_.find(pair);
    return found == windows_.end() ? nullptr : found->second.get();
  }
  PairWindow& add(Stream& of, pairs::PairKey pair, std::uint32_t first);
  // A stanza of that many bytes came. None: there was no credit for it.
  [[nodiscard]] pair::Receipt receive(PairWindow& at, std::uint64_t bytes, Instant now);
  // Those not used since `before`, a few at a time, to be given what is left to give; then forget() them.
  PairWindow* unused(Instant before) noexcept {
    return by_use_.empty() || by_use_.front()->used_at >= before ? nullptr : by_use_.front();
  }
  // It need not be remembered; else it is as if it had been used now.
  void forget(PairWindow& window, Instant now);

 private:
  PairWindow::Due& due_;
  // By the window's own key.
  std::unordered_map<pairs::PairView, std::shared_ptr<PairWindow>, pairs::PairHash, pairs::PairEqual> windows_;
  std::list<PairWindow*> by_use_;  // the longest unused first
};

}  // namespace ligase::streams
