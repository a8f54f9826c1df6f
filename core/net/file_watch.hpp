// FileWatch: tells when files below folders change: written, created, removed, renamed, touched.
//
// Folders that come later are watched too, and so is a root that does not exist yet, is removed and
// made anew, moved away, or is a link that is set to another folder. Links below a root are not
// followed. Network and virtual machine mounts report only what this machine writes.
//
// Thread: its loop. Open, and what brings many folders at once (a moved tree, a lost event), read
//         those folders there: a few microseconds each, on a loop without data traffic.
// Owns:   one inotify descriptor and a watch per folder. Borrows the handler, which outlives it.
// Fails:  Open if the system gives no watches at all; a folder that cannot be watched is told to the
//         handler, and the others go on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/loop.hpp"
#include "core/base/result.hpp"

namespace rr::net {

enum class FileChange : uint8_t { kCreated, kUpdated, kRemoved };

class FileWatchHandler {
public:
    // Is the folder `path`, called `name`, below a recursive root watched with all below it?
    virtual bool WantsFolder(std::string_view path, std::string_view name) const = 0;
    virtual bool WantsFile(std::string_view path, std::string_view name) const = 0;
    // path: a wanted file, or a folder that went away with such in it. Must not destroy the watch.
    virtual void OnFileChange(FileChange change, std::string_view path) = 0;
    // Changes were too many to be told one by one: anything may have changed.
    virtual void OnChangesLost() = 0;
    // Something is not watched. text: why, and what to do about it.
    virtual void OnWatchTrouble(std::string_view text) = 0;

protected:
    ~FileWatchHandler() = default;
};

class FileWatch {
public:
    struct Root {
        std::string path;  // absolute
        bool recursive = false;
    };

    static Result<std::unique_ptr<FileWatch>> Open(Loop& loop, std::vector<Root> roots,
                                                   FileWatchHandler& handler);
    virtual ~FileWatch() = default;

    // Folders that are watched now.
    virtual size_t folders() const = 0;
    // False while there is no such root.
    virtual bool watching(size_t root) const = 0;

    // As if the system had lost changes; for tests.
    virtual void LoseChanges() = 0;
};

}  // namespace rr::net
