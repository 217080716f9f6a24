"""The fast graph against torch: every family, every form, every logit."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from attar.pipeline.export.calibration import input_moments
from attar.pipeline.export.fast import FORMS, build_fast, refusal
from attar.pipeline.export.reference import architecture_of
from attar.pipeline.export.rounding import restore_channels, round_blocks, round_channels
from attar.runtime.engine.session import Decoder, open_decoder
from attar.runtime.errors import ModelError

SHAPE: dict[str, Any] = {
    "vocab_size": 203,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "tie_word_embeddings": True,
    "initializer_range": 0.2,
}
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 4.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
GPT2 = {"vocab_size": 203, "n_embd": 64, "n_layer": 3, "n_head": 4, "n_positions": 256, "initializer_range": 0.2}


def llama(**changes: Any) -> PreTrainedModel:
    return LlamaForCausalLM(LlamaConfig(**SHAPE | changes))


MODELS: dict[str, Callable[[], PreTrainedModel]] = {
    "llama": llama,
    "one group": lambda: llama(num_key_value_heads=1),
    "a group a head": lambda: llama(num_key_value_heads=4),
    "untied": lambda: llama(tie_word_embeddings=False),
    "one layer": lambda: llama(num_hidden_layers=1),
    "biases": lambda: llama(attention_bias=True, mlp_bias=True),
    "wide heads": lambda: llama(head_dim=32),
    "no whole blocks": lambda: llama(hidden_size=48, num_attention_heads=3, num_key_value_heads=3),
    "stretched positions": lambda: llama(rope_scaling=LLAMA3),
    "mistral": lambda: MistralForCausalLM(MistralConfig(**SHAPE | {"sliding_window": None})),
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SHAPE)),
    "qwen3": lambda: Qwen3ForCausalLM(Qwen3Config(**SHAPE | {"head_dim": 16})),
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(**GPT2)),
}
IDS = torch.randint(0, 203, (150,), generator=torch.Generator().manual_seed(0)).tolist()


def make(name: str) -> PreTrainedModel:
    """A model whose every parameter is random, norms and biases too."""
    torch.manual_seed(1)
    model = MODELS[name]().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def load(model: PreTrainedModel, path: Path, form: str = "none") -> Decoder:
    return open_decoder(build_fast(model, path, form), architecture_of(model), "fast", threads=1)


def torchs(model: PreTrainedModel, ids: list[int]) -> np.ndarray:
    with torch.inference_mode():
        logits: np.ndarray = model(input_ids=torch.tensor([ids])).logits[0].numpy()
    return logits


@pytest.mark.parametrize("name", MODELS)
def test_every_logit_is_torchs(name: str, tmp_path: Path) -> None:
    model = make(name)
    decoder = load(model, tmp_path / "model.onnx")
    for length in (1, 2, 7, 150):
        found, _ = decoder.forward(IDS[:length], decoder.empty_cache(), logits_from=0)
        assert np.abs(found - torchs(model, IDS[:length])).max() < 1e-3


@pytest.mark.parametrize("name", ["llama", "one group", "qwen3", "gpt2"])
def test_reading_in_pieces_is_reading_at_once(name: str, tmp_path: Path) -> None:
    model = make(name)
    decoder = load(model, tmp_path / "model.onnx")
    cache, found = decoder.empty_cache(), []
    for start, end in ((0, 40), (40, 41), (41, 42), (42, 100), (100, 101), (101, 150)):
        logits, cache = decoder.forward(IDS[start:end], cache, logits_from=0)
        found.append(logits.copy())
    assert np.abs(np.concatenate(found) - torchs(model, IDS)).max() < 1e-3


def blocks(bits: int, block: int = 32) -> Callable[[np.ndarray], np.ndarray]:
    return lambda weight: round_blocks(weight, bits, wanted=block).restored()


def channels(weight: np.ndarray) -> np.ndarray:
    return restore_channels(*round_channels(weight))


def untouched(weight: np.ndarray) -> np.ndarray:
    return weight


READ_BACK = {
    "none": (untouched, untouched),
    "int8": (blocks(8), blocks(8)),
    "int4": (blocks(4), blocks(8)),
    "int8-dynamic": (channels, channels),
    "mixed": (blocks(8), blocks(4)),
    "mixed-dynamic": (channels, blocks(4)),
    "int4-all": (blocks(4, 64), blocks(4, 64)),
}


def rounded(model: PreTrainedModel, form: str) -> PreTrainedModel:
    """The model with its weights read back from a form."""
    model, (body, head) = copy.deepcopy(model), READ_BACK[form]
    vocabulary = {id(model.get_input_embeddings().weight), id(model.get_output_embeddings().weight)}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if id(parameter) in vocabulary:
                parameter.copy_(torch.from_numpy(head(parameter.numpy())))
            elif parameter.ndim == 2 and "wpe" not in name:
                turned = parameter.T if "c_" in name else parameter  # GPT-2 keeps its weights the other way round
                turned.copy_(torch.from_numpy(body(turned.contiguous().numpy())))
    return model


@pytest.mark.parametrize("name", ["llama", "untied", "biases", "qwen3", "gpt2"])
@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_its_rounded_weights(form: str, name: str, tmp_path: Path) -> None:
    model = make(name)
    decoder = load(model, tmp_path / "model.onnx", form)
    found, _ = decoder.forward(IDS, decoder.empty_cache(), logits_from=0)
    expected = torchs(rounded(model, form), IDS)
    error = np.linalg.norm(found - expected) / np.linalg.norm(expected)
    assert error < (1e-5 if form == "none" else 0.07)  # activations are rounded too


@pytest.mark.parametrize("name", ["llama", "biases", "gpt2"])
@pytest.mark.parametrize("form", FORMS)
def test_a_row_of_a_batch_is_what_it_is_alone(form: str, name: str, tmp_path: Path) -> None:
    decoder = load(make(name), tmp_path / "model.onnx", form)
    rows, prompts = decoder.rows(), [IDS[:40], IDS[40:41], IDS[3:120], IDS[50:70]]
    for row, prompt in enumerate(prompts):
        rows.add()
        rows.read(row, prompt)
    found = rows.step([7, 8, 9, 10])
    for row, prompt in enumerate(prompts):
        alone, _ = decoder.forward([7 + row], decoder.forward(prompt, decoder.empty_cache())[1])
        assert np.abs(found[row] - alone[0]).max() < 1e-4


def test_rows_of_zeros_stay_zeros_where_inputs_are_rounded(tmp_path: Path) -> None:
    model = make("llama")
    with torch.no_grad():
        model.get_input_embeddings().weight[5] = 0
    decoder = load(model, tmp_path / "model.onnx", "int8-dynamic")
    found, _ = decoder.forward([5, 9, 5], decoder.empty_cache(), logits_from=0)
    expected = torchs(rounded(model, "int8-dynamic"), [5, 9, 5])
    assert np.linalg.norm(found - expected) < 0.07 * np.linalg.norm(expected)


@pytest.mark.parametrize("name", ["llama", "biases", "qwen3", "gpt2", "no whole blocks"])
def test_4_bits_are_closer_to_torch_when_they_know_the_inputs(name: str, tmp_path: Path) -> None:
    model = make(name)
    texts = torch.randint(0, 203, (24, 64), generator=torch.Generator().manual_seed(5)).tolist()
    expected = torchs(model, IDS)
    errors = []
    for number, moments in enumerate((None, input_moments(model, texts))):
        path = build_fast(model, tmp_path / f"{number}.onnx", "int4", moments)
        decoder = open_decoder(path, architecture_of(model), "fast", threads=1)
        errors.append(np.linalg.norm(decoder.forward(IDS, decoder.empty_cache(), logits_from=0)[0] - expected))
    assert errors[1] < 0.95 * errors[0]


@pytest.mark.parametrize("form", FORMS)
def test_a_width_without_whole_blocks_has_every_form(form: str, tmp_path: Path) -> None:
    model = make("no whole blocks")
    decoder = load(model, tmp_path / "model.onnx", form)
    found, _ = decoder.forward(IDS, decoder.empty_cache(), logits_from=0)
    expected = torchs(rounded(model, form), IDS)
    assert np.linalg.norm(found - expected) < 0.6 * np.linalg.norm(expected)  # the lookup is not rounded


@pytest.mark.parametrize("form", FORMS)
def test_a_tied_embedding_stands_in_the_file_once(form: str, tmp_path: Path) -> None:
    sizes = {}
    for name in ("llama", "untied"):
        build_fast(make(name), tmp_path / f"{name}.onnx", form)
        sizes[name] = (tmp_path / f"{name}.onnx.data").stat().st_size
    four, wide = 0.5 + 4.5 / 32, 0.5 + 4.5 / 64  # a scale and half a byte of zero for each block
    bits = {"none": 4, "mixed": four, "mixed-dynamic": four, "int4-all": wide, "int8-dynamic": 1 + 4 / 64}
    once = 203 * 64 * bits.get(form, 1 + 4 / 32)
    assert abs(sizes["untied"] - sizes["llama"] - once) < 3 * 4096  # weights begin on pages


@pytest.mark.parametrize(("name", "most"), [("llama", 10), ("qwen3", 17), ("gpt2", 8)])
def test_a_layer_is_a_handful_of_operators(name: str, most: int, tmp_path: Path) -> None:
    graph = onnx.load(build_fast(make(name), tmp_path / "model.onnx", "int8"), load_external_data=False).graph
    kinds = [node.op_type for node in graph.node]
    assert kinds.count("GroupQueryAttention") == 3
    assert len(kinds) <= 3 * most + 13
    assert not {"MatMul", "FusedMatMul", "Concat", "Softmax"} & set(kinds)


@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_every_head_has_a_sink_that_takes_nothing(name: str, tmp_path: Path) -> None:
    graph = onnx.load(build_fast(make(name), tmp_path / "model.onnx", "none"), load_external_data=False).graph
    stored = {
        tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer if not tensor.external_data
    }
    attentions = [node for node in graph.node if node.op_type == "GroupQueryAttention"]
    assert attentions
    for node in attentions:
        sink = stored[node.input[11]]
        assert (
            sink.dtype == np.float32
            and sink.shape == (onnx.helper.get_node_attr_value(node, "num_heads"),)
            and not np.exp(sink).any()
        )


@pytest.mark.parametrize(
    ("config", "why"),
    [
        (LlamaConfig(**SHAPE | {"hidden_act": "gelu"}), "activation is gelu"),
        (LlamaConfig(**SHAPE | {"rope_scaling": {"rope_type": "dynamic", "factor": 2.0}}), "'dynamic'"),
        (MistralConfig(**SHAPE | {"sliding_window": 128}), "window of 128"),
        (GPT2Config(activation_function="relu"), "activation is relu"),
        (GPT2Config(scale_attn_by_inverse_layer_idx=True), "scaled otherwise"),
    ],
)
def test_what_the_graph_cannot_express_is_named(config: Any, why: str) -> None:
    assert why in (refusal(config) or "")


def test_head_sizes_that_the_operator_refuses_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="heads of size 24") as caught:
        build_fast(llama(hidden_size=96), tmp_path / "model.onnx", "none")
    assert "optimum" in (caught.value.next_step or "")
