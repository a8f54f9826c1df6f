#!/usr/bin/env python3
"""Keeps the map of the house: who may include what, read from the text of every source.

    layers.py [ROOT]        prints one line per violation; exit 1 if there is any

The boxes and their order (decisions on the right stand for the whole project):

    cmd -> plugins -> core/{api,config,files,log,pool,rpc,web} -> relay -> core/net -> core/base

- a box includes boxes behind it, never back; those of one rank may see each other without a circle
- plugins: core/..., relay/frame*.hpp and their own folder; never uv.h
- headers of POSIX and Linux only in core/ and in relay's transports, so that a port is one folder
- a library with one wrapper is included there only (OWNERS)
- no TODO marked for now and no path of somebody's machine, in any text file
"""
import os
import re
import sys

RANKS = [
    ("core/base", 0), ("core/net", 1), ("relay", 2),
    ("core/api", 3), ("core/config", 3), ("core/files", 3), ("core/log", 3), ("core/pool", 3),
    ("core/rpc", 3), ("core/web", 3),
    ("plugins", 4), ("cmd", 5),
]

# Who may include a library, by the beginning of the including file's path.
OWNERS = {
    "uv.h": ("core/base/", "core/net/", "core/pool/", "relay/"),
    "yaml-cpp/": ("core/config/",),
    "spdlog/": ("core/log/",),
    "CLI/": ("cmd/",),
    "llhttp.h": ("core/web/", "plugins/http/"),
    "msgpack": ("core/rpc/",),
    "prometheus/": ("plugins/metrics/",),
    "openssl/": ("core/net/",),
    "nghttp2/": ("plugins/http/",),
    "curl/": ("core/net/",),
    "lmdb.h": ("plugins/kv/lmdb/",),
    "hiredis/": ("plugins/kv/redis/",),
    "re2/": ("plugins/headers/",),
    "zlib.h": ("core/log/", "plugins/fileserver/", "plugins/gzip/"),
    "libdeflate.h": ("plugins/gzip/", "plugins/otel/"),
    "brotli/": ("plugins/gzip/",),
    "zstd.h": ("plugins/gzip/",),
}
LIBRARIES = ("catch2/", "fmt/", "google/protobuf/", "simdjson", "tl/", *OWNERS)

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
TODO_NOW = re.compile(r"\bTODO\(" + r"now\b")
MACHINE_PATH = re.compile(r"(?<![\w.$}\])~-])/(?:work|root)/\w")

SOURCES = (".cpp", ".hpp", ".cc", ".h", ".c")
TEXTS = SOURCES + (".cmake", ".css", ".html", ".js", ".json", ".md", ".php", ".proto", ".py", ".sh",
                   ".service", ".txt", ".xml", ".yaml", ".yml", ".1", "")
SKIPPED_FOLDERS = {"build", "vendor", "node_modules", "__pycache__", "corpus"}


def box_of(path):
    """The box of a file or of an include, with its rank; None outside the boxes."""
    if path.startswith("plugins/"):
        return "/".join(path.split("/")[:2]), 4
    for name, rank in RANKS:
        if path.startswith(name + "/"):
            return name, rank
    return None


def is_codec(path):
    return re.match(r"relay/frame\w*\.[ch]pp$", path) is not None


def is_system_header(header):
    """Of POSIX, Linux or C: no header of C++ itself ends in .h, and the compiler's own are free."""
    return (header.endswith(".h") and not header.startswith(LIBRARIES)
            and not re.match(r"(\w+intrin|arm_neon)\.h$", header))


def check_angle(path, header):
    for library, owners in OWNERS.items():
        # A wrapper's name stands for all of a library's headers below it.
        if header.startswith(library) and not path.startswith(owners):
            yield f"<{header}> belongs to {', '.join(owners)}"
            return
    if path.startswith("relay/") and is_codec(path) and (
            header == "uv.h" or is_system_header(header)):
        yield f"<{header}>: a frame codec is pure bytes"
    elif is_system_header(header) and not path.startswith(("core/", "relay/")):
        yield f"<{header}>: headers of the system stay in core/ and relay's transports"


def check_quoted(path, header):
    mine = box_of(path)
    theirs = box_of(header)
    if mine is None or theirs is None or mine[0] == theirs[0]:
        return
    if mine[1] == 4:
        if theirs[1] == 4:
            yield f'"{header}": plugins meet in core/api, not in each other'
            return
        if theirs[0] == "relay" and not is_codec(header):
            yield f'"{header}": plugins see only relay/frame*.hpp'
            return
    if theirs[1] > mine[1]:
        yield f'"{header}": {mine[0]} stands below {theirs[0]}'


def find_circle(edges):
    """A circle among boxes as a list of names, or None."""
    def walk(box, path):
        if box in path:
            return path[path.index(box):] + [box]
        for following in sorted(edges.get(box, ())):
            circle = walk(following, path + [box])
            if circle:
                return circle
        return None

    for box in sorted(edges):
        circle = walk(box, [])
        if circle:
            return circle
    return None


def texts_below(root):
    for folder, folders, files in os.walk(root):
        folders[:] = [f for f in sorted(folders)
                      if f not in SKIPPED_FOLDERS and (not f.startswith(".") or f == ".ci")]
        for name in sorted(files):
            if os.path.splitext(name)[1] in TEXTS and name != ".git":
                yield os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/")


def check_tree(root):
    """Every violation below root as `path:line: what`."""
    found = []
    edges = {}
    for path in texts_below(root):
        try:
            with open(os.path.join(root, path), encoding="utf-8") as file:
                lines = file.read().split("\n")
        except (UnicodeDecodeError, OSError):
            continue
        inside = box_of(path) is not None and path.endswith(SOURCES)
        for number, line in enumerate(lines, 1):
            problems = []
            if TODO_NOW.search(line):
                problems.append("a TODO for now is still there")
            if MACHINE_PATH.search(line):
                problems.append("a path of somebody's machine")
            include = INCLUDE.match(line) if inside else None
            if include:
                check = check_angle if include[1] == "<" else check_quoted
                problems.extend(check(path, include[2]))
                theirs = box_of(include[2])
                if include[1] == '"' and theirs and not path.endswith("_test.cpp"):
                    if theirs[1] == box_of(path)[1] and theirs[0] != box_of(path)[0]:
                        edges.setdefault(box_of(path)[0], set()).add(theirs[0])
            found.extend(f"{path}:{number}: {problem}" for problem in problems)
    circle = find_circle(edges)
    if circle:
        found.append("core: boxes include each other in a circle: " + " -> ".join(circle))
    return found


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "../..")
    found = check_tree(os.path.abspath(root))
    for line in found:
        print(line)
    print(f"layers: {len(found)} violations" if found else "layers: every include is in order")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
