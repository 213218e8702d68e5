// Ownership of libldns' objects, as types. Its lists and packets own what is pushed into them, its getters lend.
#pragma once
#include <ldns/ldns.h>

#include <cstdlib>
#include <memory>
#include <string>

namespace ligase::dns {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
using Rr = std::unique_ptr<ldns_rr, Freed<ldns_rr_free>>;
using Rdf = std::unique_ptr<ldns_rdf, Freed<ldns_rdf_deep_free>>;
using Packet = std::unique_ptr<ldns_pkt, Freed<ldns_pkt_free>>;
using RrList = std::unique_ptr<ldns_rr_list, Freed<ldns_rr_list_deep_free>>;      // owns its records
using BorrowingRrList = std::unique_ptr<ldns_rr_list, Freed<ldns_rr_list_free>>;  // does not
using KeyList = std::unique_ptr<ldns_key_list, Freed<ldns_key_list_free>>;        // owns its keys

inline Rr clone(const ldns_rr* record) { return Rr(ldns_rr_clone(record)); }

// One record from a line of zone text, names relative to the root. Null if it is not one.
inline Rr parse_record(const std::string& line) {
  ldns_rr* record = nullptr;
  if (ldns_rr_new_frm_str(&record, line.c_str(), 3600, nullptr, nullptr) != LDNS_STATUS_OK) return nullptr;
  return Rr(record);
}

}  // namespace ligase::dns
