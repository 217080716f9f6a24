"""``OnnxEmbeddings`` as LangChain uses it: documents, queries, batches, a vector store."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.vectorstores import InMemoryVectorStore
from pydantic import ValidationError

from attar.runtime import OnnxEmbeddings
from attar.runtime.errors import BundleError
from tests.conftest import CITIES

LINES = CITIES.splitlines()


@pytest.fixture(scope="module")
def embeddings(encoder_bundle: Path) -> OnnxEmbeddings:
    return OnnxEmbeddings(bundle=encoder_bundle, threads=1)


def test_each_text_has_an_embedding_of_length_1(embeddings: OnnxEmbeddings) -> None:
    found = np.array(embeddings.embed_documents(LINES))
    assert found.shape == (len(LINES), embeddings.size) == (len(LINES), 64)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


@settings(max_examples=20)
@given(texts=st.lists(st.text(max_size=300), max_size=40))
def test_any_texts_are_embedded_in_their_order_and_as_alone(embeddings: OnnxEmbeddings, texts: list[str]) -> None:
    together = embeddings.embed_documents(texts)
    assert len(together) == len(texts)
    for text, found in zip(texts, together, strict=True):
        assert np.allclose(embeddings.embed_query(text), found, atol=1e-5)


def test_async_gives_the_same(embeddings: OnnxEmbeddings) -> None:
    assert np.allclose(asyncio.run(embeddings.aembed_query(LINES[1])), embeddings.embed_query(LINES[1]), atol=1e-5)


def test_what_is_longer_than_the_encoder_reads_is_cut(embeddings: OnnxEmbeddings) -> None:
    long = "Aarhus " * 200
    assert np.allclose(embeddings.embed_query(long), embeddings.embed_query(long + "Bergen"), atol=1e-6)


def test_a_special_token_that_is_spelled_out_stays_text(embeddings: OnnxEmbeddings) -> None:
    tokenizer = embeddings._model._tokenizer
    assert tokenizer.encode("Aarhus [SEP] Bergen").ids.count(3) == 1


def test_a_vector_store_finds_what_was_put_in(embeddings: OnnxEmbeddings) -> None:
    store = InMemoryVectorStore(embeddings)
    store.add_texts(LINES)
    assert [found.page_content for found in store.similarity_search(LINES[3], k=1)] == [LINES[3]]


def test_a_bundle_that_answers_does_not_embed(bundle_folder: Path) -> None:
    embeddings = OnnxEmbeddings(bundle=bundle_folder)
    with pytest.raises(BundleError, match="made for text-generation, not for feature-extraction") as caught:
        embeddings.embed_query("x")
    assert "ChatOnnx" in (caught.value.next_step or "")


def test_nothing_is_loaded_before_the_first_call() -> None:
    embeddings = OnnxEmbeddings(bundle="/nowhere")
    with pytest.raises(BundleError, match="no bundle here"):
        embeddings.embed_query("x")
    with pytest.raises(ValidationError):
        OnnxEmbeddings(bundle="/nowhere", threads=0)
