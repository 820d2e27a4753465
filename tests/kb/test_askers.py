"""The persons who ask: met again by their address, looked for, and never more kept than was given."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kb.askers import Askers
from kb.connection import Database
from kb.errors import InvalidValue, NotFound
from kb.traces import Traces

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)


@pytest.fixture
def askers(database: Database) -> Askers:
    return Askers(database)


def test_nobody_is_kept_when_nothing_is_given(askers: Askers) -> None:
    assert askers.known(" ", "", "  ") is None


def test_a_person_is_met_again_by_the_address_however_typed(askers: Askers) -> None:
    id = askers.known("Rose.Zephir@Exemple.fr", "Rose  Zéphir", now=NOW)
    assert id is not None
    assert askers.known(" rose.zephir@exemple.fr ") == id
    held = askers.get(id)
    assert (held.email, held.name, held.phone) == ("rose.zephir@exemple.fr", "Rose Zéphir", None)
    assert held.created == NOW


def test_what_was_not_known_is_filled_and_nothing_replaced(askers: Askers) -> None:
    id = askers.known("a@exemple.fr", "Ada")
    assert askers.known("a@exemple.fr", "Quelqu’un d’autre", "0696 00 00 01") == id
    held = askers.get(id or 0)
    assert (held.name, held.phone) == ("Ada", "0696 00 00 01")


def test_without_an_address_the_same_name_is_another_person(askers: Askers) -> None:
    assert askers.known(name="Rose Zéphir") != askers.known(name="Rose Zéphir")


@pytest.mark.parametrize(
    ("given", "field"), [({"email": "pas une adresse"}, "email"), ({"phone": "12"}, "phone")]
)
def test_what_cannot_be_is_refused_and_nobody_kept(askers: Askers, given: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        askers.known(**given, name="Rose")
    assert raised.value.field == field
    assert askers.like("rose", 5) == ()


def test_persons_are_looked_for_by_address_or_by_parts_of_their_name(askers: Askers) -> None:
    one = askers.known("z@exemple.fr", "Rose Zéphir")
    two = askers.known("", "Léon Zéphir")
    found = lambda text: [who.id for who in askers.like(text, 10)]  # noqa: E731
    assert found("ZEPHIR") == [two, one]
    assert found("zephir rose") == [one]
    assert found("Z@exemple.FR") == [one]
    assert found("exemple.fr") == found("  ") == []
    assert len(askers.like("zephir", 1)) == 1


def test_a_person_who_is_not_there_is_not_found(askers: Askers) -> None:
    with pytest.raises(NotFound):
        askers.get(12)
    assert askers.by_email("z@exemple.fr") is None
    assert askers.by_email("z@") is None


# -- what they leave in texts


@pytest.fixture
def traces(askers: Askers) -> Traces:
    id = askers.known("rose.zephir@exemple.fr", "Mme Rose-Marie Zéphir de Ly", "+596 696 12 34 56")
    return Traces(askers.get(id or 0))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Écrivez à ROSE.ZEPHIR@exemple.fr.", "Écrivez à [courriel]."),
        ("Tél. 0696123456 ou 0696.12.34.56", "Tél. [téléphone] ou [téléphone]"),
        ("+596 (0)696 12-34-56, merci", "[téléphone], merci"),
        ("Bonjour Madame ZÉPHIR,", "Bonjour Madame [nom],"),
        ("l’association Zephir-Marie", "l’association [nom]"),
        ("D’après Zéphir, oui", "D’après [nom], oui"),
        ("d'Zéphir", "d'[nom]"),
        ("un jardin de roses, une rose", "un jardin de roses, une rose"),
        ("Rose", "[nom]"),
        ("le prix de 1696123456789", "le prix de 1696123456789"),
        ("Monsieur de la Mme", "Monsieur de la Mme"),
    ],
)
def test_a_known_person_is_taken_out_of_a_text(traces: Traces, text: str, left: str) -> None:
    assert traces.removed(text) == left
    assert traces.stand_in(text) == (text != left)


def test_somebody_of_whom_only_an_address_is_known_leaves_words_alone(askers: Askers) -> None:
    id = askers.known("rose@exemple.fr")
    assert Traces(askers.get(id or 0)).removed("Rose, rose@exemple.fr") == "Rose, [courriel]"
