"""Addresses of databases: what is read, what is refused, and that a password is never in the text."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attar.pipeline.data.connections import address, redacted, relative_to, scrubbed, shown
from attar.runtime.errors import UsageError

PASSWORDS = st.text(st.characters(codec="utf-8", exclude_characters="*"), min_size=1)


@settings(deadline=None)  # the first call imports SQLAlchemy
@given(PASSWORDS)
def test_a_quoted_password_reaches_the_driver_and_nothing_else(password: str) -> None:
    connection = f"postgresql://reader:{quote(password, safe='')}@host:5432/shop"
    url = address(connection)
    assert (url.password, url.host, url.database) == (password, "host", "shop")
    assert shown(url) == redacted(connection) == "postgresql+psycopg://reader:***@host:5432/shop"
    assert password not in scrubbed(f"no: {password} {quote(password, safe='')} {connection}", url)


@settings(deadline=None)  # the first call imports SQLAlchemy
@given(st.text(st.characters(codec="utf-8", exclude_characters="*"), min_size=6))
def test_a_password_that_was_not_quoted_is_never_shown_either(text: str) -> None:
    secret = f"Secret{text}Secret"
    without = secret.replace("@", "")  # with a second @ the rest is a host
    for connection in (f"postgresql://u:{secret}@host/shop", f"postgresql://u:{without} host", f"u:{secret}@host"):
        assert "Secret" not in redacted(connection)
        try:
            found = address(connection)
        except UsageError as error:
            assert "Secret" not in str(error)
        else:
            assert "Secret" not in shown(found)


def test_options_that_may_be_secret_are_hidden() -> None:
    connection = "postgresql:///shop?host=/tmp/socket&password=open&sslpassword=sesame&connect_timeout=3"
    assert redacted(connection) == (
        "postgresql+psycopg:///shop?connect_timeout=3&host=%2Ftmp%2Fsocket&password=***&sslpassword=***"
    )
    assert scrubbed("wrong: open, sesame", address(connection)) == "wrong: ***, ***"


def test_an_environment_variable_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_DATABASE", "postgres://reader:sesame@host/shop")
    assert address("env:SHOP_DATABASE").password == "sesame"
    assert redacted("env:SHOP_DATABASE") == "env:SHOP_DATABASE"
    monkeypatch.delenv("SHOP_DATABASE")
    with pytest.raises(UsageError, match="SHOP_DATABASE is not set"):
        address("env:SHOP_DATABASE")
    with pytest.raises(UsageError) as caught:
        address("env:postgresql://reader:sesame@host/shop")
    assert "sesame" not in str(caught.value) + redacted("env:postgresql://reader:sesame@host/shop")


@pytest.mark.parametrize(
    ("connection", "message"),
    [
        ("", "can't be read"),
        ("shop.db", "can't be read"),
        ("postgresql://u:p@host:port/shop", "can't be read"),
        ("postgresql://u:p@ss@host/shop", "can't be read"),
        ("mysql://u:p@host/shop", "not 'mysql'"),
        ("postgresql+asyncpg://u:p@host/shop", "not 'postgresql\\+asyncpg'"),
        ("sqlite://", "named by its file"),
        ("sqlite:///:memory:", "named by its file"),
    ],
)
def test_what_is_no_address_of_a_readable_database_is_refused(connection: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        address(connection)
    assert caught.value.next_step


def test_a_relative_file_is_relative_to_the_folder_it_is_said_in(tmp_path: Path) -> None:
    assert relative_to("sqlite:///a/b.db?timeout=1", tmp_path) == f"sqlite:///{tmp_path}/a/b.db?timeout=1"
    for same in ("sqlite:////a/b.db", "postgresql://host/shop", "env:SHOP", "sqlite:///"):
        assert relative_to(same, tmp_path) == same
