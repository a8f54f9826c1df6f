// FileCache: files below a root as they are served: opened, measured, the small ones read, with
// their type, date and ETag. Names that lead nowhere are kept too.
//
// A hit is one lookup, without a system call. What is older than `revalidate` is opened anew and
// stays if it is the same file in the same state.
//
//   FileCache cache(options, background);
//   const CachedFile& found = cache.Find("css/a.css", Clock::now());
//
// Thread: one. A miss blocks for as long as it takes to open a file and to read a small one.
// Owns:   descriptors and contents, up to its limits.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/bytes.hpp"
#include "core/base/time.hpp"
#include "core/files/accept_encoding.hpp"
#include "core/files/background.hpp"
#include "core/files/checksum.hpp"
#include "core/files/http_date.hpp"
#include "core/files/root.hpp"

namespace rr::files {

enum class ETag : uint8_t {
    kNone,
    kStrong,  // "<size>-<checksum of the content>"; none for an empty file
    kWeak,    // W/"<checksum of name, size and time>"
};

// One file's bytes and what is said about them.
struct Representation {
    FileStamp stamp;
    std::shared_ptr<const File> file;  // null: all of it is in `content`
    std::string content;
    uint64_t size = 0;
    Bytes content_type;  // a constant
    Bytes encoding;      // `br`; empty: none
    std::string etag;    // empty: none, or a strong one is not computed yet
    char last_modified[kHttpDateSize] = {};

    struct Digest {
        uint32_t checksum = 0;
        std::atomic<bool> ready = false;
    };
    std::shared_ptr<Digest> digest;  // while another thread computes the ETag
    // The file was at rest for long enough when it was looked at: a change will change its stamp.
    bool settled = false;
};

// `"13-`, what the strong ETag of a file begins with.
std::string StrongTagStart(uint64_t size);

struct CachedFile {
    OpenedFile::Status status = OpenedFile::Status::kMissing;
    Representation plain;  // of kFile
    // Siblings with `.br`, `.zst` and `.gz`, the best first; null: not there.
    static constexpr std::array kEncodings = {Encoding::kBrotli, Encoding::kZstd, Encoding::kGzip};
    std::array<std::unique_ptr<Representation>, kEncodings.size()> encoded;

    bool is_file() const { return status == OpenedFile::Status::kFile; }
    bool has_encoded() const { return encoded[0] || encoded[1] || encoded[2]; }
};

class FileCache {
public:
    struct Options {
        Root::Options root;
        ETag etag = ETag::kNone;
        Polynomial polynomial = Polynomial::kStatic;
        bool precompressed = false;      // look for siblings
        size_t max_files = 1000;         // names that are there, siblings too; 0: nothing is kept
        uint64_t max_memory = 32 << 20;  // of contents
        size_t small_file =
            8 << 10;  // up to so many bytes are read into memory: the fastest way for them
        Duration revalidate = std::chrono::seconds(1);
    };
    FileCache(Options options, Background& background);
    FileCache(const FileCache&) = delete;
    FileCache& operator=(const FileCache&) = delete;

    // Valid until the next call. name: as Root::Open takes it.
    const CachedFile& Find(Bytes name, Instant now);

    // What is kept.
    size_t files() const { return found_.files; }
    uint64_t memory() const { return found_.memory; }
    size_t missing() const { return missing_.nodes.size(); }

    // For a caller's own texts, so that they need no memory each time.
    std::string& scratch() { return scratch_; }
    std::string& candidate() { return candidate_; }

private:
    struct Node {
        std::string name;
        CachedFile file;
        Instant valid_until;
        bool missing = false;
        bool pending = false;  // an ETag of it is being computed
        size_t files = 0;
        uint64_t memory = 0;
    };
    // Newest first.
    struct Shelf {
        std::list<Node> nodes;
        size_t files = 0;
        uint64_t memory = 0;
    };
    using Place = std::list<Node>::iterator;

    Place Add(Bytes name);
    Place TakeOff(Place place);
    void Load(Node& node);
    bool LoadOne(const std::string& name, Bytes encoding, Representation& out,
                 OpenedFile::Status& status);
    void Fill(OpenedFile opened, const std::string& name, Representation& out);
    void MakeETag(const std::string& name, Representation& out);
    void Shelve(Place place);
    void Shrink();
    void Drop(Shelf& shelf, Place place);
    void Clear();
    static void FinishETags(Node& node);

    const Options options_;
    Background& background_;
    Root root_;
    Instant root_valid_until_{};
    Shelf found_;
    Shelf missing_;
    std::unordered_map<std::string_view, Place> index_;  // keys are views onto the nodes' names
    std::list<Node> unkept_;  // at most one: being loaded, or the last one that is not kept
    std::string scratch_;
    std::string candidate_;
};

}  // namespace rr::files
