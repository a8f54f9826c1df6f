// What comes back from a memcached: in one piece or in two, it answers the same calls alike.
#include <array>
#include <cstdint>
#include <string>

#include "core/base/check.hpp"
#include "plugins/kv/memcached/dialect.hpp"

namespace {

using namespace rr::kv::memcached;

// A short text of what the calls were answered with.
std::string Answers(rr::Bytes first, rr::Bytes second) {
    using Kind = MemcachedCall::Kind;
    MemcachedDialect dialect;
    std::array<MemcachedCall, 4> calls = {MemcachedCall(Kind::kGet), MemcachedCall(Kind::kSet),
                                          MemcachedCall(Kind::kLine), MemcachedCall(Kind::kGet)};
    calls[0].keys = {"a", "b", "a"};
    calls[3].keys = {"c"};
    std::string text;
    size_t answered = 0;
    for (rr::Bytes piece : {first, second}) {
        RR_CHECK(dialect.Feed(piece).has_value());
        while (answered < calls.size()) {
            auto whole = dialect.Read(calls[answered]);
            if (!whole) {
                return text + "bad";
            }
            if (!*whole) {
                break;
            }
            for (const auto& value : calls[answered].values) {
                text += value.key + "=" + value.bytes + ";";
            }
            text += calls[answered].error + "|";
            ++answered;
        }
    }
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const rr::Bytes in(reinterpret_cast<const char*>(data), size);
    RR_CHECK(Answers(in, {}) == Answers(in.substr(0, size / 2), in.substr(size / 2)));
    return 0;
}
