"""Moments of the inputs that layers meet."""

from __future__ import annotations

import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from attar.pipeline.export.calibration import input_moments

TEXTS = [[1, 2, 3, 4, 5], [7, 8, 9]]


def test_moments_are_the_mean_of_the_inputs_products() -> None:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=50, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2
    )
    model = LlamaForCausalLM(config).eval()
    seen: list[torch.Tensor] = []
    layer = model.model.layers[1].mlp.down_proj
    hook = layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0][0].detach()))
    with torch.no_grad():
        for text in TEXTS:
            model(torch.tensor([text]))
    hook.remove()
    rows = torch.cat(seen)
    moments = input_moments(model, TEXTS)
    assert np.allclose(moments[layer], (rows.T @ rows / len(rows)).numpy(), atol=1e-5)
    attention = model.model.layers[0].self_attn
    assert moments[attention.q_proj] is moments[attention.k_proj] is moments[attention.v_proj]
    assert model.lm_head not in moments
    assert not layer._forward_pre_hooks


def test_gpt2s_layers_are_seen_too() -> None:
    model = GPT2LMHeadModel(GPT2Config(vocab_size=50, n_embd=32, n_layer=2, n_head=2)).eval()
    moments = input_moments(model, TEXTS)
    assert {moments[layer.attn.c_attn].shape for layer in model.transformer.h} == {(32, 32)}
    assert moments[model.transformer.h[0].mlp.c_proj].shape == (128, 128)
