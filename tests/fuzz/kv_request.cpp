// The message of a kv call, the times in it, and a record of the file on disk: read without a crash,
// and within the bytes that came.
#include <cstdint>
#include <string>

#include "core/base/check.hpp"
#include "plugins/kv/lmdb/record.hpp"
#include "plugins/kv/request.hpp"
#include "plugins/kv/timeout.hpp"

using namespace rr;
using namespace rr::kv;

namespace {

bool Within(std::string_view part, Bytes whole) {
    return part.empty() || (part.data() >= whole.data() &&
                            part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const Bytes input(reinterpret_cast<const char*>(data), size);
    Request request;
    if (ReadRequest(input, request)) {
        RR_CHECK(Within(request.storage, input));
        for (const Item& item : request.items) {
            RR_CHECK(Within(item.key, input) && Within(item.value, input) &&
                     Within(item.timeout, input));
            Result<int64_t> at = ParseTimeout(item.timeout);
            RR_CHECK(!at || *at != 0);
        }
    }
    if (Result<int64_t> at = ParseTimeout(input); at && *at > 0 && *at < INT64_MAX) {
        // Written anew it is the same second.
        Result<int64_t> again = ParseTimeout(FormatTimeout(*at));
        RR_CHECK(again.has_value());
        RR_CHECK(*again / 1'000'000'000 == *at / 1'000'000'000);
    }
    Record record;
    if (ReadRecord(input, record)) {
        RR_CHECK(Within(record.timeout, input) && Within(record.value, input));
        std::string written(RecordSize(record), '\0');
        WriteRecord(record, written.data());
        RR_CHECK(written == input);
    }
    return 0;
}
