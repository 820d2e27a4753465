"""What of a record goes out, and to whom."""

from __future__ import annotations

import pytest

from kb.accounts import POLICY, Right, Role
from kb.records import ACCESS, Copy, Evidence, Page, Record, Subject
from kb.sharing import Audience, audience_of, audience_with, may_be_told, outward

PAGES = (Page(1, "Le texte du centre.", raw="Le t e x t e du centre."),)


def record(**fields) -> Record:
    subject = Subject(concept="https://exemple.fr/T1", evidence=(Evidence(1, 0, 8, "Le texte"),))
    return Record(id="a:1", title="Un titre", subjects=(subject,), **fields)


@pytest.mark.parametrize(
    ("access", "public", "network"),
    [("public", True, True), ("onsite", True, True), ("network", False, True), ("staff", False, False)],
)
def test_each_kind_of_access_goes_to_its_audience(access: str, public: bool, network: bool):
    told = audience_of(record(access=access))
    assert may_be_told(told, Audience.PUBLIC) is public
    assert may_be_told(told, Audience.NETWORK) is network


def test_every_kind_of_access_is_decided():
    assert all(audience_of(record(access=access)) in Audience for access in ACCESS)


def test_a_visitor_is_the_public_and_a_centre_the_network():
    assert audience_with(POLICY[Role.VISITOR]) is Audience.PUBLIC
    assert audience_with(POLICY[Role.CENTRE]) is Audience.NETWORK
    assert audience_with({Right.READ_STAFF}) is Audience.PUBLIC


def test_text_goes_out_without_what_it_was_before_cleaning():
    assert outward(record(), PAGES).pages == (Page(1, "Le texte du centre."),)


def test_what_is_read_on_the_spot_goes_out_as_a_notice_alone():
    shared = outward(record(access="onsite"), PAGES)
    assert shared.pages == ()
    assert [subject.evidence for subject in shared.record.subjects] == [()]
    assert shared.record.subjects[0].concept == "https://exemple.fr/T1"


@pytest.mark.parametrize(
    ("said", "kept"), [("/srv/depot/note.pdf", None), ("https://exemple.fr/n", "https://exemple.fr/n")]
)
def test_paths_of_this_machine_stay(said: str, kept: str | None):
    assert outward(record(source=said)).record.source == kept


def test_who_has_a_copy_at_home_is_not_told_nor_its_bar_code():
    copies = (Copy("JEU 1", "0012", "Salle", "lent"), Copy("JEU 2", "0013", None, "onsite"))
    told = outward(record(copies=copies)).record.copies
    assert told == (Copy("JEU 1", None, "Salle", "available"), Copy("JEU 2", None, None, "onsite"))


def test_what_goes_out_goes_on_unchanged():
    once = outward(record(copies=(Copy("JEU 1", "0012"),), source="/x"), PAGES)
    assert outward(once.record, once.pages) == once
