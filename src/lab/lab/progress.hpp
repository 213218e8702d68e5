// One line on a terminal that says how far the lab is. Not a terminal, or a dumb one: nothing.
#pragma once
#include <chrono>
#include <string>
#include <string_view>

namespace ligase::lab {

class Progress {
 public:
  Progress();   // looks at standard error
  ~Progress();  // leaves no line behind

  void step(std::string_view text);    // shown now and kept: "name server, certificates … 0.1 s"
  void update(std::string_view text);  // shown in the place of the line before, at most ten times a second
  void clear();

 private:
  bool is_on_;
  bool has_line_ = false;
  std::chrono::steady_clock::time_point start_, shown_{};
};

}  // namespace ligase::lab
