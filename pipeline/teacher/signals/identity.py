"""What signals are of: hashes of everything that they depend on, and a key for each sample.

Prompts and answers are never cut, and a question sees the same tokens in any pack, so lengths and packing are no part
of it; each sample's own ids are, in its key. Does not know files.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from dataclasses import asdict
from typing import Any

from torch import Tensor
from transformers import PreTrainedModel

from attar.runtime.files import sha256_text
from attar.runtime.text import ChatTokenizer

from ...data.render import RenderedSample
from ..hashing import weights_sha256
from .kinds import SignalSettings

__all__ = ["identity_of", "key_of", "weights_sha256"]


def identity_of(
    teacher: PreTrainedModel, tokenizer: ChatTokenizer, tokens: Tensor | None, precision: str, settings: SignalSettings
) -> dict[str, Any]:
    """What signals of this teacher and these settings are of, as JSON values.

    Args:
        teacher: The model, as it is when it does not compute.
        tokenizer: The teacher's.
        tokens: The teacher's id of each of the student's tokens; None where both have the same.
        precision: What the teacher computes in.
        settings: What is kept.
    """
    return {
        "teacher": weights_sha256(teacher),
        "tokenizer": sha256_text(tokenizer.to_json()),
        "template": sha256_text(tokenizer.template),
        "vocabulary": "all" if tokens is None else sha256_text(json.dumps(tokens.tolist())),
        "precision": precision,
        **asdict(settings),
    }


def key_of(sample: RenderedSample) -> int:
    """64 bits of the hash of a sample's id and of all its tokens: under it its signals are found."""
    digest = hashlib.blake2b(sample.id.encode(), digest_size=8)
    for ids in (sample.prompt, sample.answer):
        digest.update(array("q", (len(ids), *ids)).tobytes())
    return int.from_bytes(digest.digest(), "little")
