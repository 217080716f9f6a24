"""Texts by which an encoder's graphs are compared with torch: short and long, prose, records, code, and languages."""

from __future__ import annotations

__all__ = ["SENTENCES"]

_PARAGRAPH = (
    "The harbor was built in three stages. First a wooden pier was laid out for the herring boats; then, after the "
    "great storm, the town paid for a breakwater of granite blocks, each of which took a day to set; and at last the "
    "railway came, and with it cranes, warehouses and a customs house whose clock never told the right time. "
)

SENTENCES: tuple[str, ...] = (
    "hi",
    "Copenhagen",
    "yes, please",
    "What is the capital of Denmark?",
    "Copenhagen is the capital of Denmark.",
    "The capital of Denmark is not Aarhus.",
    "How many people live in Norway?",
    "Norway has about five and a half million inhabitants.",
    "Which airport is closest to Bergen?",
    "A cat sat on the mat and watched the rain.",
    "The kitten is looking out of the window at the wet street.",
    "Stock markets fell sharply after the central bank raised interest rates.",
    "Share prices dropped when borrowing became more expensive.",
    "Preheat the oven to 180 degrees and butter a round tin.",
    "The patient should take one tablet twice a day with food.",
    "Photosynthesis turns light, water and carbon dioxide into sugar and oxygen.",
    "Gold has the atomic number 79 and melts at 1064.18 degrees Celsius.",
    "Country: Denmark\ncapital: Copenhagen\npopulation: 5655750\narea: 42933\nregion: Europe",
    "Country: Norway\ncapital: Oslo\npopulation: 5379475\narea: 323802\nregion: Europe",
    "name: Chicago O'Hare; code: ORD; city: Chicago; state: IL; latitude: 41.97; longitude: -87.90",
    "2024-03-17T08:15:00Z ERROR payment-service: timeout after 30000 ms (order 88213)",
    "def area(radius: float) -> float:\n    return 3.14159 * radius ** 2",
    "SELECT name, population FROM city WHERE country = 'DK' ORDER BY population DESC LIMIT 10;",
    "Der Zug nach Hamburg hat zwanzig Minuten Verspätung.",
    "El tren a Sevilla sale a las ocho y media.",
    "Le musée est fermé le mardi.",
    "東京は日本の首都です。",
    "Москва — столица России.",
    "THIS IS WRITTEN IN CAPITALS!!! why, though?",
    "1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144",
    _PARAGRAPH,
    _PARAGRAPH * 6,
)
