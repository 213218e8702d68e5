// Whose code is at work in the simulated world, so that memory can run out for a gateway and never for the world around it
// (tests/memory). One thread, one answer.
#pragma once
#include <cstdint>
#include <utility>

namespace ligase::sim {

enum class Whose : std::uint8_t { world, gateway };

inline Whose at_work_now = Whose::world;

class AtWork {
 public:
  explicit AtWork(Whose whose) noexcept : before_(std::exchange(at_work_now, whose)) {}
  ~AtWork() { at_work_now = before_; }
  AtWork(const AtWork&) = delete;
  AtWork& operator=(const AtWork&) = delete;

 private:
  Whose before_;
};

}  // namespace ligase::sim
