// Splitters of the tcp plugin: the first byte chooses the framing, the second the size of the pieces;
// messages must come out whole, in order, and the same whatever the pieces are.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/check.hpp"
#include "plugins/tcp/framing.hpp"

namespace {

using rr::tcp::Framing;
using rr::tcp::Message;
using rr::tcp::Splitter;

constexpr uint64_t kMost = 4096;

Framing Choose(uint8_t choice) {
    Framing f;
    f.split = (choice & 1) != 0;
    f.little_endian = (choice & 2) != 0;
    f.length_includes_header = (choice & 4) != 0;
    f.length_bytes = static_cast<uint8_t>(1U << ((choice >> 3) & 3));
    f.size = 1 + (choice >> 5);
    f.delimiter = (choice & 16) != 0 ? "aab" : "\n";
    switch (choice >> 6) {
        case 0: f.kind = Framing::Kind::kDelimiter; break;
        case 1: f.kind = Framing::Kind::kLength; break;
        case 2: f.kind = Framing::Kind::kFixed; break;
        default: f.kind = Framing::Kind::kRaw; break;
    }
    return f;
}

struct Outcome {
    std::vector<std::string> messages;
    std::string rest;
    bool refused = false;
};

Outcome Run(const Framing& framing, std::string_view bytes, size_t piece) {
    Outcome outcome;
    Splitter splitter;
    std::string& input = outcome.rest;
    for (size_t at = 0; at < bytes.size() && !outcome.refused; at += piece) {
        input += bytes.substr(at, piece);
        while (!input.empty()) {
            Message message = splitter.Next(framing, input, kMost);
            if (message.status == Message::Status::kNone) {
                break;
            }
            if (message.status != Message::Status::kWhole) {
                outcome.refused = true;
                break;
            }
            RR_CHECK(message.size > 0 && message.size <= input.size() && message.size <= kMost);
            outcome.messages.push_back(input.substr(0, message.size));
            input.erase(0, message.size);
            splitter.Taken();
        }
    }
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 2 || size > 16 * 1024) {
        return 0;
    }
    Framing framing = Choose(data[0]);
    std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
    Outcome pieces = Run(framing, bytes, size_t{1} + data[1]);
    std::string joined;
    for (const std::string& message : pieces.messages) {
        joined += message;
    }
    RR_CHECK(bytes.starts_with(joined));
    RR_CHECK(bytes.substr(joined.size()).starts_with(pieces.rest));
    // Where a message ends says the framing alone, unless it asks what one read brought.
    if (!framing.by_reads()) {
        Outcome at_once = Run(framing, bytes, bytes.size() + 1);
        RR_CHECK(at_once.messages == pieces.messages);
        RR_CHECK(at_once.refused == pieces.refused);
    }
    return 0;
}
