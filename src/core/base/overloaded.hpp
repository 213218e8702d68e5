// One visitor from several lambdas, for std::visit.
#pragma once

namespace ligase {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

}  // namespace ligase
