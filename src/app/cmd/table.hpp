// Aligned columns for people. Cells are made safe for a terminal here: a peer's bytes may be in them (AB-110).
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ligase::cmd {

// Made safe for a terminal, for people: as escaped(), but a quote is a quote.
std::string readable(std::string_view text, std::size_t most = 256);

enum class Align : std::uint8_t { left, right };

class Table {
 public:
  struct Column {
    std::string_view title;
    Align align = Align::left;
    std::size_t widest = 48;  // characters; longer cells are cut with "…"
    std::size_t least = 0;    // may be cut down to this where the terminal is narrow; 0: never
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<std::string> cells);  // as many as there are columns; an empty cell shows as "-"
  void sort();                               // by the cells, from left to right
  // With a title line; every line ends in \n. Where it would be wider than `width`, the widest columns that may be are
  // cut, as far as they may be.
  std::string text(std::size_t width = SIZE_MAX) const;
  bool empty() const noexcept { return rows_.empty(); }

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace ligase::cmd
