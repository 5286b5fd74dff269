"""Whatever stands in a file of settings: it is read, or refused with a sentence."""

import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import fields

from obra_tui.config.load import Settings, load
from obra_tui.core.errors import ConfigError

SECTIONS = {field.name: list(getattr(field.default, "__struct_fields__", ())) for field in fields(Settings)}
names = st.sampled_from(sorted(SECTIONS)) | st.text(max_size=6)
keys = st.sampled_from(sorted({key for keys in SECTIONS.values() for key in keys})) | st.text(max_size=6)
values = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
bodies = st.dictionaries(keys, values, max_size=4)


def line(name, value):
    return f"{json.dumps(name)} = {json.dumps(value)}\n"


@pytest.fixture
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("OBRA_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "config" / "obra").mkdir(parents=True)
    return tmp_path / "config" / "obra" / "config.toml"


def refused_or_read(file):
    try:
        load(None)
    except ConfigError as error:
        assert str(file) in str(error)
        assert error.what


@pytest.mark.fault(67)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sections=st.dictionaries(names, bodies, max_size=3), top=bodies)
def test_fault_67_any_keys_and_values_are_read_or_refused_with_the_place(own_home, sections, top):
    text = "".join(line(name, value) for name, value in top.items())
    for name, body in sections.items():
        text += f"[{json.dumps(name)}]\n" + "".join(line(key, value) for key, value in body.items())
    own_home.write_text(text, encoding="utf-8", errors="replace")
    refused_or_read(own_home)


@pytest.mark.fault(67)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=60))
@example(data=b"\xff\xfe\x00")
@example(data=b"a = [" + b"[" * 3000)
@example(data=b"a = " + b"9" * 6000)
def test_fault_67_any_bytes_are_read_or_refused_with_the_place(own_home, data):
    own_home.write_bytes(data)
    refused_or_read(own_home)
