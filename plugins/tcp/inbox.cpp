#include "plugins/tcp/inbox.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/pool/job.hpp"
#include "plugins/tcp/server.hpp"

namespace rr::tcp {

std::span<char> Inbox::Room() {
    // A client that sends little at a time shall not cost a large buffer.
    direct_ = buffer_.size() >= kRead;
    if (!direct_) {
        return net::ReadScratch();
    }
    buffer_.Reserve(kRead);
    return {buffer_.tail(), buffer_.room()};
}

void Inbox::Begin(const Origin& origin) {
    buffer_ = server_.TakeBuffer();
    BeginEvent(origin, EventKind::kData, buffer_);
    context_ = buffer_.size();
    taken_ = 0;
}

void Inbox::Add(const Origin& origin, size_t size) {
    if (direct_) {
        buffer_.Commit(size);
        return;
    }
    Add(origin, Bytes(net::ReadScratch().data(), size));
}

void Inbox::Add(const Origin& origin, Bytes bytes) {
    if (bytes.empty()) {
        return;
    }
    if (buffer_.empty()) {
        Begin(origin);
    }
    buffer_.Append(bytes);
}

size_t Inbox::ReadOn(net::Stream& stream, size_t size, size_t most) {
    size_t total = size;
    size_t asked = size == 0 ? 0 : kRead;
    while (size >= asked && total < most) {
        asked = std::min(kRead, most - total);
        buffer_.Reserve(asked);
        int64_t got = stream.TryRead(buffer_.tail(), asked);
        if (got <= 0) {
            break;  // the end is told by OnClosed
        }
        size = static_cast<size_t>(got);
        buffer_.Commit(size);
        total += size;
    }
    return total;
}

size_t Inbox::Take(const Origin& origin, size_t size, Buffer& event) {
    splitter_.Taken();
    if (taken_ == 0 && size == Unread().size()) {
        event = std::move(buffer_);
        buffer_ = Buffer();
        return context_ - pool::kHeadroom;
    }
    event = server_.TakeBuffer();
    size_t context = BeginEvent(origin, EventKind::kData, event);
    event.Append(Unread().substr(0, size));
    taken_ += size;
    if (Unread().empty()) {
        Clear();
    }
    return context;
}

void Inbox::Compact() {
    if (taken_ == 0 || buffer_.empty()) {
        return;
    }
    Bytes rest = Unread();
    std::memmove(buffer_.data() + context_, rest.data(), rest.size());
    buffer_.Truncate(context_ + rest.size());
    taken_ = 0;
}

void Inbox::Clear() {
    server_.GiveBuffer(std::move(buffer_));
    buffer_ = Buffer();
    taken_ = 0;
    splitter_.Taken();
}

}  // namespace rr::tcp
