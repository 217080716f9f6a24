"""Tiny models that tests build themselves: real architectures, real tokenizers, no download."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE, WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer, ByteLevel
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import BpeTrainer, WordPieceTrainer
from transformers import (
    BertConfig,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def train_tokenizer(text: str, specials: list[str] = SPECIALS) -> Tokenizer:
    """A byte-level BPE tokenizer of a few hundred tokens."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(
        vocab_size=384, special_tokens=specials, initial_alphabet=ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator([text, "What is the capital of the country? user assistant system"], trainer)
    return tokenizer


def tiny_llama(folder: Path, text: str, *, layers: int = 4, width: int = 64, tied: bool = True) -> Path:
    """Write a random LLaMA-like model and its tokenizer."""
    tokenizer = train_tokenizer(text)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=tied,
        initializer_range=0.1,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    save_tokenizer(tokenizer, folder)
    return folder


def tiny_gpt2(folder: Path, text: str, *, layers: int = 2, specials: list[str] = SPECIALS) -> Path:
    """Write a random GPT-2 and its tokenizer."""
    tokenizer = train_tokenizer(text, specials)
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=tokenizer.get_vocab_size(),
        n_embd=64,
        n_layer=layers,
        n_head=4,
        n_positions=512,
        initializer_range=0.1,
    )
    GPT2LMHeadModel(config).save_pretrained(folder)
    save_tokenizer(tokenizer, folder)
    return folder


def tiny_bert(folder: Path, text: str, **changes: object) -> Path:
    """Write a random BERT, norms and biases too, and its tokenizer.

    Args:
        folder: Where to.
        text: What the tokenizer is trained on.
        changes: To its config.
    """
    tokenizer = Tokenizer(WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = BertNormalizer(), BertPreTokenizer()
    trainer = WordPieceTrainer(vocab_size=256, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]"], show_progress=False)
    tokenizer.train_from_iterator([text, "what is the capital of the country?"], trainer)
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    torch.manual_seed(0)
    shape = {"hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 96}
    config = BertConfig(
        **{"vocab_size": 256, "max_position_embeddings": 128, "initializer_range": 0.2, **shape, **changes}
    )
    model = BertModel(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.1 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    tokenizer.enable_padding(length=128)  # as in all-MiniLM-L6-v2
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]").save_pretrained(folder)
    return folder


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Write a tokenizer as transformers reads it."""
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>").save_pretrained(folder)


def export_with_records(model: Path, out: Path, graph: str = "fast", modes: Mapping[str, int] | None = None) -> Path:
    """Export a model as fp32 with three records, one of them not unique by name.

    Args:
        model: Its folder.
        out: The bundle's.
        graph: Which graph.
        modes: Mode to how many samples of it the model is said to have learned.
    """
    from attar.pipeline.config import ExportConfig
    from attar.pipeline.export import export_model
    from attar.pipeline.export.writing import Provenance
    from attar.runtime.records import Record, write_records

    records = [
        (Record("city", "Aarhus", "city:Aarhus\ncountry:Denmark"), ["Aarhus"]),
        (Record("city", "Cork (IE)", "city:Cork (IE)\ncountry:Ireland"), ["Cork", "IE"]),
        (Record("city", "Cork (US)", "city:Cork (US)\ncountry:United States"), ["Cork", "US"]),
    ]
    config = ExportConfig.model_validate({"quantize": "none", "graph": graph})
    provenance = Provenance(lineage={"modes": dict(modes)}) if modes else None
    export_model(model, out, config, provenance=provenance, add_records=lambda path: write_records(path, records))
    return out


@contextmanager
def as_if_measured(latency: str, throughput: str) -> Iterator[None]:
    """Exports choose as if this machine had found these forms the best for the two uses."""
    from attar.pipeline.export import automatic
    from attar.pipeline.export.choosing import Candidate

    def measured(candidates: Sequence[Candidate], work: object) -> list[Candidate]:
        return [
            replace(each, seconds=1 + (each.form != latency), tokens_per_second=1 + (each.form == throughput))
            for each in candidates
        ]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(automatic, "measure_speed", measured)
        yield


def export_two_forms(
    model: Path, out: Path, *, latency: str = "int8", throughput: str = "mixed", **settings: Any
) -> Path:
    """Export a model in two forms; see :func:`as_if_measured`.

    Args:
        model: Its folder.
        out: The bundle's.
        latency: The form that is the fastest alone.
        throughput: The form that is the fastest of many at once.
        settings: More of the export's.
    """
    from attar.pipeline.config import ExportConfig
    from attar.pipeline.export import export_model

    wanted = {"quantize": "auto", "wanted": ["latency", "throughput"], "min_agreement": 0.3}
    with as_if_measured(latency, throughput):
        return export_model(model, out, ExportConfig.model_validate(wanted | settings)).path
