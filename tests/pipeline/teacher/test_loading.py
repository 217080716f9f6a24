"""Which models are loaded, how they are made ready, and which are refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.decoders import ByteFallback, ByteLevel, Fuse, Replace, Sequence

from attar.pipeline.teacher import load_model, save_model
from attar.pipeline.teacher.loading import load_tokenizer, resolve
from attar.runtime.errors import ModelError, Refused
from attar.runtime.text import CHATML
from tests.conftest import CITIES
from tests.tiny import tiny_gpt2


def test_a_model_survives_being_saved(teacher_folder: Path, tmp_path: Path) -> None:
    loaded = load_model(str(teacher_folder))
    save_model(loaded, tmp_path / "copy")
    again = load_model(str(tmp_path / "copy"))
    ids = torch.tensor([[1, 90, 91]])
    assert torch.equal(loaded.model(ids).logits, again.model(ids).logits)
    assert again.tokenizer.to_json() == loaded.tokenizer.to_json()
    assert (again.tokenizer.template, again.tokenizer.end_id) == (CHATML, 2)
    assert again.model.generation_config.eos_token_id == 2
    assert not list((tmp_path / "copy").glob("*.bin")) + list((tmp_path / "copy").glob("tokenizer.model"))


def test_a_vocabulary_without_turn_tokens_gets_them_and_loses_nothing(tmp_path: Path) -> None:
    folder = tiny_gpt2(tmp_path, CITIES, specials=["<|endoftext|>"])
    own = load_model(str(folder), template="{{ messages[0].content }}")
    size = own.model.config.vocab_size
    loaded = load_model(str(folder))
    assert loaded.tokenizer.vocabulary_size == loaded.model.config.vocab_size == size + 2
    ids = loaded.tokenizer.encode_chat([{"role": "user", "content": "Aarhus"}])
    assert loaded.tokenizer.decode(ids) == "user\nAarhus\nassistant\n"
    plain = torch.tensor([[70, 80, 90]])
    assert torch.allclose(own.model(plain).logits, loaded.model(plain).logits[..., :size], atol=1e-5)


@pytest.mark.parametrize("specials", [["<|endoftext|>"], ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]])
def test_a_tokenizer_alone_is_the_models_and_needs_no_weights(specials: list[str], tmp_path: Path) -> None:
    folder = tiny_gpt2(tmp_path, CITIES, specials=specials)
    whole = load_model(str(folder)).tokenizer
    (folder / "model.safetensors").unlink()
    alone = load_tokenizer(str(folder))
    assert (alone.to_json(), alone.template) == (whole.to_json(), whole.template)
    with pytest.raises(ModelError):
        load_tokenizer(str(folder / "gone"))


def test_a_byte_level_tokenizer_gets_a_plain_byte_level_decoder(teacher_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(teacher_folder, tmp_path / "m"))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.decoder = Sequence([ByteFallback(), Fuse(), Replace("▁", " "), ByteLevel()])
    tokenizer.save(str(folder / "tokenizer.json"))
    loaded = load_model(str(folder)).tokenizer
    assert json.loads(loaded.to_json())["decoder"]["type"] == "ByteLevel"
    assert loaded.decode(loaded.encode("Évora, 東京 ▁")) == "Évora, 東京 ▁"


def test_pickled_weights_are_refused(teacher_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(teacher_folder, tmp_path / "m"))
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(Refused, match="pickled") as caught:
        load_model(str(folder))
    assert caught.value.exit_code == 3


def test_remote_code_is_not_run(teacher_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(teacher_folder, tmp_path / "m"))
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "stranger", "auto_map": {"AutoConfig": "evil.C", "AutoModelForCausalLM": "evil.M"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(ModelError, match="can't be loaded"):
        load_model(str(folder))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "name",
    ["./nowhere", "/nowhere/model.gguf", "pkg:no_such_package/model.gguf", "pkg:pytest/none.gguf", "no-such/model"],
)
def test_a_model_that_is_not_there_is_an_error_with_a_next_step(name: str) -> None:
    with pytest.raises(ModelError) as caught:
        load_model(name)
    assert caught.value.next_step


def test_a_package_name_stays_inside_its_package() -> None:
    with pytest.raises(Refused, match="lead out"):
        resolve("pkg:pytest/../../secret.gguf")


def test_a_truncated_model_is_an_error(teacher_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(teacher_folder, tmp_path / "m"))
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(ModelError, match="can't be loaded"):
        load_model(str(folder))
