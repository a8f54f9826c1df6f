"""What /proc tells about processes, and waiting for their ends by event."""

import os
import re
import select
import time


def children(pid):
    """Pids of the living children of a process, all its threads counted."""
    found = []
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    for task in tasks:
        try:
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                found += [int(child) for child in file.read().split()]
        except OSError:
            continue
    return sorted(child for child in found if not is_zombie(child))


def _status(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def is_zombie(pid):
    match = re.search(r"^State:\s+(\S)", _status(pid), re.M)
    return match is None or match.group(1) in "ZX"


def is_stopped(pid):
    return re.search(r"^State:\s+T", _status(pid), re.M) is not None


def is_alive(pid):
    return not is_zombie(pid)


def memory_kib(pid, field="VmRSS"):
    """VmRSS: resident now; VmHWM: the most it ever was (since reset_peak)."""
    match = re.search(rf"^{field}:\s+(\d+) kB", _status(pid), re.M)
    return int(match.group(1)) if match else 0


def reset_peak(pid):
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def environment(pid):
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return dict(entry.partition(b"=")[::2] for entry in file.read().split(b"\0") if entry)
    except OSError:
        return {}


def marked(name, value):
    """Pids of the processes that were started with this variable in their environment."""
    wanted = value.encode()
    return [int(entry) for entry in os.listdir("/proc")
            if entry.isdigit() and environment(entry).get(name.encode()) == wanted
            and is_alive(int(entry))]


def wait_gone(pid, timeout=10.0):
    """Waits for the end of any process; False if it still lives then."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        return bool(poll.poll(timeout * 1000)) or is_zombie(pid)
    finally:
        os.close(handle)


def listening_ports(pid):
    """TCP ports on which a process listens."""
    inodes = set()
    try:
        for entry in os.listdir(f"/proc/{pid}/fd"):
            try:
                target = os.readlink(f"/proc/{pid}/fd/{entry}")
            except OSError:
                continue
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    except OSError:
        return set()
    ports = set()
    for table in ("tcp", "tcp6"):
        with open(f"/proc/{pid}/net/{table}", encoding="ascii") as file:
            for line in file.readlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and fields[9] in inodes:
                    ports.add(int(fields[1].rpartition(":")[2], 16))
    return ports


def eventually(predicate, timeout=10.0, what="the condition"):
    """Polls for what announces itself by no event. Returns the predicate's first true value."""
    poll = select.poll()
    end = time.monotonic() + timeout
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come about within {timeout} s")
        poll.poll(10)
