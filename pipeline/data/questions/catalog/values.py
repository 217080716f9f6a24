"""What the parameters of tools are filled with: values of the row, drawn ones, and texts that the splits don't share.

Some are in other scripts and with emoji. In training names and texts are put together from parts, in every script
that the test has, so that they have to be copied. Does not know tools.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Mapping
from typing import Any

from ...schema import written
from ..kind import Scene

__all__ = ["CHOICES", "VALUES", "schema_of"]

CHOICES: Mapping[str, tuple[str, ...]] = {
    "state": ("on", "off"),
    "size": ("small", "medium", "large"),
    "level": ("low", "medium", "high"),
    "format": ("pdf", "docx", "csv", "png"),
}
"""Fillers that are one of a few, which the definition lists."""

_TYPES = {"count": "integer", "few": "integer", "minutes": "integer", "percent": "integer", "degrees": "integer"}
_TYPES |= {"number": "number", "amount": "number"}


def schema_of(filler: str) -> dict[str, Any]:
    """The JSON Schema of what a filler gives."""
    if filler in CHOICES:
        return {"type": "string", "enum": list(CHOICES[filler])}
    return {"type": _TYPES.get(filler, "string")}


_PEOPLE = {
    "train": ("Anna", "Kofi Mensah", "Olga P.", "Mrs. Weiss", "Mum", "Aunt Rosa", "Jean-Luc", "Mr. O'Neill"),
    "test": ("Miriam", "Łukasz", "王芳", "Chidi Eze", "François", "佐藤さん"),
}
_FIRST = (
    "Ada", "Bruno", "Carla", "Dev", "Elif", "Farid", "Greta", "Hugo", "Inés", "Jonas", "Kaya", "Lena", "Mateo", "Nadia",
    "Omar", "Priya", "Quinn", "Rosa", "Sven", "Tara", "Umar", "Vera", "Wim", "Yuki", "Zara",
)  # fmt: skip
_MARKED = (
    "Åsa", "Bjørn", "Begoña", "Chloé", "Çelik", "Dağhan", "Émile", "Gonçalo", "Gülşen", "Håkan", "Jürgen", "Kateřina",
    "Małgorzata", "Núria", "Øyvind", "Paweł", "Šárka", "Søren", "Thérèse", "Władek", "Zoë", "Željko",
)  # fmt: skip
_LAST = (
    "Adler", "Bianchi", "Costa", "Dahl", "Evans", "Fischer", "García", "Haddad", "Ivanov", "Jensen", "Kowalski",
    "Lindgren", "Moreau", "Novák", "Okoye", "Petrov", "Quispe", "Rossi", "Sato", "Tanaka", "Ueda", "Vogel", "Yılmaz",
)  # fmt: skip
_NAMES: tuple[tuple[tuple[str, ...], ...], ...] = (
    (_FIRST,),
    (_MARKED,),
    (_FIRST, (" ",), _LAST),
    (_MARKED, (" ",), _LAST),
    (tuple("李张刘陈杨赵黄周吴徐"), ("娜", "伟", "敏", "静", "强", "磊", "艳", "杰", "秀英", "志明")),
    (("田中", "山本", "中村", "小林", "加藤", "吉田", "山田", "高橋"), ("さん", "様", "先生")),
    (tuple("김이박최정강조윤"), ("민준", "서연", "지우", "하은", "도윤", "수아")),
    (("Ольга ", "Иван ", "Мария ", "Никита "), ("Шевченко", "Бондаренко", "Лебедь", "Коваль")),
    (("Ελένη ", "Νίκος ", "Σοφία ", "Πέτρος "), ("Καρρά", "Λαμπράκη", "Μελά", "Γαλάνη")),
)
"""Names by their parts, which are drawn one by one."""
_TEXTS = {
    "train": ("see you at 8", "running 15 minutes late, sorry!", "happy birthday 🎂🥳", "room 4.12, second floor"),
    "test": (
        "meet me at gate 12 ✈️", "新しい住所をお知らせします", "don't forget the keys 🔑", "the total is 1,250.80",
        "下周见", 'call it "Plan B"',
    ),
}  # fmt: skip
_BEGINNINGS = (
    "we are going to", "please look at", "nobody told me about", "thanks for", "let's talk about", "I lost",
    "what about", "everything is fine with", "send me the list of", "it rained on", "they sold", "the key to",
)  # fmt: skip
_ENDS = ("", " tomorrow", " 🙂", " at noon", ", I think", " again!", " - no hurry", " (2 of 3)", " 👍", ", sí")
_QUOTING = ('{} said "yes"', 'write "{}" on it', 'they named it "{}"', 'it\'s "{}" now', 'under "{}" 📌')
_COUNTING = ("the sum is {:,.2f}", "it costs {:,} by now", "prices went up by {:.1f}%", "we need {:,.1f} in all")
_PHRASES: tuple[tuple[tuple[str, ...], ...], ...] = (
    (
        ("明天", "今天", "后天", "星期五", "早上"),
        ("我在", "请到", "别忘了", "我们去", "他不在"),
        ("车站", "机场", "学校", "办公室", "护照"),
    ),
    (
        ("来週の", "今日の", "昨日の", "次の", "古い"),
        ("会議", "予約", "荷物", "部屋", "写真"),
        ("は中止です", "をお願いします", "を忘れました", "は10時です"),
    ),
    (
        ("내일 ", "오늘 ", "주말에 ", "아침에 "),
        ("회의가", "약속이", "수업이", "기차가"),
        (" 있어요", " 취소됐어요", " 늦어요 👋"),
    ),
    (
        ("завтра ", "сегодня ", "вечером "),
        ("встреча", "поезд", "обед", "урок"),
        (" отменяется", " в девять", " уже скоро"),
    ),
)
"""Texts by their parts, in scripts of their own."""
_CODES = ("EUR", "USD", "JPY", "DKK", "GBP", "INR", "BRL", "CHF")
_LANGUAGES = (
    "Danish", "Japanese", "Spanish", "Swahili", "German", "Korean", "Hindi", "Polish", "Greek", "Arabic", "Welsh",
)  # fmt: skip
_ROOMS = (
    "kitchen", "bathroom", "hallway", "attic", "garage", "nursery", "cellar", "study", "guest room", "dining room",
)  # fmt: skip
_DEVICES = ("fan", "heater", "kettle", "television", "radio", "fountain", "projector", "dryer", "lamp", "humidifier")
_COLORS = ("red", "blue", "green", "violet", "orange", "turquoise", "pink", "amber", "white")
_PLACES = (
    "Oslo", "Nairobi", "Kyoto", "Lima", "Porto", "Tbilisi", "Québec", "Accra", "Łódź", "Perth", "Hanoi", "Tromsø",
    "San José", "Cork", "Basel", "Jaipur",
)  # fmt: skip
_UNITS = ("meters", "feet", "miles", "kilometers", "inches", "yards")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_FILES = ("report", "invoice", "holiday", "draft", "scan", "minutes", "budget", "photo", "thesis", "backup")
_ENDINGS = ("pdf", "txt", "jpg", "xlsx", "md", "zip")
_HOSTS = ("example.org", "mail.example.com", "post.example.net", "uni.example.edu")
_LONGEST_CELL = 60


def _cell(scene: Scene, rng: random.Random) -> str:
    """A value of the row, as text."""
    values = [value for _, value in scene.schema.facts_of(scene.row) if len(value) <= _LONGEST_CELL]
    return rng.choice(values) if values else scene.entity


def _number(scene: Scene, rng: random.Random) -> int | float:
    """A number of the row, or any; as it is written."""
    own = [value for value in scene.row.values() if isinstance(value, int | float) and not isinstance(value, bool)]
    exact = [value for value in own if written(value) == repr(value)]
    if exact and rng.random() < 0.5:
        return rng.choice(exact)
    return rng.randint(-999, 99_999) if rng.random() < 0.5 else _amount(scene, rng)


def _amount(scene: Scene, rng: random.Random) -> float:
    return (rng.randint(1, 99_999) * 10 + rng.randint(1, 9)) / 1000


def _person(scene: Scene, rng: random.Random) -> str:
    if scene.split == "train" and rng.random() < 0.9:
        return _joined(rng.choice(_NAMES), rng)
    return rng.choice(_PEOPLE[scene.split])


def _text(scene: Scene, rng: random.Random) -> str:
    if scene.split == "train" and rng.random() < 0.9:
        return rng.choice((_remark, _remark, _remark, _quoting, _counting, _phrase))(scene, rng)
    return rng.choice(_TEXTS[scene.split])


def _remark(scene: Scene, rng: random.Random) -> str:
    return f"{rng.choice(_BEGINNINGS)} {_subject(scene, rng)}{rng.choice(_ENDS)}"


def _quoting(scene: Scene, rng: random.Random) -> str:
    return rng.choice(_QUOTING).format(_subject(scene, rng))


def _counting(scene: Scene, rng: random.Random) -> str:
    return rng.choice(_COUNTING).format(rng.randint(1000, 9_999_999) / rng.choice((1, 10, 100, 1000)))


def _phrase(scene: Scene, rng: random.Random) -> str:
    return _joined(rng.choice(_PHRASES), rng)


def _subject(scene: Scene, rng: random.Random) -> str:
    return _cell(scene, rng) if rng.random() < 0.6 else _person(scene, rng)


def _joined(parts: tuple[tuple[str, ...], ...], rng: random.Random) -> str:
    return "".join(map(rng.choice, parts))


def _date(scene: Scene, rng: random.Random) -> str:
    day = datetime.date(2024, 1, 1) + datetime.timedelta(days=rng.randrange(2000))
    return day.isoformat() if rng.random() < 0.5 else f"{day.day} {_MONTHS[day.month - 1]}"


def _email(scene: Scene, rng: random.Random) -> str:
    name = rng.choice([name for name in _FIRST if name.isascii()]).lower()
    return f"{name}{rng.choice(('.', '_', ''))}{rng.randint(1, 99)}@{rng.choice(_HOSTS)}"


def _phone(scene: Scene, rng: random.Random) -> str:
    return f"+{rng.randint(1, 98)} {rng.randint(10, 999)} {rng.randint(100, 999)} {rng.randint(10, 9999)}"


def _reference(scene: Scene, rng: random.Random) -> str:
    letters = "".join(rng.choice("ABCDEFGHKLMNPRSTUVWXZ") for _ in range(rng.randint(2, 3)))
    return f"{letters}{rng.choice(('-', '', ' '))}{rng.randint(10, 99_999)}"


def _file(scene: Scene, rng: random.Random) -> str:
    return f"{rng.choice(_FILES)}{rng.choice(('_', '-', ''))}{rng.randint(1, 99)}.{rng.choice(_ENDINGS)}"


def _one_of(values: tuple[str, ...]) -> Callable[[Scene, random.Random], str]:
    return lambda scene, rng: rng.choice(values)


VALUES: Mapping[str, Callable[[Scene, random.Random], Any]] = {
    "entity": lambda scene, rng: scene.entity,
    "cell": _cell,
    "person": _person,
    "text": _text,
    "code": _one_of(_CODES),
    "language": _one_of(_LANGUAGES),
    "count": lambda scene, rng: rng.randint(2, 250),
    "few": lambda scene, rng: rng.randint(2, 12),
    "minutes": lambda scene, rng: rng.randint(2, 120),
    "percent": lambda scene, rng: rng.randint(1, 100),
    "degrees": lambda scene, rng: rng.randint(-20, 250),
    "number": _number,
    "amount": _amount,
    "date": _date,
    "clock": lambda scene, rng: f"{rng.randrange(24)}:{rng.randrange(60):02}",
    "email": _email,
    "phone": _phone,
    "reference": _reference,
    "file": _file,
    "room": _one_of(_ROOMS),
    "device": _one_of(_DEVICES),
    "color": _one_of(_COLORS),
    "place": _one_of(_PLACES),
    "unit": _one_of(_UNITS),
    "day": _one_of(_DAYS),
    **{name: _one_of(values) for name, values in CHOICES.items()},
}
"""What a parameter is filled with, to how it is drawn."""
