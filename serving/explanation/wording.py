"""Write one effect as a sentence that a merchandiser understands, in English and in Chinese."""

from __future__ import annotations

from typing import Final

import msgspec

from serving.explanation.phrases import FAMILIES, PHRASES, Form, Phrase

MINUS: Final = "\N{MINUS SIGN}"
SAME: Final = 0.005
"""Ratios nearer to 1 than this are written as equal."""
MANY_TIMES: Final = 3.0
"""Ratios from here on are written as so many times."""
_DECIMALS: Final = {
    **dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""Decimals of the currencies that haven't two (ISO 4217)."""


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """One statement in both languages."""

    en: str
    zh: str


def describe_effect(
    name: str, value: float | None, usual: float | None, *, currency: str, points: float
) -> Words:
    """Return what an input is, what is usual, and how many points it adds; None is unknown."""
    phrase = PHRASES[name]
    match phrase.form:
        case Form.FACT:
            english, chinese = phrase.english, phrase.chinese
        case Form.RELATIVE:
            english, chinese = _compare(phrase, value)
        case _:
            english, chinese = _state(phrase, value, usual, currency)
    return _add_points(english, chinese, points)


def describe_family(family: str, *, points: float) -> Words:
    """Return how many points a family adds."""
    english, chinese = FAMILIES[family]
    return _add_points(english, chinese, points)


def _add_points(english: str, chinese: str, points: float) -> Words:
    signed = f"{points:+.1f}".replace("-", MINUS)
    return Words(
        en=f"{english}: {signed} points",
        zh=f"{chinese}：{signed} 个百分点",
    )


def _state(
    phrase: Phrase, value: float | None, usual: float | None, currency: str
) -> tuple[str, str]:
    english, chinese = f"{phrase.english} ", f"{phrase.chinese} "
    english += "unknown" if value is None else _write(phrase.form, value, currency, "en")
    chinese += "未知" if value is None else _write(phrase.form, value, currency, "zh")
    if usual is not None:
        english += f" (usual {_write(phrase.form, usual, currency, 'en')})"
        chinese += f"（通常 {_write(phrase.form, usual, currency, 'zh')}）"
    return english, chinese


def _compare(phrase: Phrase, ratio: float | None) -> tuple[str, str]:
    if ratio is None:
        return (
            f"{phrase.english} not comparable with {phrase.english_base}",
            f"{phrase.chinese}无法与{phrase.chinese_base}比较",
        )
    if abs(ratio - 1) < SAME:
        return (
            f"{phrase.english} equal to {phrase.english_base}",
            f"{phrase.chinese}与{phrase.chinese_base}持平",
        )
    if ratio >= MANY_TIMES:
        return (
            f"{phrase.english} {ratio:,.1f} times {phrase.english_base}",
            f"{phrase.chinese}为{phrase.chinese_base}的 {ratio:,.1f} 倍",
        )
    percent = f"{abs(ratio - 1):.0%}".replace("%", " %")
    side, chinese_side = ("above", "高") if ratio > 1 else ("below", "低")
    return (
        f"{phrase.english} {percent} {side} {phrase.english_base}",
        f"{phrase.chinese}比{phrase.chinese_base}{chinese_side} {percent.replace(' ', '')}",
    )


def _write(form: Form, value: float, currency: str, language: str) -> str:
    match form:
        case Form.SHARE:
            return f"{100 * value:.3g} %" if language == "en" else f"{100 * value:.3g}%"
        case Form.DAYS:
            unit = "天" if language == "zh" else "day" if value == 1 else "days"
            return f"{_write_number(value)} {unit}"
        case Form.MONEY:
            decimals = _DECIMALS.get(currency, 2)
            return f"{value / 10**decimals:,.{decimals}f} {currency}"
        case Form.YES_NO:
            yes, no = ("是", "否") if language == "zh" else ("yes", "no")
            return yes if value else no
        case _:
            return _write_number(value)


def _write_number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits
