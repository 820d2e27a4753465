"""Telling that two notices of different centres describe one work."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.notices import read_notice, same_person
from ingest.same_work import AGAINST, MOST_MARKS, groups, likeness, marks, same
from ingest.title_words import overlap, read_title, stands_for
from kb.records import TYPES, Agent, File, Record

_NUMBERS = itertools.count(1)
ISBN, OTHER_ISBN = {"isbn": "9782070612390"}, {"isbn": "9782130608127"}


def notice(title: str, date: str | None = None, agents: str = "", **fields: Any) -> Record:
    """A record; agents are "Family, Given; * Body"."""
    names = [name.strip() for name in agents.split(";") if name.strip()]
    found = tuple(Agent(n[1:].strip(), kind="body") if n[0] == "*" else Agent(n) for n in names)
    fields.setdefault("type", "rapport")
    return Record(id=f"centre:{next(_NUMBERS)}", title=title, date=date, agents=found, **fields)


def file(sha256: str) -> tuple[File, ...]:
    return (File(sha256=sha256, name="a.pdf", media_type="application/pdf", size=1),)


ONE_WORK = {
    "article at the end, no subtitle, names the other way": (
        notice(
            "La participation à l'épreuve du renouvellement", "2014", "Lefranc, Corinne", subtitle="récit"
        ),
        notice("Participation à l’épreuve du renouvellement (La)", "2014", "Corinne Lefranc", type="ouvrage"),
    ),
    "capitals without accents, subtitle in the title, acronym of the body": (
        notice(
            "Les adultes-relais dans les quartiers",
            "2009",
            "* Agence nationale pour la cohésion sociale et l'égalité des chances",
            subtitle="bilan d'un dispositif de médiation",
        ),
        notice(
            "LES ADULTES RELAIS DANS LES QUARTIERS : BILAN D'UN DISPOSITIF DE MEDIATION", "2009", "* ACSE"
        ),
    ),
    "ISBN of ten digits, no year": (
        notice("Quartiers populaires, quartiers politiques", "2006", "Masclet, Olivier", identifiers=ISBN),
        notice("Quartiers populaires : quartiers politiques", identifiers={"isbn": "2070612392"}),
    ),
    "acronym in the title": (
        notice("Contrat urbain de cohésion sociale de Sarcelles", "2010", "* Ville de Sarcelles"),
        notice("Le CUCS de Sarcelles", "2010", "* Mairie de Sarcelles"),
    ),
    "next year, initials, authors in another order": (
        notice("Femmes et espaces publics", "2016", "Raibaud, Yves; Coutras, Jacqueline"),
        notice("Femmes et espaces publics", "2017", "Coutras, J.; Raibaud, Y.", extent="144 p."),
    ),
    "spelt number, acronym of a body": (
        notice(
            "Dix ans de rénovation urbaine", "2014", "* Union sociale pour l'habitat", subtitle="un bilan"
        ),
        notice("10 ans de rénovation urbaine : un bilan", "2014", "* USH"),
    ),
    "slips of the pen, subtitle on one side": (
        notice("Accompagner les projets d'habitants", "2018", "Moreau, Isabelle"),
        notice("Acompagner les projets d'habitants : méthode et outils", "2018", "Moreau, Isabele"),
    ),
    "long title that was cut, no author": (
        notice(
            "La santé dans les quartiers : ateliers santé ville, contrats locaux de santé et pratiques",
            "2019",
        ),
        notice("La santé dans les quartiers : ateliers santé ville, contrats loc...", "2019"),
    ),
    "parallel title": (
        notice("Living together = Vivre ensemble", "2011", "Smith, Ann", language="en"),
        notice("Vivre ensemble", "2011", "Smith, Ann", language="fr"),
    ),
    "Roman number of a tome": (
        notice("Rencontres régionales de la ville, tome II", "2010", "* Ville Caraïbe", type="actes"),
        notice("Rencontres régionales de la ville. T. 2", "2010", "* Ville caraibe", type="actes"),
    ),
    "number of an issue in the title": (
        notice("Lettre de la rénovation urbaine n° 14", "2012-05", "* GIP Grand Projet", type="lettre"),
        notice("Lettre de la rénovation urbaine", "2012", "* GIP Grand Projet", type="lettre", issue="14"),
    ),
    "statement of responsibility in the title": (
        notice(
            "Médiation sociale et tranquillité", "2013", "Barthélemy, Fabrice", subtitle="rapport au ministre"
        ),
        notice(
            "Médiation sociale et tranquillité : rapport au Ministre / Fabrice Barthélémy ; [préf. de X]",
            "2013",
        ),
    ),
    "year of the report in one title": (
        notice("Rapport d'activité 2014", "2015", "* Mission locale Espace Sud"),
        notice("Rapport d’activité", "2015", "* Mission locale Espace Sud (Martinique)"),
    ),
    "name of the body in one title": (
        notice("Rapport d'activité 2014", "2015", "* Mission locale Espace Sud"),
        notice("Mission locale Espace Sud : rapport d'activité 2014", "2015", "* Mission locale Espace Sud"),
    ),
    "kind of support, abbreviations": (
        notice("Développement social et habitat [Ressource électronique]", "2007", "Kokoreff, Michel"),
        notice("Dév. social & habitat", "2007", "KOKOREFF Michel", type="document"),
    ),
    "compound written apart": (
        notice("Violences conjugales en outremer", "2017", "* Conseil économique, social et environnemental"),
        notice(
            "Violences conjugales en outre-mer",
            "2017-03-28",
            "* Conseil économique, social et environnemental",
        ),
    ),
    "review with other first years": (
        notice("Médiations urbaines", "1990", "* Profession Banlieue", type="periodique"),
        notice("Médiations urbaines", "1994", "* Profession Banlieue", type="periodique"),
    ),
    "DOI in two forms": (
        notice("Vieillir en quartier", "2019", type="article", identifiers={"doi": "10.1000/abc"}),
        notice("Vieillir au quartier", type="article", identifiers={"doi": "https://doi.org/10.1000/ABC"}),
    ),
    "one file, a title that the file itself gave": (
        notice("Diagnostic de Ducos", "2010", files=file("ab" * 32)),
        notice("diag_v3_def", type="document", files=file("ab" * 32)),
    ),
}

TWO_WORKS = {
    "next year of an annual": (
        notice("Rapport d'activité 2014", "2015", "* Mission locale Espace Sud"),
        notice("Rapport d'activité 2015", "2015", "* Mission locale Espace Sud"),
    ),
    "next year of a body, title without a number": (
        notice("Atlas des quartiers prioritaires", "2012", "* Ville Caraïbe", extent="64 p."),
        notice("Atlas des quartiers prioritaires", "2013", "* Ville Caraïbe", extent="64 p."),
    ),
    "other commune, same body": (
        notice("Évaluation du programme de réussite du François", "2012", "* Cabinet Isis"),
        notice("Évaluation du programme de réussite du Marin", "2012", "* Cabinet Isis"),
    ),
    "communes that differ by one letter": (
        notice("Contrat de ville de Mantes", "2015", type="convention"),
        notice("Contrat de ville de Nantes", "2015", type="convention"),
    ),
    "other commune although the body is the first one's": (
        notice("Diagnostic de Ducos", "2015", "* Ville de Ducos"),
        notice("Diagnostic du Robert", "2015", "* Ville de Ducos"),
    ),
    "other body, same generic title": (
        notice("Actes du séminaire", "2012", "* Profession Banlieue", type="actes", publisher="Presses"),
        notice("Actes du séminaire", "2012", "* Réseau Amadeus", type="actes", publisher="Presses"),
    ),
    "thesis and book": (
        notice("La prévention spécialisée en quartier", "2003", "Duret, Anne", type="these"),
        notice("La prévention spécialisée en quartier", "2003", "Duret, Anne", type="ouvrage"),
    ),
    "second edition": (
        notice("Guide de la gestion urbaine de proximité", "2006", "* ANRU", type="guide"),
        notice("Guide de la gestion urbaine de proximité, 2e édition", "2006", "* ANRU", type="guide"),
    ),
    "edition that is not told": (
        notice("Guide de la gestion urbaine de proximité", "2006", "* ANRU", type="guide"),
        notice("Guide de la gestion urbaine de proximité", "2011", "* ANRU", type="guide"),
    ),
    "next issue": (
        notice("Diversité", "2011", "* CNDP", type="numero", issue="164"),
        notice("Diversité", "2011", "* CNDP", type="numero", issue="n° 165"),
    ),
    "next tome": (
        notice("Ségrégation urbaine, tome 1", "2008", "Lehman, Paul", type="ouvrage", identifiers=ISBN),
        notice("Ségrégation urbaine, tome II", "2008", "Lehman, Paul", type="ouvrage", identifiers=ISBN),
    ),
    "tome and whole": (
        notice("Deux regards sur la ville", "2008", "Lehman, Paul", type="ouvrage"),
        notice("Deux regards sur la ville. Vol. 2", "2008", "Lehman, Paul", type="ouvrage"),
    ),
    "chapter and book": (
        notice("Ségrégation urbaine", "2008", "Lehman, Paul", type="ouvrage", identifiers=ISBN),
        notice("Ségrégation urbaine", "2008", "Lehman, Paul", type="chapitre", identifiers=ISBN),
    ),
    "translation": (
        notice("Banlieues, villes nouvelles", "2011", "Smith, Ann", language="en"),
        notice("Banlieues, villes nouvelles", "2011", "Smith, Ann", language="fr"),
    ),
    "other authors": (
        notice("Jeunes et quartiers populaires", "2010", "Costa, Nadia", type="ouvrage"),
        notice("Jeunes et quartiers populaires", "2010", "Girard, Luc", type="ouvrage"),
    ),
    "short title alone": (
        notice("Politique de la ville", "2010"),
        notice("La politique de la ville", "2010"),
    ),
    "other day of meeting": (
        notice("Compte rendu du comité de pilotage", "2011-03-14", "* Ville du Robert", type="compte-rendu"),
        notice("Compte rendu du comité de pilotage", "2011-09-22", "* Ville du Robert", type="compte-rendu"),
    ),
    "other month": (
        notice("Lettre de la ville, juin 2012", "2012", "* Préfecture de Guyane", type="lettre"),
        notice("Lettre de la ville, octobre 2012", "2012", "* Préfecture de Guyane", type="lettre"),
    ),
    "report and its summary": (
        notice("L'étude sur le commerce à Dillon", "2012", "* Cabinet Sémaphores"),
        notice("L'étude sur le commerce à Dillon : synthèse", "2012", "* Cabinet Sémaphores"),
    ),
    "question and guide": (
        notice("Qu'est-ce qu'un conseil citoyen ?", "2015", "* Ville Caraïbe", type="question"),
        notice("Qu'est-ce qu'un conseil citoyen ?", "2015", "* Ville Caraïbe", type="guide"),
    ),
    "ISBN given to two works": (
        notice("Lutter contre les discriminations", "2010", "* HALDE", identifiers=ISBN),
        notice("Rénover les copropriétés dégradées", "2010", "* ANAH", identifiers=ISBN),
    ),
    "two of one collection with numbers": (
        notice("Portrait de quartier", "2014", "* ADDUAM", series="Portraits", issue="3"),
        notice("Portrait de quartier", "2014", "* ADDUAM", series="Portraits", issue="5"),
    ),
    "reviews of one title in two places": (
        notice("4 pages (Noisy-le-Grand)", "1994", type="periodique", publisher="Centre d'études"),
        notice("4 pages (Paris)", "1994", type="periodique", publisher="Centre d'études"),
    ),
    "words that differ by a letter, one by one": (
        notice("L'accès aux droits dans les quartiers", "2015", "* Odenore"),
        notice("L'accès aux soins dans les quartiers", "2015", "* Odenore"),
    ),
}


@pytest.mark.parametrize(("a", "b"), ONE_WORK.values(), ids=ONE_WORK)
def test_one_work_in_two_hands_is_one_and_shares_a_mark(a: Record, b: Record) -> None:
    found = likeness(a, b)
    assert found.same, found
    assert found.score >= 0.5
    assert marks(a) & marks(b)


@pytest.mark.parametrize(("a", "b"), TWO_WORKS.values(), ids=TWO_WORKS)
def test_neighbours_are_two_works(a: Record, b: Record) -> None:
    found = likeness(a, b)
    assert not found.same, found
    assert found.score < 0.5


@pytest.mark.parametrize(("a", "b"), [*ONE_WORK.values(), *TWO_WORKS.values()])
def test_the_order_of_two_notices_changes_nothing(a: Record, b: Record) -> None:
    assert likeness(a, b) == likeness(b, a)


def test_a_part_is_never_its_host() -> None:
    host = notice("Ségrégation urbaine", "2008", "Lehman, Paul")
    part = notice("Ségrégation urbaine", "2008", "Lehman, Paul", host=host.id)
    assert likeness(host, part).reason == "une partie et son tout"
    assert likeness(part, host).score <= AGAINST


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"identifiers": ISBN}, "même ISBN, même titre, même année, mêmes auteurs"),
        ({"extent": "64 p."}, "même titre, même année, mêmes auteurs, même nombre de pages"),
        ({}, "même titre, même année, mêmes auteurs"),
    ],
)
def test_the_reason_tells_what_is_the_same(fields: dict[str, Any], reason: str) -> None:
    a, b = (notice("Habiter la pente", "2012", "Pastel, Gilda", **fields) for _ in "ab")
    assert likeness(a, b).reason == reason


def test_what_is_lacking_joins_nothing_but_does_not_set_apart() -> None:
    a, b = notice("Jeunes"), notice("Jeunes", "2010", "Costa, Nadia")
    found = likeness(a, b)
    assert (found.same, found.reason) == (False, "trop peu d’indices communs")
    assert found.score > AGAINST


def test_other_isbn_weighs_against_but_leaves_paper_and_screen_together() -> None:
    a = notice("Habiter la pente créole", "2012", "Pastel, Gilda", identifiers=ISBN)
    b = notice("Habiter la pente créole", "2012", "Pastel, Gilda", identifiers=OTHER_ISBN)
    plain = notice("Habiter la pente créole", "2012", "Pastel, Gilda")
    assert same(a, b)
    assert likeness(a, b).score < likeness(a, plain).score


def test_a_body_is_the_author_here_and_the_publisher_there() -> None:
    a = notice("Rapport d'activité", "2012", "* Mission locale du Nord")
    assert same(a, notice("Rapport d'activité", "2012", publisher="Mission locale du Nord"))
    assert not same(a, notice("Rapport d'activité", "2012", publisher="Mission locale du Sud"))


# -- titles


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Les conseils de quartier au XXIe siècle", "Conseils de quartier au 21e siècle"),
        ("Quatre-vingt-dix-huit familles", "98 familles"),
        ("Vingt-cinq ans", "25 ans"),
        ("Programme 2007-13", "Programme (2007/2013)"),
        ("C.U.C.S. du Robert", "CUCS du Robert"),
        ("Habitant·e·s du quartier", "Habitants du quartier"),
        ("Sur-endettement", "surendettement"),
        ("L'œuvre de la cité", "L’oeuvre de la cite"),
        ("Atlas (2e éd. revue et augmentée)", "Atlas, 2ème édition"),
    ],
)
def test_two_ways_to_write_a_title_read_alike(one: str, other: str) -> None:
    here, there = read_title(one), read_title(other)
    assert (here.words, here.figures, here.edition) == (there.words, there.figures, there.edition)


def test_numbers_of_tomes_are_told_from_years_and_from_others() -> None:
    title = read_title("Dix actions, tome III", "bilan de juin 2010")
    assert (title.parts, title.years) == ({"3"}, {"2010"})
    assert title.loose == {"10", "juin", "2010"}


@pytest.mark.parametrize(
    ("title", "edition"),
    [
        ("Guide, 3e éd.", "3"),
        ("Guide (nouvelle édition)", "new"),
        ("Guide, 1re édition", ""),
        ("Éditions", ""),
    ],
)
def test_the_edition_is_taken_out_of_the_title(title: str, edition: str) -> None:
    assert read_title(title).edition == edition


@pytest.mark.parametrize(
    ("one", "other", "differs"),
    [
        ("renovation urbaine", "renovatoin urbaine", False),
        ("zones urbaines sensibles", "zus", False),
        ("dvpt local", "developpement local", False),
        ("formation des jeunes", "information des jeunes", True),
        ("habitat des jeunes", "emploi des jeunes", True),
        ("actions a bobigny", "actions a aubagne", True),
    ],
)
def test_slips_and_acronyms_are_forgiven_and_other_words_are_not(one: str, other: str, differs: bool) -> None:
    assert overlap(read_title(one).words, read_title(other).words).differs is differs


def test_words_told_elsewhere_count_for_nothing_unless_they_take_the_place_of_others() -> None:
    told = frozenset(("mission", "locale", "ducos"))
    assert not overlap(("rapport", "mission", "locale"), ("rapport",), frozenset(), told).here
    assert overlap(("diagnostic", "ducos"), ("diagnostic", "robert"), frozenset(), told).differs


@pytest.mark.parametrize(
    ("acronym", "name", "stands"),
    [
        (("insee",), ("institut", "national", "statistique", "etude", "economique"), True),
        (("drac", "guyane"), ("direction", "affaire", "culturelle", "guyane"), True),
        (("caf",), ("direction", "affaire", "culturelle"), False),
        (("ville",), ("volonte", "individuelle"), False),
    ],
)
def test_an_acronym_stands_for_its_name(
    acronym: tuple[str, ...], name: tuple[str, ...], stands: bool
) -> None:
    assert stands_for(acronym, name) is stands


# -- names


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Bacqué, Marie-Hélène", "M.-H. Bacqué", True),
        ("BACQUE Marie Hélène", "Bacqué, MH", True),
        ("Saint-Louis, Marie", "Marie Saint-Louis", True),
        ("Esterle, Maryse", "Esterle-Hédibel, Maryse", True),
        ("Martin, Jean", "Martin, Paul", False),
        ("Dupont, Marie", "Durand, Marie", False),
        ("Dupont, J.", "Durand, J.", False),
    ],
)
def test_a_person_is_known_under_the_forms_of_their_name(one: str, other: str, alike: bool) -> None:
    (here,), (there,) = (
        read_notice(notice("T", agents=one)).persons,
        read_notice(notice("T", agents=other)).persons,
    )
    assert same_person(here, there) is same_person(there, here) is alike


def test_who_is_nobody_is_no_author_and_bodies_without_a_comma_are_no_persons() -> None:
    read = read_notice(notice("T", agents="Collectif; [s.n.]; Centre de ressources; ANRU; Léa Roy"))
    assert read.persons == (("roy", "lea"),)
    assert read.bodies == (("centre", "ressource"), ("anru",))


def test_a_slash_in_a_title_proper_stays() -> None:
    assert read_notice(notice("Nord / Sud : dialogues")).title.words == ("nord", "sud", "dialogue")
    assert read_notice(notice("Accessible ? / par Léa Roy")).persons == (("roy", "lea"),)


# -- blocks and groups


def test_marks_are_few_and_short_and_generic_titles_need_a_year_or_a_maker() -> None:
    a = notice("Rapport d'activité", "2012", "* Mission locale du Nord")
    b = notice("Rapport d'activité", "2013", "* Mission locale du Sud")
    assert not marks(a) & marks(b)
    long = notice(
        "Marcher dans la ville chaude, respirer",
        "2012",
        "A, B; C, D; E, F",
        identifiers=ISBN,
        files=file("0" * 64),
    )
    assert 5 < len(marks(long)) <= MOST_MARKS
    assert max(map(len, marks(long))) <= 40
    assert marks(notice("Qu'est-ce qu'un quartier ?", type="question")) == frozenset()


def test_records_of_one_work_are_grouped_and_the_others_stay_alone() -> None:
    first, second = ONE_WORK["spelt number, acronym of a body"]
    third = notice("DIX ANS DE RENOVATION URBAINE", "2014", "* Union sociale pour l'habitat")
    others = [record for pair in TWO_WORKS.values() for record in pair]
    assert groups([first, *others[:4], second, third]) == [{first.id, second.id, third.id}]


def test_what_is_like_two_works_does_not_join_them() -> None:
    one = notice("Habiter la pente", "2012", "Pastel, Gilda", issue="1")
    two = notice("Habiter la pente", "2012", "Pastel, Gilda", issue="2")
    between = notice("Habiter la pente", "2012", "Pastel, Gilda")
    assert same(one, between)
    assert same(two, between)
    found = groups([one, two, between])
    assert len(found) == 1
    assert not {one.id, two.id} <= found[0]


words = st.text("aéç’ '-:/=[]().…n°123IVX—\ufffd", max_size=30)


@given(words, words, words, st.sampled_from(sorted(TYPES)), st.none() | st.just("2010-05") | st.just("2010"))
def test_any_notice_is_read_and_is_itself(
    title: str, subtitle: str, name: str, type: str, date: str | None
) -> None:
    a = Record(id="a:1", title=title, subtitle=subtitle, type=type, date=date, agents=(Agent(name),))
    b = Record(id="b:1", title=subtitle, subtitle=title, type="rapport", publisher=name, issue=title)
    assert likeness(a, b) == likeness(b, a)
    assert len(marks(a)) <= MOST_MARKS
    assert 0 <= likeness(a, a).score <= 1
