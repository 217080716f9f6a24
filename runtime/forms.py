"""The forms of a bundle's graph: what each is best for, what it reads, and how far it is from torch.

A bundle holds one form, or several that share all their other files, each the best one measured for a use. Hands on
the form that a use asks for. Does not know files, or how a form is run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .errors import UsageError

__all__ = ["Form", "form_for", "listed", "shared_files", "uses_of"]


@dataclass(frozen=True)
class Form:
    """One form of the graph.

    Attributes:
        uses: What it is the best for: "latency", "throughput" or "size"; none where nobody asked.
        quantization: Its numeric form: "none", "int8" and so on.
        graph_file: Name of its ONNX graph.
        files: Names of all files that the graph is read from, itself and those that other forms read too.
        size: Bytes of these files.
        parity: How far each graph on the way to it is from torch, and it itself.
        limits: What parity it was held to.
        rejected: Form to why it was not taken for these uses.
    """

    uses: tuple[str, ...]
    quantization: str
    graph_file: str
    files: tuple[str, ...]
    size: int
    parity: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=dict)
    rejected: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Form:
        """What a manifest says of one of several; raises an error such as ``TypeError`` on anything else."""
        if not value["uses"]:
            raise ValueError("A form has no use.")
        return cls(**{**value, "uses": tuple(value["uses"]), "files": tuple(value["files"])})


def form_for(forms: Sequence[Form], use: str | None, where: object) -> Form:
    """The form for a use; None is the first.

    Raises:
        UsageError: There is none for it; it names the uses that there are forms for.
    """
    for form in forms:
        if use is None or use in form.uses:
            return form
    known = listed([f"{name} ({form.quantization})" for form in forms for name in form.uses])
    only = f"Its one form, {forms[0].quantization}, was made for no use in particular."
    raise UsageError(
        f"The bundle has no form for {use!r}.",
        where=where,
        why=f"It has one for {known}." if known else only,
        next_step=f"Leave the use out, or export the student again with --quantize auto --for {use}.",
    )


def shared_files(forms: Sequence[Form]) -> list[str]:
    """Names of the files with weights that more than one form reads."""
    count = Counter(name for form in forms for name in form.files)
    return [name for name, forms_that_read in count.items() if forms_that_read > 1]


def uses_of(wanted: object) -> tuple[str, ...]:
    """What the manifest of a form that chose itself says that it was chosen for: one word or several."""
    words = wanted if isinstance(wanted, list | tuple) else [wanted]
    return tuple(word for word in words if isinstance(word, str))


def listed(words: Sequence[str]) -> str:
    """Words as a sentence has them: "a, b and c"."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
