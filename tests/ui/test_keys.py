import pytest

from obra_tui.core.errors import ConfigError
from obra_tui.ui.keys import KEYS, NEVER_GRANTS, check_overrides, of_scope

pytestmark = pytest.mark.quick


def test_every_key_has_an_id_and_an_action_of_its_own():
    ids = [key.id for key in KEYS]
    assert len(ids) == len(set(ids))


def test_the_table_itself_has_no_clash():
    assert check_overrides({}) == {}


def test_no_footer_shows_more_than_seven_keys_and_help():
    for scope in {key.scope for key in KEYS} - {"app", "live"}:
        assert sum(key.show for key in of_scope(scope)) <= 7


def test_nothing_that_says_yes_sits_on_a_habitual_key():
    granting = [key for key in KEYS if key.grants]
    assert granting
    for key in granting:
        assert not set(key.keys.split(",")) & NEVER_GRANTS


@pytest.mark.parametrize("name", ["enter", "space", " ", "escape", "esc", "y", "1", "ctrl+m", "b,enter"])
def test_approve_cannot_be_put_on_a_habitual_key(name):
    with pytest.raises(ConfigError, match="says yes"):
        check_overrides({"review.approve": name})


def test_approve_can_move_to_another_letter():
    assert check_overrides({"review.approve": "x"}) == {"review.approve": "x"}


def test_a_clash_names_both_bindings():
    with pytest.raises(ConfigError, match=r"'r' is both .*review\.(approve|reject)"):
        check_overrides({"review.approve": "r"})


def test_a_key_of_the_whole_app_cannot_be_taken_by_a_screen():
    with pytest.raises(ConfigError, match="is both"):
        check_overrides({"live.pause": "ctrl+q"})


def test_an_unknown_binding_is_refused_with_the_nearest_name():
    with pytest.raises(ConfigError, match=r"review\.approve"):
        check_overrides({"review.aprove": "b"})
