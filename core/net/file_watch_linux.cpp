// inotify: a watch per folder, named by a number (wd). A folder that is renamed keeps its watch, so
// the path belongs to us: what leaves its place is dropped with all below it, what comes is read.
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include <uv.h>

#include "core/net/file_watch.hpp"

namespace rr::net {
namespace {

constexpr uint32_t kOfFolder = IN_CREATE | IN_DELETE | IN_MODIFY | IN_ATTRIB | IN_MOVED_FROM |
                               IN_MOVED_TO | IN_ONLYDIR | IN_EXCL_UNLINK | IN_MASK_ADD;
constexpr uint32_t kOfAnchor =
    IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR | IN_MASK_ADD;
constexpr size_t kBuffer = 64 * 1024;
constexpr int kMostTries = 16;  // of finding an anchor while folders come and go

std::string Limit(const char* name) {
    std::ifstream file(std::string("/proc/sys/fs/inotify/") + name);
    std::string value;
    std::getline(file, value);
    return value.empty() ? "unknown" : value;
}

std::string LimitText(const char* what, const char* name) {
    return std::string("the system's limit of ") + what + " is reached: raise fs.inotify." + name +
           " (now " + Limit(name) + "), for instance: sysctl fs.inotify." + name + "=524288";
}

std::string ParentOf(const std::string& path) {
    size_t slash = path.rfind('/');
    return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

std::string Join(const std::string& folder, std::string_view name) {
    std::string path = folder == "/" ? folder : folder + "/";
    return path.append(name);
}

class Inotify final : public FileWatch, private LoopBound {
public:
    Inotify(Loop& loop, int descriptor, std::vector<Root> roots, FileWatchHandler& handler);
    ~Inotify() override;
    void Start();

    size_t folders() const override { return folders_.size(); }
    bool watching(size_t root) const override { return roots_[root].wd >= 0; }
    void LoseChanges() override { Rebuild(); }

private:
    struct Handle {  // lives until libuv's close callback
        uv_poll_t uv;
        Inotify* owner;
        int descriptor;
    };
    struct Folder {
        std::string path;
        bool recursive;
        bool held = false;  // a wanted file was seen in it
    };
    struct OneRoot {
        Root root;
        int wd = -1;  // -1: it is not there
        dev_t device = 0;
        ino_t inode = 0;
        int anchor = -1;   // the folder above it in which it appears and disappears
        std::string next;  // the name there
    };

    void OnReadable();
    void OnEvent(const inotify_event& event);
    void OnFolderEvent(Folder& folder, const inotify_event& event, std::string_view name);
    void OnIgnored(int wd);
    void Rebuild();
    void Check(OneRoot& root);
    void CheckRoots();
    void Anchor(OneRoot& root);
    int Read(const std::string& path, bool recursive, bool is_root, bool report);
    int ReadOne(const std::string& path, bool recursive, bool is_root, bool report,
                std::vector<std::string>& below);
    void Drop(const std::string& path, bool report);
    void Release(int wd);
    void Trouble(const std::string& path, int problem);

    FileWatchHandler& handler_;
    Handle* handle_;
    const int descriptor_;
    std::vector<OneRoot> roots_;
    std::unordered_map<int, Folder> folders_;
    std::map<std::string, int> by_path_;  // of folders_
    std::set<int> anchors_;
    std::set<size_t> to_check_;  // roots that may have come or gone, seen in this turn
    bool limit_told_ = false;
    std::unique_ptr<char[]> buffer_{new char[kBuffer]};
};

Inotify::Inotify(Loop& loop, int descriptor, std::vector<Root> roots, FileWatchHandler& handler)
    : LoopBound(loop),
      handler_(handler),
      handle_(new Handle{{}, this, descriptor}),
      descriptor_(descriptor) {
    for (Root& root : roots) {
        roots_.emplace_back().root = std::move(root);
    }
    RR_CHECK(uv_poll_init(loop_.raw(), &handle_->uv, descriptor_) == 0);
    handle_->uv.data = handle_;
}

Inotify::~Inotify() {
    AssertInLoop();
    handle_->owner = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(&handle_->uv), [](uv_handle_t* uv) noexcept {
        auto* handle = static_cast<Handle*>(uv->data);
        close(handle->descriptor);
        delete handle;
    });
}

void Inotify::Start() {
    for (OneRoot& root : roots_) {
        Anchor(root);  // first: what comes between the two is seen
        Check(root);
    }
    RR_CHECK(uv_poll_start(&handle_->uv, UV_READABLE, [](uv_poll_t* uv, int, int) noexcept {
                 auto* handle = static_cast<Handle*>(uv->data);
                 if (handle->owner != nullptr) {
                     handle->owner->OnReadable();
                 }
             }) == 0);
}

// ---- roots

// Is the root still the folder that is watched?
void Inotify::Check(OneRoot& root) {
    struct stat info{};
    bool there = stat(root.root.path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
    if (there && root.wd >= 0 && info.st_dev == root.device && info.st_ino == root.inode) {
        return;
    }
    bool first = root.device == 0;
    if (root.wd >= 0) {
        root.wd = -1;
        Drop(root.root.path, true);
    }
    if (there) {
        root.device = info.st_dev;
        root.inode = info.st_ino;
        root.wd = Read(root.root.path, root.root.recursive, true, !first);
    } else {
        root.device = 1;  // none has this one with inode 0: what comes later was created
        root.inode = 0;
    }
}

void Inotify::CheckRoots() {
    while (!to_check_.empty()) {
        std::set<size_t> now = std::exchange(to_check_, {});
        for (size_t i : now) {
            Anchor(roots_[i]);
            Check(roots_[i]);
        }
    }
}

// Watches the nearest folder above the root that exists.
void Inotify::Anchor(OneRoot& root) {
    if (root.root.path == "/") {
        return;
    }
    int before = std::exchange(root.anchor, -1);
    for (int tries = 0; tries < kMostTries && root.anchor < 0; ++tries) {
        std::string above = ParentOf(root.root.path);
        std::string next = root.root.path;
        int wd = -1;
        while ((wd = inotify_add_watch(descriptor_, above.c_str(), kOfAnchor)) < 0 &&
               (errno == ENOENT || errno == ENOTDIR) && above != "/") {
            next = above;
            above = ParentOf(above);
        }
        if (wd < 0) {
            break;  // unreadable, or out of watches, which the root itself will tell
        }
        root.anchor = wd;
        root.next = next.substr(above == "/" ? 1 : above.size() + 1);
        anchors_.insert(wd);
        struct stat info{};
        if (next != root.root.path && stat(next.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
            root.anchor = -1;  // it came meanwhile: a nearer one
            Release(wd);
        }
    }
    if (before >= 0 && before != root.anchor) {
        Release(before);
    }
}

// An anchor that no root has any more.
void Inotify::Release(int wd) {
    for (const OneRoot& root : roots_) {
        if (root.anchor == wd) {
            return;
        }
    }
    if (anchors_.erase(wd) > 0 && folders_.find(wd) == folders_.end()) {
        inotify_rm_watch(descriptor_, wd);
    }
}

// ---- folders

// Watches a folder and reads it, in this order: so nothing is missed between the two.
int Inotify::Read(const std::string& path, bool recursive, bool is_root, bool report) {
    std::vector<std::string> below;
    int wd = ReadOne(path, recursive, is_root, report, below);
    while (!below.empty()) {
        std::string folder = std::move(below.back());
        below.pop_back();
        (void)ReadOne(folder, true, false, report, below);
    }
    return wd;
}

int Inotify::ReadOne(const std::string& path, bool recursive, bool is_root, bool report,
                     std::vector<std::string>& below) {
    int wd = inotify_add_watch(descriptor_, path.c_str(),
                               is_root ? kOfFolder : kOfFolder | IN_DONT_FOLLOW);
    if (wd < 0) {
        Trouble(path, errno);
        return -1;
    }
    auto [found, fresh] = folders_.try_emplace(wd, Folder{path, recursive});
    Folder& folder = found->second;
    if (!fresh && (folder.recursive || !recursive)) {
        return wd;  // of another root, or by another way
    }
    folder.recursive = folder.recursive || recursive;
    by_path_[folder.path] = wd;
    DIR* entries = opendir(path.c_str());
    if (entries == nullptr) {
        return wd;  // gone already: its end is on its way
    }
    while (const dirent* entry = readdir(entries)) {
        std::string_view name = entry->d_name;
        if (name == "." || name == "..") {
            continue;
        }
        std::string child = Join(path, name);
        bool is_folder = entry->d_type == DT_DIR;
        if (entry->d_type == DT_UNKNOWN) {
            struct stat info{};
            is_folder = lstat(child.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
        }
        if (is_folder) {
            if (recursive && handler_.WantsFolder(child, name)) {
                below.push_back(std::move(child));
            }
        } else if (handler_.WantsFile(child, name)) {
            folder.held = true;
            if (report && fresh) {
                handler_.OnFileChange(FileChange::kCreated, child);
            }
        }
    }
    closedir(entries);
    return wd;
}

// Forgets a folder and all below it.
void Inotify::Drop(const std::string& path, bool report) {
    bool held = false;
    auto drop = [this, &held](std::map<std::string, int>::iterator at) {
        auto found = folders_.find(at->second);
        held = held || found->second.held;
        for (size_t i = 0; i < roots_.size(); ++i) {
            if (roots_[i].wd == at->second) {
                roots_[i].wd = -1;
                to_check_.insert(i);
            }
        }
        if (anchors_.find(at->second) == anchors_.end()) {
            inotify_rm_watch(descriptor_, at->second);
        }
        folders_.erase(found);
        return by_path_.erase(at);
    };
    if (auto self = by_path_.find(path); self != by_path_.end()) {
        drop(self);
    }
    std::string prefix = Join(path, "");
    for (auto at = by_path_.lower_bound(prefix);
         at != by_path_.end() && at->first.compare(0, prefix.size(), prefix) == 0;) {
        at = drop(at);
    }
    if (held && report) {
        handler_.OnFileChange(FileChange::kRemoved, path);
    }
}

void Inotify::Trouble(const std::string& path, int problem) {
    if (problem == ENOENT || problem == ENOTDIR) {
        return;  // it went while we looked
    }
    if (problem != ENOSPC) {
        handler_.OnWatchTrouble("cannot watch " + path + ": " + strerror(problem));
    } else if (!std::exchange(limit_told_, true)) {
        handler_.OnWatchTrouble("not every folder is watched, from " + path + " on, after " +
                                std::to_string(folders_.size()) +
                                " of them: " + LimitText("watched folders", "max_user_watches") +
                                ", or watch fewer folders");
    }
}

// ---- events

void Inotify::OnReadable() {
    while (true) {
        ssize_t got = read(descriptor_, buffer_.get(), kBuffer);
        if (got <= 0) {
            break;
        }
        for (ssize_t at = 0; at < got;) {
            inotify_event event{};
            memcpy(&event, buffer_.get() + at, sizeof(event));
            // The name stands behind the event, where `event` is only its head.
            const char* name = buffer_.get() + at + sizeof(event);
            at += static_cast<ssize_t>(sizeof(event) + event.len);
            if ((event.mask & IN_Q_OVERFLOW) != 0) {
                Rebuild();
                handler_.OnChangesLost();
                continue;
            }
            std::string_view text = event.len > 0 ? name : "";
            for (size_t i = 0; i < roots_.size(); ++i) {
                if (roots_[i].anchor == event.wd && roots_[i].next == text) {
                    to_check_.insert(i);
                }
            }
            if ((event.mask & IN_IGNORED) != 0) {
                OnIgnored(event.wd);
            } else if (auto found = folders_.find(event.wd); found != folders_.end()) {
                OnFolderEvent(found->second, event, text);
            }
        }
    }
    CheckRoots();
}

void Inotify::OnFolderEvent(Folder& folder, const inotify_event& event, std::string_view name) {
    std::string path = Join(folder.path, name);
    bool comes = (event.mask & (IN_CREATE | IN_MOVED_TO)) != 0;
    bool goes = (event.mask & (IN_DELETE | IN_MOVED_FROM)) != 0;
    if ((event.mask & IN_ISDIR) == 0) {
        if (!name.empty() && handler_.WantsFile(path, name)) {
            folder.held = true;
            handler_.OnFileChange(comes  ? FileChange::kCreated
                                  : goes ? FileChange::kRemoved
                                         : FileChange::kUpdated,
                                  path);
        }
        return;
    }
    bool recursive = folder.recursive;  // what follows may end the folder
    if (goes) {
        Drop(path, (event.mask & IN_MOVED_FROM) != 0);  // in a deleted one each file was told
    } else if (comes && recursive && handler_.WantsFolder(path, name)) {
        Drop(path, false);
        (void)Read(path, true, false, true);
    }
}

// The folder of a watch is gone, or its file system.
void Inotify::OnIgnored(int wd) {
    if (auto found = folders_.find(wd); found != folders_.end()) {
        std::string path = found->second.path;
        Drop(path, false);
    }
    if (anchors_.erase(wd) > 0) {
        for (size_t i = 0; i < roots_.size(); ++i) {
            if (roots_[i].anchor == wd) {
                roots_[i].anchor = -1;
                to_check_.insert(i);
            }
        }
    }
}

// Watches everything anew, whatever was told so far.
void Inotify::Rebuild() {
    for (const auto& [wd, folder] : folders_) {
        if (anchors_.find(wd) == anchors_.end()) {
            inotify_rm_watch(descriptor_, wd);
        }
    }
    folders_.clear();
    by_path_.clear();
    to_check_.clear();
    limit_told_ = false;
    for (OneRoot& root : roots_) {
        root.wd = -1;
        root.device = 0;
        Anchor(root);
        Check(root);
    }
}

}  // namespace

Result<std::unique_ptr<FileWatch>> FileWatch::Open(Loop& loop, std::vector<Root> roots,
                                                   FileWatchHandler& handler) {
    int descriptor = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (descriptor < 0 && errno == EMFILE) {
        return Fail(Errc::kBusy,
                    "inotify: " + LimitText("watchers of one user", "max_user_instances") +
                        " (or the limit of open files, ulimit -n, is reached)");
    }
    if (descriptor < 0) {
        return Fail(Errc::kIo, std::string("inotify: ") + strerror(errno));
    }
    auto watch = std::make_unique<Inotify>(loop, descriptor, std::move(roots), handler);
    watch->Start();
    return std::unique_ptr<FileWatch>(std::move(watch));
}

}  // namespace rr::net
