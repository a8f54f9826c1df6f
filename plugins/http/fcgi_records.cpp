#include "plugins/http/fcgi_records.hpp"

#include <algorithm>

namespace rr::http {

namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kMostContent = 65535;

uint8_t ByteAt(Bytes in, size_t at) { return static_cast<uint8_t>(in[at]); }

// One byte up to 127, else four with the top bit set.
bool TakeLength(Bytes in, size_t& at, size_t& length) {
    if (at >= in.size()) {
        return false;
    }
    length = ByteAt(in, at);
    if (length < 0x80) {
        ++at;
        return true;
    }
    if (in.size() - at < 4) {
        return false;
    }
    length = (length & 0x7f) << 24 | size_t{ByteAt(in, at + 1)} << 16 |
             size_t{ByteAt(in, at + 2)} << 8 | ByteAt(in, at + 3);
    at += 4;
    return true;
}

void AppendLength(size_t length, Buffer& out) {
    if (length < 0x80) {
        out.Append(static_cast<char>(length));
        return;
    }
    const char four[] = {static_cast<char>(length >> 24 | 0x80), static_cast<char>(length >> 16),
                         static_cast<char>(length >> 8), static_cast<char>(length)};
    out.Append({four, sizeof four});
}

}  // namespace

FcgiReader::Step FcgiReader::Next(Bytes in) {
    Step step;
    if (phase_ == Phase::kPadding) {
        step.consumed = std::min(left_, in.size());
        left_ -= step.consumed;
        if (left_ > 0) {
            return step;
        }
        phase_ = Phase::kHead;
        have_ = 0;
    }
    if (phase_ == Phase::kHead) {
        while (have_ < head_.size() && step.consumed < in.size()) {
            head_[have_++] = ByteAt(in, step.consumed++);
            if (head_[0] != kVersion) {
                step.event = Event::kBad;
                return step;
            }
        }
        if (have_ == head_.size()) {
            phase_ = Phase::kContent;
            left_ = size();
            step.event = Event::kRecord;
        }
        return step;
    }
    if (left_ == 0) {
        phase_ = Phase::kPadding;
        left_ = head_[6];
        step.event = Event::kEnd;
        return step;
    }
    if (!in.empty()) {
        step.consumed = std::min(left_, in.size());
        left_ -= step.consumed;
        step.content = in.substr(0, step.consumed);
        step.event = Event::kContent;
    }
    return step;
}

bool TakeFcgiPair(Bytes& in, FcgiPair& pair) {
    size_t at = 0;
    size_t name = 0;
    size_t value = 0;
    if (!TakeLength(in, at, name) || !TakeLength(in, at, value) || name > in.size() - at ||
        value > in.size() - at - name) {
        return false;
    }
    pair.name = in.substr(at, name);
    pair.value = in.substr(at + name, value);
    in.remove_prefix(at + name + value);
    return true;
}

void AppendFcgiPair(Bytes name, Bytes value, Buffer& out) {
    AppendLength(name.size(), out);
    AppendLength(value.size(), out);
    out.Append(name);
    out.Append(value);
}

void AppendFcgiRecord(FcgiType type, uint16_t id, Bytes content, Buffer& out) {
    const char head[] = {static_cast<char>(kVersion),
                         static_cast<char>(type),
                         static_cast<char>(id >> 8),
                         static_cast<char>(id),
                         static_cast<char>(content.size() >> 8),
                         static_cast<char>(content.size()),
                         0,
                         0};
    out.Reserve(sizeof head + content.size());
    out.Append({head, sizeof head});
    out.Append(content);
}

void AppendFcgiStdout(uint16_t id, Bytes bytes, Buffer& out) {
    out.Reserve(bytes.size() + 8 * (bytes.size() / kMostContent + 1));
    while (!bytes.empty()) {
        Bytes content = bytes.substr(0, kMostContent);
        AppendFcgiRecord(FcgiType::kStdout, id, content, out);
        bytes.remove_prefix(content.size());
    }
}

void AppendFcgiEnd(uint16_t id, FcgiEnd end, Buffer& out) {
    const char content[] = {0, 0, 0, 0, static_cast<char>(end), 0, 0, 0};
    AppendFcgiRecord(FcgiType::kEnd, id, {content, sizeof content}, out);
}

}  // namespace rr::http
