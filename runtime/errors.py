"""The one exception tree of attar, for the pipeline and the runtime alike.

    AttarError                    exit code
    ├── CheckFailed                   1      something was measured and fell short
    │   ├── MachineError                     this machine lacks what is needed
    │   ├── OutOfSpace                       the disk is full
    │   ├── ParityError                      two forms of one model disagree
    │   └── TooLittleMemory                  a training can't fit
    ├── UsageError                    2      the call itself is wrong
    │   ├── ConfigError                      a config has a wrong key or value
    │   └── MissingExtra                     the verb needs an extra that is not installed
    ├── Refused                       3      it could be done, but must not
    ├── DataError                     4      a table can't be read or used
    └── ArtifactError                 5      a model or bundle is broken
        ├── BundleError                      a bundle is not what its manifest says
        ├── ModelError                       a model folder, file or name can't be loaded
        ├── SignalError                      cached signals are damaged, or of another teacher
        └── TokenizerMismatch                teacher and student read text differently

Every error says what is wrong, where, why, and what to do next. Nothing here knows how it is printed.
"""

from __future__ import annotations

__all__ = [
    "ArtifactError",
    "AttarError",
    "BundleError",
    "CheckFailed",
    "ConfigError",
    "DataError",
    "MachineError",
    "MissingExtra",
    "ModelError",
    "OutOfSpace",
    "ParityError",
    "Refused",
    "SignalError",
    "TokenizerMismatch",
    "TooLittleMemory",
    "UsageError",
]


class AttarError(Exception):
    """Base of all errors that a user can cause or mend.

    Args:
        what: What is wrong, in one sentence.
        where: The file, config key or command it is about.
        why: The cause, where it is known.
        next_step: What the reader can do about it.
    """

    exit_code = 1

    def __init__(
        self,
        what: str,
        *,
        where: object = None,
        why: object = None,
        next_step: str | None = None,
    ) -> None:
        self.what = what
        self.where = None if where is None else str(where)
        self.why = None if why is None else str(why)
        self.next_step = next_step
        super().__init__(what)

    def __str__(self) -> str:
        labelled = (("where", self.where), ("why", self.why), ("next", self.next_step))
        return "\n".join([self.what, *(f"  {label}: {text}" for label, text in labelled if text)])

    def to_dict(self) -> dict[str, str | int | None]:
        """The same, for ``--json``."""
        return {
            "error": type(self).__name__,
            "what": self.what,
            "where": self.where,
            "why": self.why,
            "next": self.next_step,
            "exit_code": self.exit_code,
        }


class CheckFailed(AttarError):
    """Something was measured and fell short of its limit."""

    exit_code = 1


class MachineError(CheckFailed):
    """This machine lacks what is needed: instructions of its processor."""


class OutOfSpace(CheckFailed):
    """There is no room to write; what was finished is kept."""


class ParityError(CheckFailed):
    """Two forms of one model disagree by more than the tolerance."""


class TooLittleMemory(CheckFailed):
    """A training can't fit; it has not begun."""


class UsageError(AttarError):
    """The call itself is wrong: an option, an argument, a missing step before it."""

    exit_code = 2


class ConfigError(UsageError):
    """A config has an unknown key or a value it can't have."""


class MissingExtra(UsageError):
    """What was asked for needs packages that the base install does not bring."""


class Refused(AttarError):
    """It could be done, but would lose or endanger something: pickled weights, a folder in use."""

    exit_code = 3


class DataError(AttarError):
    """A table can't be read, or holds nothing that can be used."""

    exit_code = 4


class ArtifactError(AttarError):
    """A model or bundle is missing, broken or of the wrong kind."""

    exit_code = 5


class BundleError(ArtifactError):
    """A bundle is not what its manifest says: a changed byte, a missing or extra file, a link."""


class ModelError(ArtifactError):
    """A model folder, file or name can't be loaded."""


class SignalError(ArtifactError):
    """Cached signals are damaged, or of another teacher, tokenizer or setting, or not of all samples."""


class TokenizerMismatch(ArtifactError):
    """Teacher and student read text differently, so their logits can't be compared."""
