// The loop's odds and ends; the work is in the connections.
#include "net/loop.hpp"

#include <exception>

namespace ligase::net {
namespace {

constexpr std::size_t kStorageKept = 16;                  // strings
constexpr std::size_t kLargestStorage = 256 * 1024 + 64;  // bytes each; a larger one goes back to the system

}  // namespace

Loop::Loop() : blocks_(std::make_unique<Blocks>()) {}

void Loop::on_signals(std::initializer_list<int> signals, std::function<void(int)> action) {
  signals_.emplace(context_);
  for (const int signal : signals) signals_->add(signal);
  on_signal_ = std::move(action);
  wait_for_signal();
}

void Loop::wait_for_signal() {
  signals_->async_wait([this](boost::system::error_code error, int signal) {
    if (error) return;
    wait_for_signal();
    on_signal_(signal);
  });
}

void Loop::run() {
  for (;;) {
    try {
      context_.run();
      return;
    } catch (const std::exception& fault) {  // the context may be run again at once
      report_fault(fault.what());
    }
    clock_.wake();
  }
}

void Loop::report_fault(const char* what) noexcept {
  try {
    if (on_fault_) on_fault_(what);
  } catch (const std::exception&) {  // no memory to say so either: the process stays
  }
}

void Loop::stop() { context_.stop(); }

std::string Loop::take_storage() {
  if (storage_.empty()) return {};
  std::string storage = std::move(storage_.back());
  storage_.pop_back();
  return storage;
}

void Loop::give_storage(std::string storage) {
  if (storage_.size() >= kStorageKept || storage.capacity() > kLargestStorage) return;
  storage.clear();
  storage_.push_back(std::move(storage));
}

}  // namespace ligase::net
