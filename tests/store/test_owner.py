"""One Obra per data directory."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from obra_tui.core.errors import AlreadyOwned, StoreError
from obra_tui.store.ownership import LOCK_NAME, acquire, file_system, holder_of

_HOLD = """
import sys, time
from pathlib import Path
from obra_tui.store.ownership import acquire
owner = acquire(Path(sys.argv[1]))
print("mine", flush=True)
time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_the_second_one_is_told_who_is_first(folder: Path) -> None:
    with acquire(folder), pytest.raises(AlreadyOwned, match=f"process {os.getpid()}") as caught:
        acquire(folder)
    assert caught.value.exit_code == 7


def test_the_second_one_is_told_how_to_work_on_another_project_and_that_works(folder: Path) -> None:
    with acquire(folder):
        with pytest.raises(AlreadyOwned) as caught:
            acquire(folder)
        assert "another project" in caught.value.fix
        assert "OBRA_DATA_DIR" in caught.value.fix
        acquire(folder.with_name("of its own")).release()


def test_a_released_directory_can_be_taken_again(folder: Path) -> None:
    owner = acquire(folder)
    owner.release()
    owner.release()
    assert holder_of(folder) is None
    acquire(folder).release()


def test_the_holder_can_be_asked_for(folder: Path) -> None:
    assert holder_of(folder) is None
    with acquire(folder) as owner:
        assert holder_of(folder) == owner.holder
        assert owner.holder.pid == os.getpid()


def test_the_directory_of_a_killed_owner_is_free(folder: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", _HOLD, str(folder)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "mine\n"
    with pytest.raises(AlreadyOwned, match=f"kill {child.pid}"):
        acquire(folder)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    acquire(folder).release()


def test_programs_that_the_owner_starts_do_not_inherit_the_lock(folder: Path) -> None:
    owner = acquire(folder)
    child = subprocess.Popen(["sleep", "60"], close_fds=False)
    owner.release()
    try:
        acquire(folder).release()
    finally:
        child.kill()
        child.wait()


def test_the_directory_and_the_lock_are_private(folder: Path) -> None:
    with acquire(folder):
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / LOCK_NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o770, 0o777, 0o707])
def test_a_directory_that_others_may_write_to_is_refused(folder: Path, mode: int) -> None:
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(StoreError, match="Other users") as caught:
        acquire(folder)
    assert "chmod 700" in caught.value.fix


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_directory_of_another_user_is_refused(folder: Path) -> None:
    folder.mkdir()
    os.chown(folder, 12345, 12345)
    with pytest.raises(StoreError, match="another user"):
        acquire(folder)


def test_a_network_file_system_is_refused_by_name(folder: Path, tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\nserver:/export {tmp_path} nfs4 rw 0 0\n")
    with pytest.raises(StoreError, match=r"network file system \(nfs4\)"):
        acquire(folder, mounts)


def test_the_deepest_mount_counts_and_names_may_hold_spaces(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text("a / ext4 rw 0 0\nb /my\\040disk cifs rw 0 0\nc /my\\040disk/local btrfs rw 0 0\n")
    assert file_system(Path("/my disk/x"), mounts) == "cifs"
    assert file_system(Path("/my disk/local/x"), mounts) == "btrfs"
    assert file_system(Path("/my diskette"), mounts) == "ext4"
    assert file_system(Path("/x"), tmp_path / "none") == ""


def test_a_lock_that_is_a_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    folder.mkdir(mode=0o700)
    (folder / LOCK_NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError):
        acquire(folder)
    assert not (tmp_path / "elsewhere").exists()
