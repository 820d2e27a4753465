import pytest

from web import typography


@pytest.mark.parametrize(
    ("iso", "written"),
    [("2010", "2010"), ("2010-03", "mars 2010"), ("2010-03-01", "1er mars 2010"), (None, "")],
)
def test_dates_are_written_as_precisely_as_known(iso, written):
    assert typography.written_date(iso) == written


def test_numbers_and_plurals():
    assert typography.number(12345) == "12\u202f345"
    assert typography.counted(0, "notice") == "0\u00a0notice"
    assert typography.counted(2, "mot trouvé", "mots trouvés") == "2\u00a0mots trouvés"
    assert typography.written_size(1_440_000) == "1,4\u00a0Mo"


@pytest.mark.parametrize(
    ("plain", "spaced"),
    [
        ("Quoi ? Oui !", "Quoi\u202f? Oui\u202f!"),
        ("Thème : santé ; « mot »", "Thème\u00a0: santé\u202f; «\u00a0mot\u00a0»"),
        ("{{ a != b }} {{ x if y }}", "{{ a != b }} {{ x if y }}"),
        ("12:30 et http://x", "12:30 et http://x"),
    ],
)
def test_no_break_spaces_go_where_french_wants_them(plain, spaced):
    assert typography.spaced(plain) == spaced
