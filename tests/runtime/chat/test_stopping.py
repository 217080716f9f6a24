"""Stop strings: never shown, not even in part, however the text is cut into pieces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from attar.runtime.chat.stopping import StopStrings

ALPHABET = st.text("abc", max_size=30)


@given(ALPHABET, st.lists(st.text("abc", min_size=1, max_size=4), max_size=3), st.data())
def test_what_is_shown_is_the_text_before_the_first_stop(text: str, stops: list[str], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    stream, shown = StopStrings(stops), ""
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        shown += stream.feed(text[start:end])
        assert text.startswith(shown)
        if stream.reached:
            break
    shown += stream.flush()
    ends = [text.find(stop) for stop in stops if stop in text]
    assert stream.reached == bool(ends)
    if not ends:
        assert shown == text
    else:
        assert not any(stop in shown for stop in stops)
        assert any(text.startswith(shown + stop) for stop in stops)


def test_doubtful_text_is_held_back_until_it_is_clear() -> None:
    stream = StopStrings(["END"])
    assert stream.feed("one EN") == "one "
    assert stream.feed("tire") == "ENtire"
    assert stream.feed(" END more") == " "
    assert stream.reached
