"""Records as the JSON objects of `--json`."""

from obra_tui.core.events import Record


def encode_record(record: Record) -> str:
    from obra_tui.store.codec import record_to_json

    return record_to_json(record)
