// Replies and commands of redis (RESP2), read by hiredis's reader and written by its formatter.
//
//   Reader reader;
//   reader.Feed(bytes);
//   Result<bool> whole = reader.Next(reply);    // false: more bytes are needed
//
// Thread: plain values.
// Fails:  Next: kProtocol for bytes that are no reply; the reader is of no use then until Reset.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

struct redisReader;

namespace rr::kv::redis {

struct Reply {
    enum class Kind : uint8_t { kNil, kStatus, kError, kInteger, kString, kArray };
    Kind kind = Kind::kNil;
    int64_t integer = 0;
    std::string text;  // of kStatus, kError, kString
    std::vector<Reply> elements;

    bool error() const { return kind == Kind::kError; }
    // An error that begins with this word: `MOVED`, `LOADING`.
    bool error(std::string_view word) const {
        return error() && text.starts_with(word) &&
               (text.size() == word.size() || text[word.size()] == ' ');
    }
};

class Reader {
public:
    Reader();
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    Result<void> Feed(Bytes bytes);
    Result<bool> Next(Reply& reply);
    void Reset();
    // True between replies.
    bool empty() const;

private:
    redisReader* reader_;
};

// Appends a command to `wire`.
void AppendCommand(std::span<const std::string_view> words, std::string& wire);
inline void AppendCommand(std::initializer_list<std::string_view> words, std::string& wire) {
    AppendCommand(std::span(words.begin(), words.size()), wire);
}

}  // namespace rr::kv::redis
