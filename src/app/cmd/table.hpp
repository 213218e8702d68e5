// Aligned columns for people. Cells are made safe for a terminal here: a peer's bytes may be in them (AB-110).
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ligase::cmd {

enum class Align : std::uint8_t { left, right };

class Table {
 public:
  struct Column {
    std::string_view title;
    Align align = Align::left;
    std::size_t widest = 48;  // characters; longer cells are cut with "…"
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<std::string> cells);  // as many as there are columns; an empty cell shows as "-"
  void sort();                               // by the cells, from left to right
  std::string text() const;                  // with a title line; every line ends in \n
  bool empty() const noexcept { return rows_.empty(); }

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace ligase::cmd
