"""The split is a property of the entity alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from attar.pipeline.data.splits import split_of


@given(st.text(), st.text())
def test_case_and_spacing_do_not_matter(entity: str, salt: str) -> None:
    folded = f"  {entity.casefold()}\t".replace(" ", "  ")
    assert split_of(entity, salt=salt, test_share=0.5) == split_of(folded, salt=salt, test_share=0.5)


def test_shares_are_kept_and_a_larger_share_only_adds() -> None:
    names = [f"entity {number}" for number in range(4000)]
    small, large = (
        {name for name in names if split_of(name, salt="s", test_share=share) == "test"} for share in (0.1, 0.3)
    )
    assert 0.08 < len(small) / 4000 < 0.12
    assert small < large
    assert small != {name for name in names if split_of(name, salt="other", test_share=0.1) == "test"}
