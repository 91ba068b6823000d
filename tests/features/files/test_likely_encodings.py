"""The encoding of a short text: the right one, the right one and another, or none: never wrong."""

from __future__ import annotations

import pytest

from features.files.likely_encodings import guess_encodings


@pytest.mark.parametrize(
    ("codec", "text", "named"),
    [
        ("gb18030", "连衣裙夏季新款", 1),
        ("gb18030", "手机壳", 2),
        ("big5", "連衣裙夏季新款", 1),
        ("big5", "手機殼", 2),
        ("cp932", "卓上ランプ", 1),
        ("cp932", "携帯電話ケース", 1),
        ("euc_jp", "卓上ランプ", 1),
        ("euc_jp", "スマホケース", 1),
        ("cp949", "램프 스탠드", 2),
        ("cp949", "휴대폰 케이스", 2),
        ("cp874", "เคสมือถือ", 1),
        ("cp874", "โคมไฟตั้งโต๊ะ", 1),
        ("cp1250", "Żarówka łóżko", 1),
        ("cp1250", "Příliš žluťoučký kůň", 1),
        ("cp1251", "Лампа настольная", 1),
        ("cp1251", "ЛАМПА", 1),
        ("cp1252", "Größe, Fuß", 1),
        ("cp1252", "Crème brûlée", 2),
        ("cp1252", "Mug £5, bowl £6, £7 and £8", 1),
        ("cp1253", "Επιτραπέζιο φωτιστικό", 2),
        ("cp1253", "θήκη κινητού", 2),
        ("cp1255", "מנורת שולחן", 2),
        ("cp1255", "כיסוי לטלפון", 0),
        ("cp1256", "مصباح مكتب", 1),
        ("cp1256", "حافظة هاتف", 2),
        ("cp949", "램프", 0),
        ("gb18030", "灯", 0),
        ("cp1252", "Crème", 0),
        ("cp932", "ﾃｽﾄ", 0),
        ("koi8_r", "Лампа настольная", 0),
    ],
)
def test_encoding_of_a_short_text_is_named_or_left_open(codec: str, text: str, named: int) -> None:
    likely = guess_encodings(f"1,{text},9\n2,a,8\n".encode(codec))
    assert len(likely) == named
    assert (codec in [encoding.codec for encoding in likely]) == bool(named)
