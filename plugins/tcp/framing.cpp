#include "plugins/tcp/framing.hpp"

namespace rr::tcp {
namespace {

using Status = Message::Status;

Message Whole(uint64_t size, uint64_t most) {
    if (size > most) {
        return {Status::kTooLarge};
    }
    return {Status::kWhole, static_cast<size_t>(size)};
}

// `size` bytes make a message of which `have` are here.
Message Counted(uint64_t size, size_t have, uint64_t most) {
    if (size > most) {
        return {Status::kTooLarge};
    }
    return size <= have ? Whole(size, most) : Message{};
}

Message Unfinished(size_t have, uint64_t most) {
    return have > most ? Message{Status::kTooLarge} : Message{};
}

Message ByLength(const Framing& f, Bytes in, uint64_t most) {
    if (in.size() < f.length_bytes) {
        return {};
    }
    uint64_t length = 0;
    for (size_t i = 0; i < f.length_bytes; ++i) {
        size_t at = f.little_endian ? f.length_bytes - 1U - i : i;
        length = length << 8 | static_cast<unsigned char>(in[at]);
    }
    if (f.length_includes_header) {
        return length < f.length_bytes ? Message{Status::kBroken}
                                       : Counted(length, in.size(), most);
    }
    if (length > most) {
        return {Status::kTooLarge};  // and no sum that overflows
    }
    return Counted(length + f.length_bytes, in.size(), most);
}

}  // namespace

Message Splitter::Next(const Framing& f, Bytes in, uint64_t most) {
    switch (f.kind) {
        case Framing::Kind::kRaw: return Whole(in.size(), most);
        case Framing::Kind::kLength: return ByLength(f, in, most);
        case Framing::Kind::kFixed: return Counted(f.size, in.size(), most);
        case Framing::Kind::kDelimiter: break;
    }
    if (!f.split) {
        return in.ends_with(f.delimiter) ? Whole(in.size(), most) : Unfinished(in.size(), most);
    }
    size_t found = in.find(f.delimiter, searched_);
    if (found != Bytes::npos) {
        return Whole(found + f.delimiter.size(), most);
    }
    searched_ = in.size() < f.delimiter.size() ? 0 : in.size() - f.delimiter.size() + 1;
    return Unfinished(in.size(), most);
}

}  // namespace rr::tcp
