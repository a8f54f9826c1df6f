#include "core/files/file_cache.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/files/content_type.hpp"
#include "core/files/sniff.hpp"
#include "core/files/url_path.hpp"

namespace rr::files {
namespace {

constexpr size_t kLongestName = 1024;         // of a name that is kept
constexpr uint64_t kQuickChecksum = 1 << 20;  // up to so many bytes are summed up at once
constexpr size_t kBlock = 256 * 1024;
// File systems count time in steps; a file that was changed less than so long ago may change again
// without its stamp telling.
constexpr int64_t kRest = 2'000'000'000;

constexpr Bytes kSuffixes[] = {".br", ".zst", ".gz"};  // of CachedFile::kEncodings
static_assert(std::size(kSuffixes) == CachedFile::kEncodings.size());

std::string StrongTag(uint64_t size, uint32_t checksum) {
    return StrongTagStart(size).append(std::to_string(checksum)).append("\"");
}

uint32_t ChecksumOf(const File& file, uint64_t size, Polynomial polynomial,
                    const std::atomic<bool>& stop = false) {
    const auto block = std::make_unique<char[]>(kBlock);
    uint32_t checksum = 0;
    for (uint64_t at = 0; at < size && !stop.load(std::memory_order_relaxed);) {
        const auto want = static_cast<size_t>(std::min<uint64_t>(kBlock, size - at));
        const Result<size_t> got = file.ReadAt(at, block.get(), want);
        if (!got || *got == 0) {
            break;  // cut while we read: its stamp is another one by now
        }
        checksum = Checksum(polynomial, {block.get(), *got}, checksum);
        at += *got;
    }
    return checksum;
}

}  // namespace

std::string StrongTagStart(uint64_t size) {
    return std::string("\"").append(std::to_string(size)).append("-");
}

FileCache::FileCache(Options options, Background& background)
    : options_(std::move(options)), background_(background), root_(options_.root) {}

const CachedFile& FileCache::Find(Bytes name, Instant now) {
    if (now >= root_valid_until_) {
        root_valid_until_ = now + options_.revalidate;
        if (root_.Refresh()) {
            Clear();
        }
    }
    const auto known = index_.find(name);
    if (known != index_.end() && now < known->second->valid_until) {
        const Place place = known->second;
        Shelf& shelf = place->missing ? missing_ : found_;
        shelf.nodes.splice(shelf.nodes.begin(), shelf.nodes, place);
        if (place->pending) {
            FinishETags(*place);
        }
        return place->file;
    }
    const Place place = known != index_.end() ? TakeOff(known->second) : Add(name);
    Load(*place);
    place->valid_until = now + options_.revalidate;
    if (options_.max_files > 0 && name.size() <= kLongestName) {
        Shelve(place);
        Shrink();
    }
    return place->file;
}

// On no shelf yet.
FileCache::Place FileCache::Add(Bytes name) {
    unkept_.clear();
    unkept_.emplace_front();
    unkept_.front().name = name;
    return unkept_.begin();
}

FileCache::Place FileCache::TakeOff(Place place) {
    Shelf& shelf = place->missing ? missing_ : found_;
    shelf.files -= place->files;
    shelf.memory -= place->memory;
    unkept_.clear();
    unkept_.splice(unkept_.begin(), shelf.nodes, place);
    return place;  // its name stays in the index: it comes back
}

void FileCache::Load(Node& node) {
    CachedFile& file = node.file;
    LoadOne(node.name, {}, file.plain, file.status);
    if (!file.is_file()) {
        file = CachedFile{.status = file.status, .plain = {}, .encoded = {}};
        return;
    }
    for (size_t i = 0; i < file.encoded.size() && options_.precompressed; ++i) {
        auto sibling = std::move(file.encoded[i]);
        if (!sibling) {
            sibling = std::make_unique<Representation>();
        }
        OpenedFile::Status status;
        std::string name = node.name;
        name.append(kSuffixes[i]);
        if (LoadOne(name, NameOf(CachedFile::kEncodings[i]), *sibling, status)) {
            sibling->content_type = file.plain.content_type;  // decoded it is the same
            file.encoded[i] = std::move(sibling);
        }
    }
    FinishETags(node);
}

// True: `out` is the file of that name now. What it was stays if nothing has changed.
bool FileCache::LoadOne(const std::string& name, Bytes encoding, Representation& out,
                        OpenedFile::Status& status) {
    OpenedFile opened = root_.Open(name);
    if (opened.status == OpenedFile::Status::kBusy) {
        Clear();  // gives descriptors back
        opened = root_.Open(name);
    }
    status = opened.status;
    if (status != OpenedFile::Status::kFile) {
        return false;
    }
    if (out.settled && out.stamp == opened.stamp) {
        return true;
    }
    out = Representation{};
    out.encoding = encoding;
    Fill(std::move(opened), name, out);
    return true;
}

void FileCache::Fill(OpenedFile opened, const std::string& name, Representation& out) {
    out.stamp = opened.stamp;
    out.file = std::move(opened.file);
    out.size = out.stamp.size;
    out.settled = UnixNanoseconds() - std::max(out.stamp.modified_ns, out.stamp.changed_ns) > kRest;
    WriteHttpDate(out.stamp.modified_seconds(), out.last_modified);
    char start[kSniffBytes];
    Bytes first;
    if (out.size <= options_.small_file) {
        out.content.resize(static_cast<size_t>(out.size));
        const Result<size_t> got = out.file->ReadAt(0, out.content.data(), out.content.size());
        out.content.resize(got ? *got : 0);
        out.size = out.content.size();
        first = out.content;
    }
    out.content_type = TypeOfExtension(ExtensionOf(name));
    if (out.content_type.empty()) {
        if (out.size > options_.small_file) {
            const Result<size_t> got = out.file->ReadAt(0, start, sizeof start);
            first = {start, got ? *got : 0};
        }
        out.content_type = DetectContentType(first);
    }
    MakeETag(name, out);
    if (out.size <= options_.small_file) {
        out.file.reset();
    }
}

void FileCache::MakeETag(const std::string& name, Representation& out) {
    const Polynomial polynomial = options_.polynomial;
    if (options_.etag == ETag::kWeak) {
        uint32_t checksum = Checksum(polynomial, Bytes(name).substr(name.rfind('/') + 1));
        checksum = Checksum(
            polynomial,
            "/" + std::to_string(out.size) + "/" + std::to_string(out.stamp.modified_ns), checksum);
        out.etag = "W/\"" + std::to_string(checksum) + "\"";
    }
    if (options_.etag != ETag::kStrong || out.size == 0) {
        return;
    }
    if (out.size <= options_.small_file) {
        out.etag = StrongTag(out.size, Checksum(polynomial, out.content));
    } else if (out.size <= kQuickChecksum) {
        out.etag = StrongTag(out.size, ChecksumOf(*out.file, out.size, polynomial));
    } else {
        out.digest = std::make_shared<Representation::Digest>();
        background_.Run([digest = out.digest, file = out.file, size = out.size,
                         polynomial](const std::atomic<bool>& stop) {
            digest->checksum = ChecksumOf(*file, size, polynomial, stop);
            // A stopped one is never asked again.
            digest->ready.store(!stop.load(std::memory_order_relaxed), std::memory_order_release);
        });
    }
}

void FileCache::FinishETags(Node& node) {
    node.pending = false;
    const auto finish = [&node](Representation& one) {
        if (!one.digest) {
            return;
        }
        if (!one.digest->ready.load(std::memory_order_acquire)) {
            node.pending = true;
            return;
        }
        one.etag = StrongTag(one.size, one.digest->checksum);
        one.digest.reset();
    };
    finish(node.file.plain);
    for (const auto& sibling : node.file.encoded) {
        if (sibling) {
            finish(*sibling);
        }
    }
}

// Puts a loaded node where it belongs, in front.
void FileCache::Shelve(Place place) {
    const CachedFile& file = place->file;
    place->missing = !file.is_file();
    place->files = 1;
    place->memory = file.plain.content.size();
    for (const auto& sibling : file.encoded) {
        if (sibling) {
            ++place->files;
            place->memory += sibling->content.size();
        }
    }
    Shelf& shelf = place->missing ? missing_ : found_;
    shelf.files += place->files;
    shelf.memory += place->memory;
    shelf.nodes.splice(shelf.nodes.begin(), unkept_, place);
    index_.try_emplace(place->name, place);
}

// The newest stays: somebody is about to use it.
void FileCache::Shrink() {
    for (Shelf* shelf : {&found_, &missing_}) {
        while (shelf->nodes.size() > 1 &&
               (shelf->files > options_.max_files || shelf->memory > options_.max_memory)) {
            Drop(*shelf, std::prev(shelf->nodes.end()));
        }
    }
}

void FileCache::Drop(Shelf& shelf, Place place) {
    shelf.files -= place->files;
    shelf.memory -= place->memory;
    index_.erase(place->name);
    shelf.nodes.erase(place);
}

void FileCache::Clear() {
    index_.clear();
    found_ = Shelf{};
    missing_ = Shelf{};
}

}  // namespace rr::files
