#include "plugins/kv/redis/reply.hpp"

#include <hiredis/hiredis.h>
#include <hiredis/read.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

namespace rr::kv::redis {
namespace {

// A string of redis has at most 512 MB; an answer to many keys may have more, but not without end.
constexpr size_t kMaxUnread = size_t{1} << 30;
constexpr size_t kReserve = 1024;  // elements; the announced number is only a promise

// Where hiredis wants the next object: a new root, or behind the last element of what it is in.
Reply* Place(const redisReadTask* task) {
    if (task->parent == nullptr) {
        return new Reply;
    }
    auto* parent = static_cast<Reply*>(task->parent->obj);
    return &parent->elements.emplace_back();
}

Reply::Kind KindOf(int type) {
    switch (type) {
        case REDIS_REPLY_STATUS: return Reply::Kind::kStatus;
        case REDIS_REPLY_ERROR: return Reply::Kind::kError;
        default: return Reply::Kind::kString;
    }
}

void* CreateString(const redisReadTask* task, char* text, size_t size) noexcept {
    Reply* reply = Place(task);
    reply->kind = KindOf(task->type);
    reply->text.assign(text, size);
    return reply;
}

void* CreateArray(const redisReadTask* task, int size) noexcept {
    Reply* reply = Place(task);
    reply->kind = Reply::Kind::kArray;
    reply->elements.reserve(std::min<size_t>(size > 0 ? static_cast<size_t>(size) : 0, kReserve));
    return reply;
}

void* CreateInteger(const redisReadTask* task, long long value) noexcept {
    Reply* reply = Place(task);
    reply->kind = Reply::Kind::kInteger;
    reply->integer = value;
    return reply;
}

void* CreateNil(const redisReadTask* task) noexcept { return Place(task); }

// Only roots come here; their elements are theirs.
void Free(void* reply) noexcept { delete static_cast<Reply*>(reply); }

redisReplyObjectFunctions functions = {CreateString, CreateArray, CreateInteger, CreateNil, Free};

}  // namespace

Reader::Reader() : reader_(redisReaderCreateWithFunctions(&functions)) {
    RR_CHECK(reader_ != nullptr);
}

Reader::~Reader() { redisReaderFree(reader_); }

void Reader::Reset() {
    redisReaderFree(reader_);
    reader_ = redisReaderCreateWithFunctions(&functions);
    RR_CHECK(reader_ != nullptr);
}

Result<void> Reader::Feed(Bytes bytes) {
    if (reader_->len - reader_->pos + bytes.size() > kMaxUnread) {
        return Fail(Errc::kProtocol, "an answer without end");
    }
    if (redisReaderFeed(reader_, bytes.data(), bytes.size()) != REDIS_OK) {
        return Fail(Errc::kProtocol, reader_->errstr);
    }
    return {};
}

Result<bool> Reader::Next(Reply& reply) {
    void* object = nullptr;
    if (redisReaderGetReply(reader_, &object) != REDIS_OK) {
        return Fail(Errc::kProtocol,
                    std::string("what answers there is no redis: ") + reader_->errstr);
    }
    if (object == nullptr) {
        return false;
    }
    std::unique_ptr<Reply> root(static_cast<Reply*>(object));
    reply = std::move(*root);
    return true;
}

bool Reader::empty() const {
    // Either nothing was begun, or the type of the next reply is still to come.
    const bool between = reader_->ridx < 0 || (reader_->ridx == 0 && reader_->rstack[0].type < 0);
    return reader_->pos == reader_->len && between;
}

void AppendCommand(std::span<const std::string_view> words, std::string& wire) {
    std::vector<const char*> texts;
    std::vector<size_t> sizes;
    texts.reserve(words.size());
    sizes.reserve(words.size());
    for (std::string_view word : words) {
        texts.push_back(word.empty() ? "" : word.data());
        sizes.push_back(word.size());
    }
    char* formatted = nullptr;
    const int size = redisFormatCommandArgv(&formatted, static_cast<int>(words.size()),
                                            texts.data(), sizes.data());
    RR_CHECK(size >= 0);  // less: out of memory
    std::unique_ptr<char, decltype(&std::free)> owner(formatted, &std::free);
    wire.append(formatted, static_cast<size_t>(size));
}

}  // namespace rr::kv::redis
