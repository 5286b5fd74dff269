import pytest

from tests.evidence.scene import make_scene


@pytest.fixture
def scene(tmp_path):
    return make_scene(tmp_path)
