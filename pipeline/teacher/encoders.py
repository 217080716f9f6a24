"""Any encoder that transformers loads, made ready to embed texts, by the same names as causal LMs have.

What stands beside it for sentence-transformers is heeded: how tokens are pooled, and how many are read. Does not know
graphs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import AutoModel, AutoTokenizer, PreTrainedModel
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

from attar.runtime.errors import ModelError

from .loading import quiet, resolve, unloadable

__all__ = ["LoadedEncoder", "load_encoder"]

_UNLIMITED = 1_000_000
"""What transformers says of a tokenizer without a limit is far beyond."""


@dataclass
class LoadedEncoder:
    """A model in fp32 and its tokenizer.

    Attributes:
        model: The model.
        tokenizer: Cuts what is longer than the model reads; fills nothing up.
        name: What it was loaded by.
        most_tokens: How many it reads.
    """

    model: PreTrainedModel
    tokenizer: Tokenizer
    name: str
    most_tokens: int


def load_encoder(name: str) -> LoadedEncoder:
    """Load an encoder in fp32.

    Args:
        name: See :func:`attar.pipeline.teacher.load_model`.

    Raises:
        ModelError: It is not there, can't be loaded, is no encoder, or pools otherwise than by the mean.
        Refused: Its only weights are pickled.
    """
    source, options = resolve(name)
    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False, **options)
            model = AutoModel.from_pretrained(
                source, trust_remote_code=False, use_safetensors=True, dtype=torch.float32, **options
            ).eval()
    except Exception as error:  # of many kinds; tokenizers raises bare Exception
        raise unloadable(name, error) from error
    if model.config.model_type not in MODEL_FOR_MASKED_LM_MAPPING_NAMES or model.config.is_encoder_decoder:
        raise ModelError(
            f"A {model.config.model_type} model is not an encoder.",
            where=name,
            next_step="Give a model that embeds texts, such as all-MiniLM-L6-v2, or leave out --task.",
        )
    if not getattr(tokenizer, "is_fast", False):
        raise ModelError("The model has no fast tokenizer.", where=name, next_step="Convert it to tokenizer.json.")
    _require_mean(Path(source), name)
    most = _most_tokens(Path(source), tokenizer, model.config)
    fast = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    fast.no_padding()
    fast.enable_truncation(most)
    return LoadedEncoder(model, fast, name, most)


def _most_tokens(folder: Path, tokenizer: Any, config: Any) -> int:
    limits = [config.max_position_embeddings, tokenizer.model_max_length]
    known = folder / "sentence_bert_config.json"
    if known.is_file():
        limits.append(json.loads(known.read_text(encoding="utf-8")).get("max_seq_length") or _UNLIMITED)
    return int(min(limits))


def _require_mean(folder: Path, name: str) -> None:
    """sentence-transformers lists what comes after the model; the mean and length 1 are what graphs have."""
    modules = folder / "modules.json"
    if not modules.is_file():
        return
    for module in json.loads(modules.read_text(encoding="utf-8")):
        kind = module["type"].rpartition(".")[2]
        pooling = folder / module["path"] / "config.json"
        if kind == "Pooling" and pooling.is_file():
            known = json.loads(pooling.read_text(encoding="utf-8"))
            kinds = {key for key, value in known.items() if key.startswith("pooling_mode_") and value is True}
            if kinds == {"pooling_mode_mean_tokens"}:
                continue
        if kind not in ("Transformer", "Normalize"):
            raise ModelError(
                f"The model's {kind} can't be exported.",
                where=f"{name}: {pooling}",
                why="Graphs have the mean of a text's tokens, with length 1.",
                next_step="Choose a model that is trained with mean pooling and nothing after it.",
            )
