// Tells systemd how we are (sd_notify(3)): one datagram, written by hand, so that no library is needed for it.
#pragma once
#include <string_view>

namespace ligase::node {

// "READY=1", "STOPPING=1". Without effect where nobody asked for it ($NOTIFY_SOCKET).
void notify_service_manager(std::string_view state) noexcept;

}  // namespace ligase::node
