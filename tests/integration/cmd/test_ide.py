"""config/examples/ide: what the editors' files name is run as the editors would run it."""

import json
import re
import shlex
import subprocess
import xml.etree.ElementTree as xml

import pytest

from harness.server import ROOT, binary

IDE = ROOT / "config" / "examples" / "ide"


def phpstorm(project):
    options = {option.get("name"): option.get("value") for option in xml.parse(
        IDE / "phpstorm" / "watcherTasks.xml").getroot().find("component/TaskOptions")
        if option.tag == "option"}
    assert options["fileExtension"] == "php"
    assert options["exitCodeBehavior"] == "ERROR"
    place = {"$ProjectFileDir$": str(project)}
    words = [options["program"], *shlex.split(options["arguments"])]
    return [re.sub(r"\$\w+\$", lambda m: place[m.group(0)], word) for word in words]


def vscode_task(project):
    tasks = json.loads((IDE / "vscode" / "tasks.json").read_text())
    assert tasks["version"] == "2.0.0"
    [task] = [task for task in tasks["tasks"] if task["label"] == "rr reset"]
    return [word.replace("${workspaceFolder}", str(project))
            for word in [task["command"], *task["args"]]]


def vscode_on_save(project):
    settings = json.loads((IDE / "vscode" / "settings.json").read_text())
    [command] = settings["emeraldwalk.runonsave"]["commands"]
    assert re.search(command["match"], "src/Kernel.php")
    assert not re.search(command["match"], "style.css")
    return shlex.split(command["cmd"].replace("${workspaceFolder}", str(project)))


@pytest.mark.parametrize("command", [phpstorm, vscode_task, vscode_on_save])
def test_a_save_replaces_the_workers(rr, tmp_path, command):
    server = rr("rpc: {listen: 'unix://rr.sock'}\n"
                "http: {address: '127.0.0.1:0', pool: {num_workers: 1}}")
    before = server.workers()
    words = command(server.directory)
    assert words[0] == "rr"
    done = subprocess.run([binary(), *words[1:]], cwd=tmp_path, capture_output=True, text=True,
                          timeout=30)
    assert done.returncode == 0, done.stderr
    assert server.wait_workers(lambda pids: len(pids) == 1 and pids != before)


def test_the_live_table_has_a_task_too():
    tasks = json.loads((IDE / "vscode" / "tasks.json").read_text())["tasks"]
    assert any(task["args"][:2] == ["workers", "-i"] for task in tasks)
