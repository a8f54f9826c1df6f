#include "cmd/rr/plugins.hpp"

#include "plugins/app/plugin.hpp"
#include "plugins/cache/plugin.hpp"
#include "plugins/fileserver/plugin.hpp"
#include "plugins/gzip/plugin.hpp"
#include "plugins/headers/plugin.hpp"
#include "plugins/hooks/plugin.hpp"
#include "plugins/http/plugin.hpp"
#include "plugins/informer/plugin.hpp"
#include "plugins/kv/plugin.hpp"
#include "plugins/lock/plugin.hpp"
#include "plugins/logger/plugin.hpp"
#include "plugins/metrics/plugin.hpp"
#include "plugins/otel/plugin.hpp"
#include "plugins/proxy_ip_parser/plugin.hpp"
#include "plugins/rate_limit/plugin.hpp"
#include "plugins/reload/plugin.hpp"
#include "plugins/resetter/plugin.hpp"
#include "plugins/rpc/plugin.hpp"
#include "plugins/sendfile/plugin.hpp"
#include "plugins/server/plugin.hpp"
#include "plugins/service/plugin.hpp"
#include "plugins/static/plugin.hpp"
#include "plugins/status/plugin.hpp"
#include "plugins/tcp/plugin.hpp"

// Plugin folders from outside the repository (`make build PLUGINS=...`) come as lines
// `RR_OUTSIDE_PLUGIN(name, {needs}, {offers})`; each folder defines `rr::name::Make()`.
#if __has_include("outside_plugins.inc")
#define RR_OUTSIDE_PLUGIN(name, ...) \
    namespace rr::name {             \
    std::unique_ptr<Plugin> Make();  \
    }
#include "outside_plugins.inc"
#undef RR_OUTSIDE_PLUGIN
#endif

namespace rr::cmd {

// Where needs leave a choice, plugins start in this order and stop in the reverse of it.
const std::vector<PluginRow>& PluginTable() {
    // clang-format off: one plugin a line
    static const std::vector<PluginRow> kTable = {
        {"status", &status::Make},  // first: it tells how all others start and stop
        {"metrics", &metrics::Make},
        {"logger", &logger::Make},
        {"server", &server::Make},
        {"hooks", &hooks::Make, {"server"}},
        {"lock", &lock::Make},
        {"kv", &kv::Make},
        {"app", &app::Make},
        {"informer", &informer::Make},
        {"resetter", &resetter::Make},
        // Behind what it serves, before what has workers: they may call it while they boot, and
        // while they finish their last request.
        {"rpc", &rpc::Make},
        // It watches before the first worker has read a file.
        {"reload", &reload::Make},
        // Its processes may call rpc from their first to their last moment, and the requests of
        // others may need them.
        {"service", &service::Make},
        // Middlewares.
        {"headers", &headers::Make},
        {"proxy_ip_parser", &proxy_ip_parser::Make},
        {"rate_limit", &rate_limit::Make},
        {"otel", &otel::Make},
        {"gzip", &gzip::Make},
        {"cache", &cache::Make},
        {"static", &static_files::Make},
        {"sendfile", &sendfile::Make},
        {"fileserver", &fileserver::Make},
        {"http", &http::Make, {"server"}},
        {"tcp", &tcp::Make, {"server"}},
#if __has_include("outside_plugins.inc")
#define RR_OUTSIDE_PLUGIN(name, ...) {#name, &name::Make, __VA_ARGS__},
#include "outside_plugins.inc"
#undef RR_OUTSIDE_PLUGIN
#endif
    };
    // clang-format on
    return kTable;
}

}  // namespace rr::cmd
