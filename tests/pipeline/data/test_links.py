"""Links: rows that name the same row, and that row, are in one split, in whatever order the tables come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attar.pipeline import StructuredDataLoader
from attar.pipeline.data.lineage import prove_splits
from attar.runtime.errors import DataError, UsageError

CUSTOMERS = [f"customer {letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
PRODUCTS = [f"product {letter}" for letter in "abcdefgh"]

Order = tuple[str, str]


def loaded(
    folder: Path,
    orders: Sequence[Order],
    *,
    customers: Sequence[str] = CUSTOMERS,
    links: dict[str, str] | None = None,
    orders_first: bool = False,
    with_products: bool = False,
) -> StructuredDataLoader:
    """Customers and their orders, and products where they are wanted."""
    lines = [f"order {n},{customer},{product},{n * 37 % 91}" for n, (customer, product) in enumerate(orders)]
    tables = {"customer": ["name,city", *(f"{name},Cork" for name in customers)]}
    tables |= {"product": ["name,color", *(f"{name},red" for name in PRODUCTS)]} if with_products else {}
    tables["order"] = ["number,customer,product,amount", *lines]
    loader = StructuredDataLoader(test_share=0.4, test_questions=9999)
    for label in sorted(tables, reverse=orders_first):
        (folder / f"{label}.csv").write_text("\n".join(tables[label]) + "\n")
        entity = "number" if label == "order" else "name"
        given_links = (links or {"customer": "customer"}) if label == "order" else {}
        loader.load_from_csv(folder / f"{label}.csv", entity=entity, links=given_links)
    return loader


def splits_by_customer(loader: StructuredDataLoader) -> dict[str, set[str]]:
    loader.prepare_distillation_dataset()
    found: defaultdict[str, set[str]] = defaultdict(set)
    for place, table in enumerate(loader.tables):
        for split, numbers in loader.splits[place].rows.items():
            for number in numbers:
                row = table.rows[number]
                found[str(row["customer" if table.schema.label == "order" else "name"])].add(split)
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    orders=st.lists(st.sampled_from([*CUSTOMERS[:9], "nobody known", "Customer  A"]), min_size=1, max_size=20),
    orders_first=st.booleans(),
)
def test_orders_are_where_their_customer_is(tmp_path: Path, orders: list[str], orders_first: bool) -> None:
    loader = loaded(tmp_path, [(customer, "x") for customer in orders], orders_first=orders_first)
    found = splits_by_customer(loader)
    assert all(len(splits) == 1 for splits in found.values())
    assert found.get("Customer A", found["customer a"]) == found["customer a"], "however it is spelled"
    assert {split for splits in found.values() for split in splits} == {"train", "test"}


def test_new_orders_and_customers_never_move_old_ones(tmp_path: Path) -> None:
    orders = [(CUSTOMERS[n * 7 % 26], "x") for n in range(40)]
    few = splits_by_customer(loaded(tmp_path, orders[:15], customers=CUSTOMERS[:13]))
    many = splits_by_customer(loaded(tmp_path, orders))
    assert len(few) < len(many)
    assert few.items() <= many.items()


def test_an_order_between_both_splits_is_left_out_and_counted(tmp_path: Path) -> None:
    orders = [(customer, product) for customer in CUSTOMERS for product in PRODUCTS]
    links = {"customer": "customer", "product": "product.name"}
    loader = loaded(tmp_path, orders, links=links, with_products=True)
    samples = loader.prepare_distillation_dataset()
    place = next(n for n, table in enumerate(loader.tables) if table.schema.label == "order")
    left_out = loader.splits[place].left_out
    assert 0 < len(left_out) < len(orders)
    proof = prove_splits(samples, loader.tables)
    assert proof["shared_groups"] == 0
    assert sum(proof["groups"].values()) < 10, "customers and products of a split are all tied by its orders"


def test_a_set_that_parts_what_is_linked_is_refused(tmp_path: Path) -> None:
    orders = [(customer, "x") for customer in CUSTOMERS for _ in range(2)]
    loader = loaded(tmp_path, orders)
    samples = loader.prepare_distillation_dataset()
    assert prove_splits(samples, loader.tables)["shared_groups"] == 0
    first = next(one for one in samples if one.table == "order" and one.split == "train" and one.rows[0] % 2 == 0)
    moved = [replace(one, split="test") if one.keys == first.keys and one.table == "order" else one for one in samples]
    with pytest.raises(DataError, match="share 1 groups"):
        prove_splits(moved, loader.tables)
    unlinked = [replace(table, links={}) for table in loader.tables]
    assert prove_splits(moved, unlinked)["shared_groups"] == 0


def test_rows_that_name_rows_of_their_own_table_stay_together(tmp_path: Path) -> None:
    people = [f"person {letter}" for letter in "abcdefghijklmnopqrst"]
    lines = [f"{name},{people[(n * 7 + 3) % 20] if n % 3 else ''},{n}" for n, name in enumerate(people)]
    (tmp_path / "t.csv").write_text("name,manager,age\n" + "\n".join(lines) + "\n")
    loader = StructuredDataLoader(test_share=0.5)
    loader.load_from_csv(tmp_path / "t.csv", label="person", entity="name", links={"manager": "person"})
    samples = loader.prepare_distillation_dataset()
    assert {one.split for one in samples} == {"train", "test"}
    assert prove_splits(samples, loader.tables)["shared_groups"] == 0
    taken = {number: split for split, numbers in loader.splits[0].rows.items() for number in numbers}
    for number, split in taken.items():
        manager = loader.tables[0].rows[number]["manager"]
        assert manager is None or taken.get(people.index(str(manager)), split) == split


@pytest.mark.parametrize(
    ("links", "message", "hint"),
    [
        ({"customer": "custmer"}, "no table", "Did you mean 'customer'?"),
        ({"custmer": "customer"}, "no column 'custmer'", "Did you mean 'customer'?"),
        ({"customer": "customer.nam"}, "no column 'nam'", "Did you mean 'name'?"),
    ],
)
def test_a_link_that_leads_nowhere_is_an_error(tmp_path: Path, links: dict[str, str], message: str, hint: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        loaded(tmp_path, [("customer a", "x")], links=links).prepare_distillation_dataset()
    assert hint in str(caught.value.next_step)


def test_links_are_refused_where_no_record_is_parted(cities: Path) -> None:
    loader = StructuredDataLoader(mode="closed_book")
    with pytest.raises(UsageError, match="no record is parted"):
        loader.load_from_csv(cities, links={"country": "country"})


def test_two_tables_of_one_name_are_parted_each_and_have_no_links(cities: Path, tmp_path: Path) -> None:
    (tmp_path / "more.csv").write_text("name,country\nGraz,Austria\nLinz,Austria\nWels,Austria\nBonn,Germany\n")
    loader = StructuredDataLoader(test_share=0.5)
    loader.load_from_csv(cities, label="city")
    loader.load_from_csv(tmp_path / "more.csv", label="city")
    samples = loader.prepare_distillation_dataset()
    assert len({one.source for one in samples}) == 2
    assert prove_splits(samples, loader.tables)["shared_groups"] == 0
    loader.load_from_csv(cities, label="town", links={"country": "city"})
    with pytest.raises(DataError, match="Two tables are called 'city'"):
        loader.prepare_distillation_dataset()
