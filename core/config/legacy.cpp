#include "core/config/legacy.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/config/nearest.hpp"
#include "core/config/values.hpp"

namespace rr::config {
namespace {

enum class Unit : uint8_t { kNone, kDuration };

// Leaf keys of 1.x (in lower case, as the reader gives them) and their version 3 keys; empty:
// there is none, and `text` says what becomes of it.
struct Leaf {
    std::string_view from;
    std::string_view to;
    Unit unit = Unit::kNone;
    std::string_view text = {};
};
constexpr Leaf kLeaves[] = {
    {"http.workers.command", "server.command"},
    {"http.workers.relay", "server.relay"},
    {"http.workers.user", "server.user"},
    {"http.workers.relaytimeout", "server.relay_timeout", Unit::kDuration},
    {"http.workers.pool.numworkers", "http.pool.num_workers"},
    {"http.workers.pool.maxjobs", "http.pool.max_jobs"},
    {"http.workers.pool.allocatetimeout", "http.pool.allocate_timeout", Unit::kDuration},
    {"http.workers.pool.destroytimeout", "http.pool.destroy_timeout", Unit::kDuration},
    {"http.maxrequestsize", "http.max_request_size"},
    {"http.internalerrorcode", "http.internal_error_code"},
    {"http.apperrorcode", "", Unit::kNone, "use http.internal_error_code for all errors"},
    {"http.trustedsubnets", "http.trusted_subnets"},
    {"http.ssl.rootca", "http.ssl.root_ca"},
    {"http.ssl.port", "http.ssl.address"},
    {"http.http2.maxconcurrentstreams", "http.http2.max_concurrent_streams"},
    {"http.http2.enabled", "", Unit::kNone, "HTTP/2 over TLS is always on"},
    {"limit.interval", "http.pool.supervisor.watch_tick", Unit::kDuration},
    {"limit.services.http.maxmemory", "http.pool.supervisor.max_worker_memory"},
    {"limit.services.http.ttl", "http.pool.supervisor.ttl", Unit::kDuration},
    {"limit.services.http.idlettl", "http.pool.supervisor.idle_ttl", Unit::kDuration},
    {"limit.services.http.execttl", "http.pool.supervisor.exec_ttl", Unit::kDuration},
    {"headers.cors.allowedorigin", "http.headers.cors.allowed_origin"},
    {"headers.cors.allowedheaders", "http.headers.cors.allowed_headers"},
    {"headers.cors.allowedmethods", "http.headers.cors.allowed_methods"},
    {"headers.cors.allowcredentials", "http.headers.cors.allow_credentials"},
    {"headers.cors.exposedheaders", "http.headers.cors.exposed_headers"},
    {"headers.cors.maxage", "http.headers.cors.max_age"},
    {"headers.request", "http.headers.request"},
    {"headers.response", "http.headers.response"},
    {"static.dir", "http.static.dir"},
    {"static.forbid", "http.static.forbid"},
    {"static.always", "http.static.always"},
    {"static.request", "http.static.request"},
    {"static.response", "http.static.response"},
    {"health.address", "status.address"},
};

// Keys that have the same name in both shapes.
constexpr std::string_view kSameLeaves[] = {
    "http.address",   "http.ssl.redirect", "http.ssl.cert",    "http.ssl.key",
    "http.http2.h2c", "http.fcgi.address", "http.uploads.dir", "http.uploads.forbid",
    "rpc.listen",     "metrics.address",   "include",
};

// Switches of whole sections.
constexpr std::string_view kSwitches[] = {"rpc.enable",     "http.enable",    "limit.enable",
                                          "static.enable",  "headers.enable", "gzip.enable",
                                          "metrics.enable", "health.enable",  "reload.enable"};

constexpr std::string_view kPrivateSubnets[] = {"10.0.0.0/8",     "127.0.0.0/8", "172.16.0.0/12",
                                                "192.168.0.0/16", "::1/128",     "fc00::/7",
                                                "fe80::/10"};

constexpr std::string_view kAddressHeaders[] = {"X-Forwarded-For", "X-Real-Ip", "True-Client-Ip",
                                                "Cf-Connecting-Ip"};

// 0 and absence mean `no limit` in 1.x and `1000` in version 3: this is 1 TiB.
constexpr std::string_view kUnlimitedMegabytes = "1048576";

std::string_view SectionOf(std::string_view path) { return path.substr(0, path.find('.')); }

bool Said(const Node* node) { return node != nullptr && !node->IsNull(); }

// Place of a value that the translation made up.
Place Nowhere() { return {}; }

}  // namespace

bool IsLegacy(const Node& root) {
    if (Said(root.Find("version")) || Said(root.Find("server"))) {
        return false;
    }
    return Said(root.Find("limit")) || Said(root.Locate("http.workers")) ||
           Said(root.Locate("rpc.enable"));
}

namespace {

void CollectLeaves(const Node& node, const std::string& path, std::vector<std::string>& leaves) {
    if (!node.IsMap()) {
        leaves.push_back(path);
        return;
    }
    for (const Node::Entry& entry : node.entries) {
        CollectLeaves(entry.value, path.empty() ? entry.key : path + "." + entry.key, leaves);
    }
}

std::string VariableOf(std::string_view path) {
    std::string name = "RR_";
    for (const char c : path) {
        name += c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    return name;
}

}  // namespace

void OverrideFromEnvironment(Node& root, int source_order, Environment& environment) {
    constexpr std::array<std::string_view, 5> kOfWorkers = {"RR_RELAY", "RR_RPC", "RR_MODE",
                                                            "RR_VERSION", "RR_HTTP"};
    std::vector<std::string> paths;
    for (const Leaf& leaf : kLeaves) {
        paths.emplace_back(leaf.from);
    }
    paths.insert(paths.end(), std::begin(kSameLeaves), std::end(kSameLeaves));
    paths.insert(paths.end(), std::begin(kSwitches), std::end(kSwitches));
    CollectLeaves(root, "", paths);
    for (const std::string& path : paths) {
        const std::string name = VariableOf(path);
        if (std::find(kOfWorkers.begin(), kOfWorkers.end(), name) != kOfWorkers.end()) {
            continue;
        }
        // As in 1.x, an empty variable overrides nothing.
        if (std::optional<std::string> value = environment(name); value && !value->empty()) {
            auto source =
                std::make_shared<Source>(Source{name, Source::Kind::kEnvironment, source_order});
            root.PutPath(path, Node::Text(std::move(*value), {std::move(source), 0}));
        }
    }
}

namespace {

// Translator: moves the keys of one tree, section by section.
class Translator {
public:
    Translator(Node& root, Report& report) : root_(root), report_(report) {}

    void Run() {
        DropDisabled();
        places_of_sections_ = root_;  // for the warnings at the end
        Rpc();
        if (Said(root_.Find("http"))) {
            HttpDefaults();
            Ssl();
        }
        for (const Leaf& leaf : kLeaves) {
            Move(leaf);
        }
        if (Said(root_.Find("http"))) {
            Server();
            Middleware();
        }
        Environment();
        Leftovers();
        Warnings();
    }

private:
    // `enable: false` switches any section off; `enable: true` says nothing.
    void DropDisabled() {
        std::vector<std::string> off;
        for (Node::Entry& entry : root_.entries) {
            std::optional<Node> enable = entry.value.Take("enable");
            if (!enable || !enable->IsScalar()) {
                continue;
            }
            Result<bool> on = ParseBool(enable->text);
            if (!on) {
                report_.Problem(enable->place, entry.key + ".enable", on.error().message);
            } else if (!*on) {
                off.push_back(entry.key);
            }
        }
        for (const std::string& key : off) {
            root_.Take(key);
            off_.push_back(key);
        }
    }

    bool IsOff(std::string_view section) const {
        return std::find(off_.begin(), off_.end(), section) != off_.end();
    }

    // RPC is on in 1.x even without its section.
    void Rpc() {
        if (IsOff("rpc")) {
            return;
        }
        if (!Said(root_.Find("rpc"))) {
            root_.Put("rpc", Node(Node::Kind::kMap, Nowhere()));
        }
        Default("rpc.listen", "tcp://127.0.0.1:6001");
    }

    // What 1.x takes for granted and version 3 does not.
    void HttpDefaults() {
        const Node* size = root_.Locate("http.maxrequestsize");
        if (!Said(size) || size->text == "0") {
            const Place place = Said(size) ? size->place : Nowhere();
            root_.PutPath("http.maxrequestsize",
                          Node::Text(std::string(kUnlimitedMegabytes), place));
        }
        if (!Said(root_.Locate("http.uploads.forbid"))) {
            PutList("http.uploads.forbid", {".php", ".exe", ".bat"});
        }
        if (!Said(root_.Locate("http.trustedsubnets"))) {
            PutList("http.trustedsubnets",
                    {std::begin(kPrivateSubnets), std::end(kPrivateSubnets)});
        }
        if (!Said(root_.Locate("http.trusted_headers"))) {
            PutList("http.trusted_headers",
                    {std::begin(kAddressHeaders), std::end(kAddressHeaders)});
        }
        Default("http.trusted_entry", "last");
        if (Said(root_.Find("limit"))) {
            Default("limit.interval", "1s");
        }
    }

    // 1.x names a port, and takes the host of http.address.
    void Ssl() {
        Node* ssl = root_.LocatePath("http.ssl");
        if (!Said(ssl) || !ssl->IsMap() || ssl->Find("address") != nullptr) {
            return;
        }
        const Node* address = root_.Locate("http.address");
        std::string host = Said(address) ? address->text : "";
        host.erase(std::min(host.rfind(':'), host.size()));
        if (Node* port = ssl->Find("port"); Said(port)) {
            port->text = host + ":" + port->text;
            port->quoted = true;
        } else {
            ssl->Put("address", Node::Text(host + ":443", ssl->place));
        }
        Default("http.ssl.redirect_code", "307");
        Default("http.ssl.hsts", "max-age=31536000; includeSubDomains; preload");
    }

    void Move(const Leaf& leaf) {
        std::optional<Node> value = root_.TakePath(leaf.from);
        if (!value || value->IsNull()) {
            return;
        }
        if (leaf.to.empty()) {
            report_.Warning(value->place, leaf.from,
                            std::string("a RoadRunner 1.x key without effect; ").append(leaf.text));
            return;
        }
        if (!Said(root_.Find("http")) && SectionOf(leaf.to) == "http") {
            return;  // no http, nothing that belongs to it
        }
        if (leaf.unit == Unit::kDuration) {
            GiveUnit(*value);
        }
        if (value->place.source != nullptr) {
            moved_.emplace_back(SectionOf(leaf.from), leaf.to);
        }
        if (!Said(root_.Locate(leaf.to))) {  // a key of version 3 that is there already wins
            root_.PutPath(leaf.to, std::move(*value));
        }
    }

    // A bare number is seconds; the large ones are nanoseconds, as everywhere.
    static void GiveUnit(Node& value) {
        Result<int64_t> number = ParseInteger(Trim(value.text));
        if (value.IsScalar() && number && *number != 0) {
            value.text = std::to_string(*number) + (*number < 1'000'000 ? "s" : "ns");
            value.quoted = true;
        }
    }

    void Server() {
        if (Node* relay = root_.LocatePath("server.relay"); Said(relay) && relay->text == "pipe") {
            relay->text = "pipes";
        }
        Default("server.protocol", "v2");
        root_.Find("server")->place = root_.Find("http")->place;
    }

    // The order in which 1.x registered them; the last one sees a request first.
    void Middleware() {
        std::vector<std::string_view> names;
        if (Said(root_.Find("metrics"))) {
            names.push_back("http_metrics");
        }
        names.push_back("proxy_ip_parser");
        if (Said(root_.Locate("http.headers"))) {
            names.push_back("headers");
        }
        if (Said(root_.Locate("http.static"))) {
            names.push_back("static");
        }
        if (std::optional<Node> gzip = root_.Take("gzip"); gzip && !IsOff("gzip")) {
            names.push_back("gzip");
            moved_.emplace_back("gzip", "http.middleware");
        }
        if (!Said(root_.Locate("http.middleware"))) {
            PutList("http.middleware", names);
        }
    }

    void Environment() {
        std::optional<Node> env = root_.Take("env");
        if (!Said(root_.Find("http"))) {
            return;
        }
        Node all(Node::Kind::kMap, Nowhere());
        if (env && env->IsMap()) {
            moved_.emplace_back("env", "server.env");
            all = std::move(*env);
        }
        all.Put("rr", Node::Text("true", Nowhere()));
        all.Put("rr_http", Node::Text("true", Nowhere()));
        root_.PutPath("server.env", std::move(all));
    }

    // What is left in the sections that no longer exist is unknown: say so here, with the keys
    // of 1.x to choose from.
    void Leftovers() {
        for (const std::string_view path :
             {"http.workers", "limit", "headers", "static", "health"}) {
            std::optional<Node> section = root_.TakePath(path);
            std::vector<std::string> leaves;
            if (section && section->IsMap()) {
                CollectLeaves(*section, std::string(path), leaves);
                for (const std::string& leaf : leaves) {
                    Unknown(leaf, section->Locate(leaf.substr(path.size() + 1)));
                }
            }
        }
    }

    void Unknown(const std::string& leaf, const Node* node) {
        if (!Said(node) || node->IsMap()) {
            return;
        }
        const size_t dot = leaf.rfind('.');
        std::vector<std::string_view> siblings;
        for (const Leaf& known : kLeaves) {
            if (known.from.substr(0, dot + 1) == std::string_view(leaf).substr(0, dot + 1)) {
                siblings.push_back(known.from.substr(dot + 1));
            }
        }
        std::string text = "unknown key";
        const std::string_view near = Nearest(std::string_view(leaf).substr(dot + 1), siblings);
        if (!near.empty()) {
            text.append("; did you mean ").append(near).append("?");
        }
        report_.Warning(node->place, leaf, text);
    }

    void Warnings() {
        for (const Node::Entry& section : places_of_sections_.entries) {
            std::string list;
            for (const auto& [from, to] : moved_) {
                if (from == section.key) {
                    list.append(list.empty() ? "" : ", ").append(to);
                }
            }
            if (!list.empty()) {
                report_.Warning(section.value.place, section.key,
                                "read in the shape of RoadRunner 1.x; version 3 writes " + list);
            }
        }
    }

    void Default(std::string_view path, std::string_view text) {
        if (!Said(root_.Locate(path))) {
            root_.PutPath(path, Node::Text(std::string(text), Nowhere()));
        }
    }

    void PutList(std::string_view path, const std::vector<std::string_view>& texts) {
        Node list(Node::Kind::kList, Nowhere());
        for (const std::string_view text : texts) {
            list.Append(Node::Text(std::string(text), Nowhere()));
        }
        root_.PutPath(path, std::move(list));
    }

    Node& root_;
    Report& report_;
    Node places_of_sections_;
    std::vector<std::string> off_;
    std::vector<std::pair<std::string_view, std::string_view>> moved_;  // section, new key
};

}  // namespace

void Translate(Node& root, Report& report) { Translator(root, report).Run(); }

std::vector<std::string> ReportLegacyKeys(const Node& root, Report& report) {
    std::vector<std::string> reported;
    const bool server = Said(root.Find("server"));
    const auto speak = [&](std::string_view path, std::string_view advice) {
        const Node* node = root.Locate(path);
        if (!Said(node)) {
            return;
        }
        std::string text = "a RoadRunner 1.x key; ";
        text.append(advice).append(" (configuration version 3)");
        if (path.substr(0, 12) == "http.workers" && !server) {
            report.Problem(node->place, path, text);
        } else {
            report.Warning(node->place, path, text);
        }
        reported.emplace_back(path);
    };
    for (const Leaf& leaf : kLeaves) {
        speak(leaf.from,
              leaf.to.empty() ? std::string(leaf.text) : std::string("use ").append(leaf.to));
    }
    if (Said(root.Locate("http.workers")) && reported.empty()) {
        speak("http.workers", "use server and http.pool");
    }
    speak("rpc.enable", "remove the rpc section to switch it off");
    speak("gzip", "add gzip to http.middleware");
    speak("env", "use server.env");
    // The sections themselves: their keys were named one by one.
    for (const char* section : {"limit", "headers", "static", "health", "http.workers"}) {
        if (Said(root.Locate(section))) {
            reported.emplace_back(section);
        }
    }
    return reported;
}

}  // namespace rr::config
