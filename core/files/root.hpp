// Root: a folder whose files are shown to the world, and nothing that lies outside it.
//
// What a name leads to is judged by what was opened, never by the name: a file that is reached
// without a symbolic link lies below the folder by the kernel's word; one behind a link is compared,
// once it is open, with the folder and the other folders that links may lead to.
//
// Thread: one at a time; every call may block as a file system does.
// Owns:   a descriptor of the folder.
// Fails:  Open by its status.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/file.hpp"

namespace rr::files {

// What makes one state of a file another one than before.
struct FileStamp {
    uint64_t device = 0;
    uint64_t inode = 0;
    uint64_t size = 0;
    int64_t modified_ns = 0;  // since 1970
    int64_t changed_ns = 0;

    bool operator==(const FileStamp&) const = default;
    int64_t modified_seconds() const;  // rounded down
};

struct OpenedFile {
    enum class Status : uint8_t {
        kFile,
        kFolder,
        kMissing,    // no such name
        kForbidden,  // it is there, and may not be shown, or is no regular file
        kBusy,       // no descriptor left
    };
    Status status = Status::kMissing;
    std::shared_ptr<const File> file;  // of kFile
    FileStamp stamp;
    int error = 0;  // errno, if there was one
};

// A file of any name, links and all; relative names from the working directory. Never waits for the
// other end of a pipe.
OpenedFile OpenAnyFile(const std::string& path);
// The absolute path of an open file without links; empty if it can't be told or has gone.
std::string TruePath(const File& file);
// True if `path` lies below `folder`, or is it; both without links.
bool IsBelow(Bytes path, Bytes folder);
// What the system says about an error number.
std::string ErrorText(int error);

class Root {
public:
    struct Options {
        std::string folder;
        std::vector<std::string> link_folders;  // where links may lead to besides
        bool dotfiles = true;                   // names that begin with a dot are there
        bool beneath = true;  // ask the kernel; false: as on one that does not know how
    };
    explicit Root(Options options);

    // Looks where the folder's name leads to now. True: to another one than before.
    bool Refresh();
    bool there() const { return folder_.is_open(); }

    // name: relative, without empty parts, `.` and `..`; UrlPath makes such.
    OpenedFile Open(const std::string& name);

private:
    bool MayShow(const File& file) const;

    Options options_;
    File folder_;
    uint64_t device_ = 0;
    uint64_t inode_ = 0;
    std::string path_;                // of the folder, without links
    std::vector<std::string> links_;  // the same of link_folders
    bool beneath_;
};

}  // namespace rr::files
