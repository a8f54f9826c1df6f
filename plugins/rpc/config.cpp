#include "plugins/rpc/config.hpp"

#include "core/api/rpc.hpp"
#include "core/config/section.hpp"

namespace rr::rpc {
namespace {

constexpr int64_t kMostBytes = INT64_C(4294967295);  // a frame's length has 32 bits

int64_t ReadSize(const config::Section& section, std::string_view key, int64_t fallback) {
    int64_t size = section.Size(key, fallback);
    if (size < 1 || size > kMostBytes) {
        section.Problem(key, "must be between 1 byte and 4 GB");
        return fallback;
    }
    return size;
}

void ReadListen(const config::Section& section, RpcConfig& config) {
    std::string text = section.String("listen", kDefaultRpcListen);
    size_t scheme = text.find("://");
    bool two_parts =
        scheme != std::string::npos && text.find("://", scheme + 3) == std::string::npos;
    if (!two_parts) {
        section.Problem("listen", "invalid socket DSN (tcp://:6001, unix://file.sock)");
        return;
    }
    auto address = net::ParseAddress(text);
    if (!address) {
        section.Problem("listen", address.error().message);
        return;
    }
    config.listen = std::move(*address);
}

}  // namespace

RpcConfig ParseRpcConfig(const config::Section& section) {
    RpcConfig config;
    ReadListen(section, config);
    config.max_payload =
        static_cast<uint32_t>(ReadSize(section, "max_payload", config.max_payload));
    config.max_write_queue = static_cast<size_t>(
        ReadSize(section, "max_write_queue", static_cast<int64_t>(config.max_write_queue)));
    return config;
}

}  // namespace rr::rpc
