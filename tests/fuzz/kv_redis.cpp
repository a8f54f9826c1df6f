// What comes back from a redis server, a node of a cluster, a sentinel: replies, in one piece or in
// two, and what is read from them.
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/check.hpp"
#include "plugins/kv/redis/command.hpp"
#include "plugins/kv/redis/slots.hpp"

namespace {

using namespace rr::kv::redis;

size_t Count(const Reply& reply) {
    size_t count = 1;
    for (const Reply& element : reply.elements) {
        count += Count(element);
    }
    return count;
}

std::vector<Reply> ReadAll(rr::Bytes first, rr::Bytes second) {
    Reader reader;
    std::vector<Reply> replies;
    for (rr::Bytes piece : {first, second}) {
        if (!reader.Feed(piece)) {
            return replies;
        }
        while (true) {
            Reply reply;
            auto whole = reader.Next(reply);
            if (!whole || !*whole) {
                break;
            }
            replies.push_back(std::move(reply));
        }
    }
    return replies;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const rr::Bytes in(reinterpret_cast<const char*>(data), size);
    const std::vector<Reply> replies = ReadAll(in, {});
    const std::vector<Reply> again = ReadAll(in.substr(0, size / 2), in.substr(size / 2));
    RR_CHECK(replies.size() == again.size());
    const rr::net::Address from = *rr::net::ParseAddress("127.0.0.1:6379");
    for (const Reply& reply : replies) {
        RR_CHECK(Count(reply) <= size);
        if (auto ranges = ParseSlots(reply, from)) {
            for (const SlotRange& range : *ranges) {
                RR_CHECK(range.first <= range.last && range.last < kSlots);
                RR_CHECK(!range.nodes.empty());
            }
        }
        if (auto redirect = ParseRedirect(reply.text, from)) {
            RR_CHECK(redirect->slot < kSlots && redirect->node.port != 0);
        }
        if (auto master = ParseMaster(reply)) {
            RR_CHECK(!master->host.empty() && master->port != 0);
        }
    }
    SlotOf(in);
    return 0;
}
