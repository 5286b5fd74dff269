"""The short form: memory, files and threads do not grow with the work that was done."""

from tests.soak.day import work


async def test_memory_files_and_threads_stay_flat_over_many_sessions(tmp_path):
    early, late = await work(tmp_path, 150)
    assert late[0] <= early[0] * 1.05 + 4, f"MB: {early[0]:.0f} -> {late[0]:.0f}"
    assert late[1:] == early[1:]
