#include "plugins/tcp/context.hpp"

#include "core/base/json_text.hpp"
#include "core/pool/job.hpp"

namespace rr::tcp {

std::string_view NameOf(EventKind kind) {
    switch (kind) {
        case EventKind::kConnected: return "CONNECTED";
        case EventKind::kData: return "DATA";
        case EventKind::kClose: return "CLOSE";
    }
    return "";
}

size_t BeginEvent(const Origin& origin, EventKind kind, Buffer& out) {
    RR_ASSERT(out.empty());
    out.Reserve(pool::kHeadroom + Uuid::kTextSize + 128);
    out.Commit(pool::kHeadroom);
    out.Append("{\"remote_addr\":");
    AppendJsonString(origin.remote_addr, out);
    out.Append(",\"server\":");
    AppendJsonString(origin.server, out);
    out.Append(",\"uuid\":\"");
    out.Reserve(Uuid::kTextSize);
    origin.uuid.Write(out.tail());
    out.Commit(Uuid::kTextSize);
    out.Append("\",\"event\":\"");
    out.Append(NameOf(kind));
    out.Append("\"}");
    return out.size() - pool::kHeadroom;
}

Verb ReadVerb(Bytes context) {
    if (context == "WRITE") {
        return {true, false};
    }
    if (context == "WRITECLOSE") {
        return {true, true};
    }
    return {false, context != "CONTINUE"};
}

Bytes WithoutPort(Bytes remote_addr) {
    size_t colon = remote_addr.rfind(':');
    if (colon == Bytes::npos) {
        return remote_addr;
    }
    Bytes host = remote_addr.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    }
    return host;
}

}  // namespace rr::tcp
