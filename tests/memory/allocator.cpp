// Every operator new of the program, and the aligned_alloc() by which Asio takes memory for handlers and coroutines' frames.
#include "memory/allocator.hpp"

#include <execinfo.h>
#include <unistd.h>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <new>

#include "sim/at_work.hpp"

namespace {

std::uint64_t fails_at = 0, count = 0;
std::int64_t blocks = 0;
bool is_reached = false;

// For whoever looks for a failure's place: LIGASE_TRACE prints it, and what else happens.
void print_place() noexcept {
  if (std::getenv("LIGASE_TRACE") == nullptr) return;
  void* frames[48];
  backtrace_symbols_fd(frames, backtrace(frames, 48), 2);
}

void print_number(int) noexcept {
  char text[96];
  const int size = std::snprintf(text, sizeof text, "the process ended when allocation %llu had failed\n",
                                 static_cast<unsigned long long>(fails_at));
  (void)!::write(2, text, static_cast<std::size_t>(size));
}

bool is_to_fail() noexcept {
  if (ligase::sim::at_work_now != ligase::sim::Whose::gateway || ++count != fails_at) return false;
  is_reached = true;
  print_place();
  return true;
}

void* take(std::size_t size, std::size_t alignment) noexcept {
  void* block = nullptr;
  if (::posix_memalign(&block, alignment, size == 0 ? 1 : size) != 0) return nullptr;
  ++blocks;
  return block;
}
void* take_or_throw(std::size_t size, std::size_t alignment = alignof(std::max_align_t)) {
  void* block = is_to_fail() ? nullptr : take(size, alignment);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
void give(void* block) noexcept {
  if (block == nullptr) return;
  --blocks;
  std::free(block);
}

}  // namespace

namespace ligase::memory {

void fail_at(std::uint64_t n) noexcept {
  std::signal(SIGABRT, print_number);
  fails_at = n;
  count = 0;
  is_reached = false;
}
std::uint64_t counted() noexcept { return count; }
bool has_failed() noexcept { return is_reached; }
std::int64_t living() noexcept { return blocks; }

}  // namespace ligase::memory

void* operator new(std::size_t size) { return take_or_throw(size); }
void* operator new[](std::size_t size) { return take_or_throw(size); }
void* operator new(std::size_t size, std::align_val_t at) { return take_or_throw(size, static_cast<std::size_t>(at)); }
void* operator new[](std::size_t size, std::align_val_t at) {
  return take_or_throw(size, static_cast<std::size_t>(at));
}
// Who asks so can do without, as std::stable_sort: nothing fails.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return take(size, alignof(std::max_align_t)); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return take(size, alignof(std::max_align_t)); }
void operator delete(void* block) noexcept { give(block); }
void operator delete[](void* block) noexcept { give(block); }
void operator delete(void* block, std::size_t) noexcept { give(block); }
void operator delete[](void* block, std::size_t) noexcept { give(block); }
void operator delete(void* block, std::align_val_t) noexcept { give(block); }
void operator delete[](void* block, std::align_val_t) noexcept { give(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { give(block); }
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept { give(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { give(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { give(block); }

// What it gives is freed by free(), which this program does not count.
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  void* block = nullptr;
  return is_to_fail() || ::posix_memalign(&block, alignment, size) != 0 ? nullptr : block;
}
