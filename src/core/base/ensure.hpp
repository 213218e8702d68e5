// What must hold, kept in release: a state that cannot be is no state to go on from. It says where and what, and ends the process;
// no input of anybody may make it false.
#pragma once
#include <source_location>
#include <string_view>

namespace ligase {

[[noreturn]] void not_so(std::string_view what, const std::source_location& where) noexcept;

inline void ensure(bool holds, std::string_view what,
                   const std::source_location& where = std::source_location::current()) noexcept {
  if (!holds) [[unlikely]]
    not_so(what, where);
}

}  // namespace ligase
