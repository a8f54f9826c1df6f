#!/usr/bin/env python3
"""Builds and runs every test and adds them up: what `make test` does.

    tests/run.py [STAGE...]

    php               PHPUnit of php-worker, against the release binary where a server is needed
    integration       pytest against the release binary and real PHP
    asan              unit tests, fuzz corpora and the include scan under ASan and UBSan
    asan-integration  pytest against the binary with ASan and UBSan
    release           the unit tests and corpora as released (only when asked for)
    tsan              the unit tests under ThreadSanitizer (only when asked for)

Without a name: the first four, in which every test runs once at least. The last line is `N passed, N failed`; the exit code is 1 if any failed.
Reports stay in build/test.
"""
import concurrent.futures
import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[1]
REPORTS = ROOT / "build" / "test"
JOBS = int(os.environ.get("JOBS") or os.cpu_count() or 2)
DEFAULT = ["php", "integration", "asan", "asan-integration"]
ON_DEMAND = ["release", "tsan"]

SANITIZERS = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "second_deadlock_stack=1",
}

passed = 0
failed = 0
skipped = 0
printing = threading.Lock()
running = set()  # process groups


def say(text):
    with printing:
        print(text, flush=True)


def count(good, bad, left_out=0):
    global passed, failed, skipped
    with printing:
        passed += good
        failed += bad
        skipped += left_out


def run(command, log, limit, **named):
    """Exit code of a command whose output goes to a file; its whole process group ends in time."""
    named["env"] = {**os.environ, **SANITIZERS, **named.get("env", {})}
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=subprocess.STDOUT, start_new_session=True,
                                   **{"cwd": ROOT, **named})
        running.add(process.pid)
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            output.write(f"\n(ended after {limit} s)\n".encode())
            return 124
        finally:
            running.discard(process.pid)


def give_up(*_):
    """Ctrl-C, or the end of a time limit: nothing that was started goes on alone."""
    for group in list(running):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGTERM)
    os._exit(130)


def tail(log, lines=150):
    return "\n".join(log.read_text(errors="replace").split("\n")[-lines:])


def add_junit(report):
    """(passed, failed, skipped) of a JUnit file; None where there is no usable one."""
    try:
        root = ElementTree.parse(report).getroot()
    except (OSError, ElementTree.ParseError):
        return None
    bad = left_out = total = 0
    for case in root.iter("testcase"):
        total += 1
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            bad += 1
        elif "skipped" in kinds:
            left_out += 1
    return total - bad - left_out, bad, left_out


def build(preset, everything):
    """All targets, or the server alone."""
    log = REPORTS / f"{preset}-build.log"
    began = time.monotonic()
    # The sanitizer build proves that plugin folders from outside can be built in.
    outside = [ROOT / "tests" / "outside_plugin", ROOT / "config" / "examples" / "service-plugin"]
    plugins = ";".join(map(str, outside)) if preset == "asan" else ""
    targets = [] if everything else ["--target", "rr"]
    for command in (["tools/configure", preset, f"-DRR_PLUGINS={plugins}"],
                    ["cmake", "--build", f"build/{preset}", "-j", str(JOBS), *targets, "--", "-k0"]):
        if run(command, log, 1800) != 0:
            say(tail(log))
            say(f"{preset}: the build failed ({log.relative_to(ROOT)})")
            count(0, 1)
            return False
    if preset == "release":
        link = ROOT / "build" / "rr"
        link.unlink(missing_ok=True)
        link.symlink_to("release/cmd/rr/rr")
    say(f"{preset}: built in {time.monotonic() - began:.0f} s")
    return True


def count_cases(case):
    """A Catch2 program holds many tests; its last lines say how many."""
    output = case.findtext("system-out") or ""
    all_passed = re.search(r"All tests passed \(.* in (\d+) test cases?\)", output)
    if all_passed:
        return int(all_passed[1]), 0
    some_failed = re.search(r"^test cases:.*", output, re.M)
    if some_failed:
        good = re.search(r"(\d+) passed", some_failed[0])
        bad = re.search(r"(\d+) failed", some_failed[0])
        return int(good[1]) if good else 0, max(1, int(bad[1]) if bad else 0)
    return 1, 0


def ctest(preset, *options):
    began = time.monotonic()
    log = REPORTS / f"{preset}-ctest.log"
    report = REPORTS / f"{preset}-ctest.xml"
    code = run(["ctest", "--test-dir", f"build/{preset}", "--parallel", str(JOBS), "--timeout",
                "300", "--output-on-failure", "--test-output-size-passed", "100000",
                "--output-junit", str(report), *options], log, 1200)
    good = bad = 0
    try:
        cases = ElementTree.parse(report).getroot().findall("testcase")
    except (OSError, ElementTree.ParseError):
        cases = []
    for case in cases:
        ok, not_ok = count_cases(case)
        if case.get("status") != "run":
            not_ok = max(1, not_ok)
            ok = 0 if ok == 1 else ok
        good += ok
        bad += not_ok
    if code != 0 and bad == 0 or not cases:
        bad += 1
    if bad:
        say(tail(log))
    count(good, bad)
    say(f"{preset}: {good} passed, {bad} failed in {time.monotonic() - began:.0f} s")


def php(binary):
    began = time.monotonic()
    log = REPORTS / "php.log"
    report = REPORTS / "php.xml"
    code = run(["phpunit", "--do-not-cache-result", "--log-junit", str(report)], log, 600,
               cwd=ROOT / "php-worker", env={"RR_BINARY": str(binary)})
    good, bad, left_out = add_junit(report) or (0, 0, 0)
    if (code != 0 and bad == 0) or good + bad + left_out == 0:
        bad += 1
    if bad:
        say(tail(log))
    count(good, bad, left_out)
    say(f"php: {good} passed, {bad} failed in {time.monotonic() - began:.0f} s")


def pytest_file(name, path, binary):
    """One file in one process: files share nothing and run beside each other."""
    began = time.monotonic()
    slug = f"{name}-{str(path.relative_to(ROOT / 'tests')).replace('/', '-')}"
    log = REPORTS / f"{slug}.log"
    report = REPORTS / f"{slug}.xml"
    code = run([sys.executable, "-B", "-m", "pytest", "-q", "--maxfail=20", f"--junitxml={report}",
                str(path.relative_to(ROOT))],
               log, 900, env={"RR_BINARY": str(binary)})
    good, bad, left_out = add_junit(report) or (0, 0, 0)
    if code not in (0, 1, 5) or (code == 1 and bad == 0):
        bad += 1
    count(good, bad, left_out)
    if bad:
        say(tail(log))
    say(f"{name}: {path.relative_to(ROOT / 'tests')}: {good} passed, {bad} failed"
        + (f", {left_out} skipped" if left_out else "")
        + f" in {time.monotonic() - began:.0f} s")


def integration(name, binary):
    """What measures time or memory (`mark.alone`, `mark.exact_memory`) runs after the others."""
    files = sorted(path for folder in ("integration", "conformance")
                   for path in (ROOT / "tests" / folder).rglob("test_*.py"))
    if not files or not binary.exists():
        say(f"{name}: " + ("there are no tests" if not files else f"there is no {binary}"))
        count(0, 1)
        return
    alone = [path for path in files if re.search(r"mark\.(alone|exact_memory)", path.read_text())]
    # The longest first, so that no long one is left over at the end.
    beside = sorted((path for path in files if path not in alone),
                    key=lambda path: -path.stat().st_size)
    with concurrent.futures.ThreadPoolExecutor(min(JOBS, 4)) as pool:
        for done in [pool.submit(pytest_file, name, path, binary) for path in beside]:
            done.result()
    for path in alone:
        pytest_file(name, path, binary)


def main():
    stages = sys.argv[1:] or DEFAULT
    unknown = set(stages) - set(DEFAULT) - set(ON_DEMAND)
    if unknown:
        sys.exit(f"tests/run.py: no stage {', '.join(sorted(unknown))}")
    shutil.rmtree(REPORTS, ignore_errors=True)
    REPORTS.mkdir(parents=True)
    built = {}

    def has(preset):
        if preset not in built:
            built[preset] = build(preset, everything=preset in stages)
        return built[preset]

    began = time.monotonic()
    for stage in stages:
        if stage == "php":
            if has("release"):
                php(ROOT / "build" / "release" / "cmd" / "rr" / "rr")
        elif stage in ("release", "asan", "tsan"):
            if has(stage):
                ctest(stage, *(["--label-exclude", "fuzz"] if stage == "tsan" else []))
        else:
            preset = "asan" if stage.startswith("asan") else "release"
            if has(preset):
                integration(stage, ROOT / "build" / preset / "cmd" / "rr" / "rr")
    minutes = (time.monotonic() - began) / 60
    say(f"{', '.join(stages)}: {minutes:.1f} minutes"
        + (f", {skipped} skipped" if skipped else ""))
    say(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    signal.signal(signal.SIGINT, give_up)
    signal.signal(signal.SIGTERM, give_up)
    sys.exit(main())
