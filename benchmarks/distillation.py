"""Distilling beside itself: cached signals against the teacher at hand, and attar against the plain loop.

    python -m benchmarks.distillation [PAIRS] [SEQUENCES]    # 8 and 12 by default, half an hour on an idle machine

The teacher is the packaged one, the student half of its layers with the tokens of its data. Each figure is the time of
an epoch over the same few records, taken in turns with the other's; ratios have intervals (attar.pipeline.measurement).

- **Cached against online**: the same student, batches and steps; the cached epochs read what was captured before. What
  the capture itself takes is told beside it: it is paid once, by as many epochs as follow.
- **attar against the plain loop**: the loop that tutorials show, and what most trainers come to on a CPU: one question
  a sequence, in random order, padded to the longest of its batch, all in fp32, teacher online, full logits of both at
  every position, the loss masked. It trains the same student on the same samples by the same loss. Tokens are those of
  the samples as the plain loop reads them, prompt and answer each time, so the ratio is that of the samples per second.

Writes ``benchmarks/results/distillation.json`` and prints the same.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor

from attar.pipeline import DistillationLoss, ModelDistiller, StructuredDataLoader, load_config
from attar.pipeline.data.render import RenderedSample, render
from attar.pipeline.measurement.comparison import Comparison, compare_blocks, take_blocks
from attar.pipeline.student import teacher_tokens
from attar.pipeline.teacher.signals import CachedSignals, Signals, SignalSettings, SignalStore, capture, identity_of
from attar.pipeline.threads import yield_to_others
from attar.pipeline.training.batches import Packed, by_length, pack_all
from attar.pipeline.training.compiled import compiled_layers, pays
from attar.pipeline.training.distillation import Pair, distill
from attar.pipeline.training.loop import Schedule
from attar.pipeline.versions import installed_versions, this_machine

ROOT = Path(__file__).parent.parent
RESULT = ROOT / "benchmarks" / "results" / "distillation.json"
RATE = 1e-4
"""Low enough that hours of epochs over a few records do no harm."""
PLAIN_BATCH = 8
"""Sequences in a batch of the plain loop: about as many tokens as attar's batches have."""
PLAIN_SAMPLES = 32
"""What the plain loop is timed on: it takes long enough."""


@dataclass(frozen=True)
class Scene:
    """What is distilled, made once."""

    pair: Pair
    distiller: ModelDistiller
    sequences: list[Packed]

    @property
    def samples(self) -> list[RenderedSample]:
        return [sample for sequence in self.sequences for sample in sequence.samples]

    @property
    def sample_tokens(self) -> int:
        """Prompt and answer of each sample, as if it stood alone."""
        return sum(len(sample.prompt) + len(sample.answer) for sample in self.samples)


def scene(sequences: int) -> Scene:
    """The quickstart's recipe with a trimmed student, the teacher uncorrected, as many records as are asked for."""
    settings = ["distillation.student_vocabulary=data", "distillation.correction.steps=0"]
    config = load_config(ROOT / "configs" / "quickstart.json", settings)
    table = config.data.tables[0]
    loader = StructuredDataLoader(records_per_table=4 * sequences)
    loader.load(table.path, label=table.label, entity=table.entity, columns=table.columns)
    samples = [sample for sample in loader.prepare_distillation_dataset() if sample.split == "train"]
    distiller = ModelDistiller(config.distillation)
    student, teacher = distiller.load_student_model(samples), distiller.teacher
    assert teacher is not None and distiller.body is not None
    pair = Pair.of(
        teacher.model,
        student.model,
        student.tokenizer.vocabulary_size,
        is_cut=True,
        layers=distiller.body.layers,
        tokens=teacher_tokens(teacher.tokenizer, student.tokenizer),
    )
    packed = pack_all(render(samples, student.tokenizer), config.distillation.questions_per_sequence)
    return Scene(pair, distiller, packed[:sequences])


def epoch(place: Scene, signals: Signals, seed: int = 0) -> float:
    """Seconds of one epoch of attar's own training."""
    config = place.distiller.config
    steps = len(list(by_length(place.sequences, config.batch_tokens)))
    started = time.perf_counter()
    distill(
        place.pair,
        place.distiller.loss,
        place.sequences,
        Schedule(steps, RATE),
        alignment=0.0,
        batch_tokens=config.batch_tokens,
        precision=place.distiller.precision,
        seed=seed,
        signals=signals,
    )
    return time.perf_counter() - started


def captured(place: Scene, folder: Path) -> tuple[CachedSignals, dict[str, float]]:
    """Cached signals of all samples, and what taking them cost."""
    config, teacher = place.distiller.config, place.distiller.teacher
    assert teacher is not None
    online = place.pair.online_signals(place.distiller.precision, with_states=False)
    settings = SignalSettings(config.signal_kind, config.signal_tokens, place.distiller.loss.temperature)
    started = time.perf_counter()
    identity = identity_of(teacher.model, teacher.tokenizer, online.tokens, online.precision, settings)
    store = SignalStore(folder, identity)
    capture(online, place.sequences, store, settings, batch_tokens=config.batch_tokens)
    seconds = time.perf_counter() - started
    return CachedSignals(store, settings), {"seconds": seconds, "bytes_per_token": store.bytes_per_token}


class PlainLoop:
    """Distillation as one writes it down first."""

    def __init__(self, place: Scene) -> None:
        self._teacher, self._student = place.pair.teacher.eval(), place.pair.student.train()
        self._tokens, self._size = place.pair.tokens, place.pair.vocabulary_size
        self._loss = DistillationLoss(place.distiller.loss.temperature, place.distiller.loss.alpha)
        trained = [parameter for parameter in self._student.parameters() if parameter.requires_grad]
        self._optimizer = torch.optim.AdamW(trained, lr=RATE)
        self._trained = trained

    def epoch(self, samples: Sequence[RenderedSample]) -> float:
        """Seconds of one epoch."""
        started = time.perf_counter()
        for batch in self._batches(samples):
            self._step(batch)
        return time.perf_counter() - started

    def _batches(self, samples: Sequence[RenderedSample]) -> Iterator[list[RenderedSample]]:
        shuffled = random.Random(0).sample(samples, len(samples))
        for start in range(0, len(shuffled), PLAIN_BATCH):
            yield shuffled[start : start + PLAIN_BATCH]

    def _step(self, samples: Sequence[RenderedSample]) -> None:
        texts = [(*sample.prompt, *sample.answer) for sample in samples]
        longest = max(map(len, texts))
        ids = torch.tensor([[*text, *[0] * (longest - len(text))] for text in texts])
        real = torch.tensor([[1] * len(text) + [0] * (longest - len(text)) for text in texts])
        answers = torch.zeros(ids.shape, dtype=torch.bool)
        for row, sample in enumerate(samples):
            answers[row, len(sample.prompt) - 1 : len(texts[row]) - 1] = True
        with torch.no_grad():
            theirs = self._logits(self._teacher, ids if self._tokens is None else self._tokens[ids], real)
        ours = self._logits(self._student, ids, real)[..., : self._size]
        theirs = theirs[..., : self._size] if self._tokens is None else theirs[..., self._tokens]
        labels = ids.roll(-1, dims=1)
        every = self._loss.per_token(ours.flatten(0, 1), theirs.flatten(0, 1), labels.flatten())
        loss = (every * answers.flatten()).sum() / answers.sum()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._trained, 1.0)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)

    @staticmethod
    def _logits(model: Any, ids: Tensor, real: Tensor) -> Tensor:
        logits: Tensor = model(input_ids=ids, attention_mask=real, use_cache=False).logits
        return logits


def ratio(slow: Callable[[], float], fast: Callable[[], float], pairs: int, work: float = 1.0) -> Comparison:
    """How many times faster the second is; ``work`` is what it does in units of the first's."""
    fast()  # compiles
    slow()
    blocks = [(second, first) for first, second in take_blocks(slow, fast, pairs)]
    return compare_blocks([([one / work for one in first], second) for first, second in blocks])


def main(pairs: int, sequences: int) -> None:
    """Measure, print, and write."""
    torch.manual_seed(0)
    place = scene(sequences)
    student, config = place.pair.student, place.distiller.config
    compiles = pays(True, 0)
    found: dict[str, Any] = {
        "sequences": len(place.sequences),
        "samples": len(place.samples),
        "parameters": {
            name: sum(parameter.numel() for parameter in model.parameters())
            for name, model in (("teacher", place.pair.teacher), ("student", student))
        },
        "batch_tokens": config.batch_tokens,
        "precision": place.distiller.precision,
        "compiled": compiles,
    }
    online = place.pair.online_signals(place.distiller.precision, with_states=False)
    with TemporaryDirectory() as name:
        with compiled_layers(place.pair.teacher, student, when=compiles):
            cached, found["capture"] = captured(place, Path(name) / "signals")
            compared = ratio(lambda: epoch(place, online), lambda: epoch(place, cached), pairs)
        found["cached_against_online"] = compared.to_dict()
        plain, few = PlainLoop(place), place.samples[:PLAIN_SAMPLES]
        share = place.sample_tokens / sum(len(sample.prompt) + len(sample.answer) for sample in few)
        for kind, signals in (("online", online), ("cached", cached)):

            def fast(signals: Signals = signals) -> float:
                with compiled_layers(place.pair.teacher, student, when=compiles):
                    return epoch(place, signals)

            compared = ratio(lambda: plain.epoch(few), fast, pairs, share)
            found[f"attar_{kind}_against_plain_loop"] = compared.to_dict()
    found |= {"versions": installed_versions(), "machine": this_machine()}
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    yield_to_others()
    main(*(*map(int, sys.argv[1:]), *(8, 12)[len(sys.argv) - 1 :]))
