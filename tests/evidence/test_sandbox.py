"""What a command can reach at each level, tried with real programs."""

import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace

from obra_tui.core.model import SandboxLevel
from obra_tui.evidence import running
from obra_tui.evidence.running import run
from obra_tui.evidence.sandbox import Job, Mount, Sandbox, scratch_in, search_path

PROGRAMS = (
    "sh",
    "git",
    "python3",
    "sleep",
    "cat",
    "ls",
    "touch",
    "setsid",
    "env",
    "id",
    "mount",
    "mkdir",
    "rm",
    "echo",
)


@pytest.fixture
def path_without(monkeypatch, tmp_path):
    """Return a function that hides programs from the PATH."""

    def hide(*hidden):
        folder = tmp_path / "bin"
        folder.mkdir()
        for name in (*PROGRAMS, "bwrap", "unshare"):
            if name not in hidden and (found := shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin")):
                (folder / name).symlink_to(found)
        monkeypatch.setenv("PATH", str(folder))

    return hide


def job(folder, command, **options):
    folder.mkdir(exist_ok=True, parents=True)
    mounts = (Mount(source=folder, target=folder, writable=True),)
    return Job(argv=("sh", "-c", command), cwd=folder, scratch=scratch_in(folder.parent), mounts=mounts, **options)


async def output_of(sandbox, folder, command, **options):
    level, _ = await sandbox.probe()
    ended = await run(sandbox.launch(level, job(folder, command, **options)), timeout_s=30, printed=lambda _: None)
    return ended.output.strip()


@pytest.fixture
def sandbox(tmp_path):
    return Sandbox(data_dir=tmp_path / "data")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data" / "copies" / "t1" / "work"


async def test_bubblewrap_is_chosen_where_it_works_and_the_reason_says_what_was_tried(sandbox):
    level, reason = await sandbox.probe()
    assert level is SandboxLevel.BWRAP
    assert reason == "Tried: no network, nothing outside can be written."
    assert not await sandbox.refusal()


async def test_without_bubblewrap_plain_namespaces_are_used_and_the_reason_says_so(sandbox, path_without):
    path_without("bwrap")
    level, reason = await sandbox.probe()
    assert level is SandboxLevel.UNSHARE
    assert "bwrap is not installed" in reason and "apt install bubblewrap" in reason


async def test_with_neither_nothing_protects_and_the_reason_says_both(sandbox, path_without):
    path_without("bwrap", "unshare")
    level, reason = await sandbox.probe()
    assert level is SandboxLevel.NONE
    assert "with your rights" in reason and "bwrap is not installed" in reason and "unshare is not installed" in reason


async def test_a_bubblewrap_that_does_not_work_is_not_believed(sandbox, path_without, tmp_path):
    path_without("bwrap", "unshare")
    fake = tmp_path / "bin" / "bwrap"
    fake.write_text("#!/bin/sh\necho no permission to make namespaces >&2; exit 1\n")
    fake.chmod(0o755)
    level, reason = await sandbox.probe()
    assert level is SandboxLevel.NONE and "no permission to make namespaces" in reason
    assert "It is installed and may make no namespaces" in reason and "--security-opt" in reason


async def test_a_bubblewrap_that_protects_from_nothing_is_not_believed(sandbox, path_without, tmp_path):
    path_without("bwrap", "unshare")
    fake = tmp_path / "bin" / "bwrap"
    fake.write_text('#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done; shift; exec "$@"\n')
    fake.chmod(0o755)
    level, reason = await sandbox.probe()
    assert level is SandboxLevel.NONE and "the canary got out" in reason


async def test_a_level_below_what_the_settings_ask_for_is_refused(tmp_path, path_without):
    path_without("bwrap")
    sandbox = Sandbox(data_dir=tmp_path / "data", lowest=SandboxLevel.BWRAP)
    assert "only 'unshare' works here" in await sandbox.refusal()


async def test_the_tree_can_be_written_and_nothing_else(sandbox, folder, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    places = ("/usr/obra-test", "/etc/obra-test", "/var/tmp/obra-test", f"{outside}/x", "/obra-test")
    command = "touch here; " + "; ".join(f"touch {place} 2>/dev/null" for place in places)
    await output_of(sandbox, folder, command)
    assert (folder / "here").exists()
    assert not any(Path(place).exists() for place in places)


@pytest.fixture
def home_on_disk(monkeypatch):
    """A home folder outside /tmp, which is private in the sandbox anyway."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        monkeypatch.setenv("HOME", folder)
        yield Path(folder)


async def test_home_data_directory_and_other_copies_are_hidden(sandbox, folder, tmp_path, home_on_disk):
    home = home_on_disk
    (home / ".gitconfig").write_text("")
    (home / ".ssh").mkdir()
    (home / ".ssh" / "id_ed25519").write_text("key")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "obra.db").write_text("db")
    other = tmp_path / "data" / "copies" / "t2" / "work"
    other.mkdir(parents=True)
    paths = (home / ".ssh", home / ".gitconfig", tmp_path / "data" / "obra.db", other)
    assert await output_of(sandbox, folder, f"ls -d {' '.join(map(str, paths))} 2>/dev/null; ls -A ~") == ""


async def test_a_folder_that_the_job_hides_is_empty(sandbox, folder):
    assert await output_of(sandbox, folder, "ls -A /usr/share", hide=(Path("/usr/share"),)) == ""


async def test_there_is_no_network_unless_it_is_given(sandbox, folder):
    with socket.create_server(("127.0.0.1", 0)) as server:
        connect = (
            f"{sys.executable} -c 'import socket; socket.create_connection((\"127.0.0.1\", {server.getsockname()[1]}))'"
        )
        assert await output_of(sandbox, folder, f"{connect} 2>/dev/null && echo open || echo closed") == "closed"
        assert await output_of(sandbox, folder, f"{connect} && echo open || echo closed", network=True) == "open"


async def test_secrets_of_the_environment_stay_outside(sandbox, folder, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "canary-key")
    monkeypatch.setenv("MY_TOKEN", "canary-token")
    assert "canary" not in await output_of(sandbox, folder, "env")


async def test_a_variable_named_by_the_settings_is_passed_on(tmp_path, folder, monkeypatch):
    monkeypatch.setenv("MY_FLAG", "on")
    sandbox = Sandbox(data_dir=tmp_path / "data", pass_on=("MY_FLAG",))
    assert await output_of(sandbox, folder, "echo $MY_FLAG") == "on"


async def test_a_folder_named_readable_by_the_settings_can_be_read_and_not_written(tmp_path, folder):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "data.txt").write_text("data")
    sandbox = Sandbox(data_dir=tmp_path / "data", readable=(tmp_path / "shared",))
    command = f"cat {tmp_path}/shared/data.txt; touch {tmp_path}/shared/x 2>/dev/null || echo ' read only'"
    assert await output_of(sandbox, folder, command) == "data read only"


async def test_the_interpreter_that_runs_obra_works_inside(sandbox, folder):
    assert await output_of(sandbox, folder, f"{sys.executable} -c 'import pytest; print(1)'") == "1"


async def test_other_processes_cannot_be_seen(sandbox, folder):
    assert await output_of(sandbox, folder, f"ls -d /proc/{os.getpid()}/environ 2>/dev/null || echo hidden") == "hidden"


@pytest.mark.parametrize("hidden", [(), ("bwrap",), ("bwrap", "unshare")], ids=["bwrap", "unshare", "none"])
async def test_no_process_is_left_whatever_it_did_to_stay(tmp_path, folder, path_without, hidden):
    if hidden:
        path_without(*hidden)
    sandbox = Sandbox(data_dir=tmp_path / "data")
    level, _ = await sandbox.probe()
    stay = "setsid sleep 600 & (setsid sh -c 'sleep 601 & sleep 602') & sleep 603 & echo begun"
    launch = sandbox.launch(level, job(folder, stay))
    ended = await run(launch, timeout_s=30, printed=lambda _: None)
    assert ended.exit_code == 0 and "begun" in ended.output
    assert left_over(launch.mark) == []


@pytest.mark.parametrize("hidden", [(), ("bwrap",)], ids=["bwrap", "unshare"])
async def test_a_process_that_also_clears_its_environment_is_not_left_either(tmp_path, folder, path_without, hidden):
    if hidden:
        path_without(*hidden)
    sandbox = Sandbox(data_dir=tmp_path / "data")
    level, _ = await sandbox.probe()
    seconds = f"{60_000 + os.getpid() % 30_000}{len(hidden)}"
    stay = f"env -i $(command -v setsid) -f $(command -v sleep) {seconds}; echo begun"
    ended = await run(sandbox.launch(level, job(folder, stay)), timeout_s=30, printed=lambda _: None)
    assert ended.exit_code == 0 and "begun" in ended.output
    assert [process.pid for process in psutil.process_iter() if seconds in words_of(process)] == []


@pytest.mark.parametrize(("tells", "searched"), [(True, 0), (False, 1)])
async def test_the_machine_is_searched_only_where_the_sandbox_does_not_tell_its_first_process(
    tmp_path, folder, monkeypatch, tells, searched
):
    sandbox = Sandbox(data_dir=tmp_path / "data")
    await sandbox.probe()
    searches = []

    async def search(pid, mark):
        searches.append(mark)

    monkeypatch.setattr(running, "kill_tree", search)
    launch = sandbox.launch(SandboxLevel.BWRAP, job(folder, "setsid sleep 600 >/dev/null 2>&1 & echo begun"))
    ended = await run(replace(launch, tells_inner=tells), timeout_s=30, printed=lambda _: None)
    assert ended.exit_code == 0
    assert len(searches) == searched
    if tells:
        assert left_over(launch.mark) == []


def words_of(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.mark.parametrize("hidden", [(), ("bwrap",), ("bwrap", "unshare")], ids=["bwrap", "unshare", "none"])
async def test_a_time_limit_ends_the_whole_tree(tmp_path, folder, path_without, hidden):
    if hidden:
        path_without(*hidden)
    sandbox = Sandbox(data_dir=tmp_path / "data")
    level, _ = await sandbox.probe()
    launch = sandbox.launch(level, job(folder, "trap '' TERM INT HUP; setsid sleep 600 & sleep 601"))
    ended = await run(launch, timeout_s=0.5, printed=lambda _: None)
    assert ended.exit_code is None
    assert left_over(launch.mark) == []


def left_over(mark):
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("OBRA_ATTEMPT") == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.cmdline())
        except psutil.Error:
            continue
    return found


async def test_plain_namespaces_show_the_export_at_the_place_of_the_copy(tmp_path, folder, path_without):
    path_without("bwrap")
    sandbox = Sandbox(data_dir=tmp_path / "data")
    level, _ = await sandbox.probe()
    folder.mkdir(parents=True)
    (folder / "copy.txt").write_text("copy")
    bench = tmp_path / "data" / "bench"
    bench.mkdir(parents=True)
    (bench / "bench.txt").write_text("bench")
    shown = Job(
        argv=("ls",),
        cwd=folder,
        scratch=scratch_in(tmp_path),
        mounts=(Mount(source=bench, target=folder, writable=True),),
    )
    ended = await run(sandbox.launch(level, shown), timeout_s=30, printed=lambda _: None)
    assert ended.output == "bench.txt\n"


def test_the_search_path_begins_with_the_projects_tools_and_ends_with_obras(monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:relative:/bin:/usr/bin")
    assert search_path((Path("/p/.venv/bin"),)).split(":") == [
        "/p/.venv/bin",
        "/usr/bin",
        "/bin",
        str(Path(sys.executable).parent),
    ]
