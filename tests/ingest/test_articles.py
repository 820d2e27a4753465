"""Reviews cut into their articles, from contents pages as French reviews lay them out, and from outlines."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest

from ingest import contents
from ingest.articles import Article, Proposal, propose, records_of
from ingest.bylines import names
from ingest.drafts import Heading
from ingest.foliation import Foliation
from kb.records import Agent, Page, Record

BODY = "Les habitants du quartier ont été consultés avant les travaux. " * 12

TITLES = (
    "Habiter le bord de mer : ce que les pêcheurs savent",
    "Quand le bus ne passe plus",
    "Les conseils citoyens, cinq ans après",
    "Réparer sans effacer",
)
AUTHORS = ("Ghislaine Morvan", "Honorat Belfan", "Roselyne Tarquin et Yves Lodéon", "Sidonie Valcin")
FAMILIES = ("Morvan, Ghislaine", "Belfan, Honorat", "Tarquin, Roselyne", "Valcin, Sidonie")


def paged(*texts: str, labels: Sequence[str | None] = ()) -> list[Page]:
    said = itertools.chain(labels, itertools.repeat(None))
    return [Page(n, text, label) for n, (text, label) in enumerate(zip(texts, said, strict=False), start=1)]


def review(sommaire: str, *, before: int = 1, by: str = "par ") -> list[Page]:
    """A cover, blank pages, the contents, then each article on two pages."""
    texts = ["Revue des quartiers\nn° 7"] + [""] * (before - 1) + [sommaire]
    for title, author in zip(TITLES, AUTHORS, strict=True):
        texts += [f"{title}\n{by}{author}\n{BODY}", BODY]
    return paged(*texts)


def check(proposal: Proposal, source: str = "contents", first: int = 3) -> None:
    """The four articles, each with its author, two pages and its title where it should be."""
    assert proposal.source == source
    assert [a.title for a in proposal.articles] == list(TITLES)
    assert [a.authors[0].name for a in proposal.articles] == list(FAMILIES)
    assert [(a.first, a.last) for a in proposal.articles] == [
        (first + 2 * n, first + 2 * n + 1) for n in range(4)
    ]
    assert all(a.confidence == 0.95 and not a.warnings for a in proposal.articles)
    assert [agent.name for agent in proposal.articles[2].authors] == ["Tarquin, Roselyne", "Lodéon, Yves"]


DOTS = """Sommaire
Habiter le bord de mer : ce que les pêcheurs savent ........ 3
Ghislaine Morvan
Quand le bus ne passe plus . . . . . . . . . . . . . . . . . . 5
Honorat Belfan
Les conseils citoyens, cinq ans après ______ 7
Roselyne Tarquin et Yves Lodéon
Réparer sans effacer……… p. 9
Sidonie Valcin"""

TABLE = """SOMMAIRE
Titre Auteur Page
Habiter le bord de mer : ce que les
pêcheurs savent
Ghislaine Morvan 3
Quand le bus ne passe plus Honorat Belfan 5
Les conseils citoyens, cinq ans après Roselyne Tarquin et Yves Lodéon 7
Réparer sans effacer Sidonie Valcin 9"""

NUMBER_FIRST = """S O M M A I R E
3 Habiter le bord de mer : ce que les pêcheurs savent
Ghislaine Morvan, géographe
5 Quand le bus ne passe plus
Honorat Belfan
7 Les conseils citoyens,
cinq ans après
Roselyne Tarquin et Yves Lodéon
9 Réparer sans effacer
Sidonie Valcin"""

NUMBER_ALONE = """Au sommaire
p. 3
Habiter le bord de mer : ce que les pêcheurs savent
par Ghislaine Morvan
p. 5
Quand le bus ne passe plus
par Honorat Belfan
p. 7
Les conseils citoyens, cinq ans après
par Roselyne Tarquin et Yves Lodéon
p. 9
Réparer sans effacer
par Sidonie Valcin"""

NUMBER_BELOW = """Dans ce numéro
Habiter le bord de mer : ce que les pêcheurs savent
Ghislaine Morvan, chargée de
mission
3
Quand le bus ne passe plus
Honorat Belfan
5
Les conseils citoyens, cinq ans après
Roselyne Tarquin et Yves Lodéon
7
Réparer sans effacer
Sidonie Valcin
9"""

DASHES = """Sommaire du n° 7
Habiter le bord de mer : ce que les pêcheurs savent – Ghislaine Morvan ..... 3-4
Quand le bus ne passe plus — Honorat Belfan ..... 5-6
Les conseils citoyens, cinq ans après – Roselyne Tarquin et Yves Lodéon ..... 7-8
Réparer sans effacer / Sidonie Valcin ..... 9-10"""

AUTHOR_FIRST = """Table des matières
Ghislaine MORVAN
Habiter le bord de mer : ce que les pêcheurs savent........3
Honorat BELFAN
Quand le bus ne passe plus........5
Roselyne TARQUIN, Yves LODÉON
Les conseils citoyens, cinq ans après........7
Sidonie VALCIN, Réparer sans effacer........9"""

RUBRICS = """Sommaire
DOSSIER
Habiter le bord de mer : ce que les pêcheurs savent
Ghislaine Morvan 3
Quand le bus ne passe plus
Honorat Belfan 5
TERRAINS
Les conseils citoyens, cinq ans après
Roselyne Tarquin et Yves Lodéon 7
Réparer sans effacer
Sidonie Valcin 9"""

LAYOUTS = [DOTS, TABLE, NUMBER_FIRST, NUMBER_ALONE, NUMBER_BELOW, DASHES, AUTHOR_FIRST, RUBRICS]


@pytest.mark.parametrize("sommaire", LAYOUTS)
def test_contents_are_read_however_they_are_laid_out(sommaire: str):
    check(propose("Revue des quartiers", review(sommaire), ()))


@pytest.mark.parametrize("sommaire", LAYOUTS)
def test_printed_numbers_need_not_be_those_of_the_file(sommaire: str):
    proposal = propose("Revue des quartiers", review(sommaire, before=4), ())
    check(proposal, first=6)
    assert [a.label_pages for a in proposal.articles] == ["3-4", "5-6", "7-8", "9-10"]


@pytest.mark.parametrize("sommaire", [TABLE, NUMBER_FIRST, DASHES, AUTHOR_FIRST])
def test_authors_need_not_stand_below_the_titles(sommaire: str):
    pages = review(sommaire)
    for place, title in zip((2, 4, 6, 8), TITLES, strict=True):
        pages[place] = Page(place + 1, f"{title}\n{BODY}")
    check(propose("Revue des quartiers", pages, ()))


def test_authors_that_the_contents_do_not_name_are_read_below_the_titles():
    sommaire = "Sommaire\n" + "\n".join(f"{t} .... {n}" for t, n in zip(TITLES, (3, 5, 7, 9), strict=True))
    check(propose("Revue des quartiers", review(sommaire), ()))


def test_a_contents_page_at_the_end_is_read_too():
    pages = review("Revue des quartiers, printemps")
    last = len(pages) + 1
    pages.append(Page(last, DOTS.replace("Sommaire", "Table des matières")))
    proposal = propose("Revue des quartiers", pages, ())
    assert [a.title for a in proposal.articles] == list(TITLES)
    assert proposal.articles[0].evidence.startswith(f"sommaire, page {last}")


def test_contents_go_on_over_the_page():
    front, back = DOTS.split("Les conseils")
    more = "\n".join(f"Annexe {word} ........ 12" for word in ("une", "deux", "trois"))
    texts = [page.text for page in review(front)]
    texts.insert(2, "Les conseils" + back + "\n" + more)
    found = contents.entries(paged(*texts))
    assert [(e.printed, e.page) for e in found] == [(3, 2), (5, 2), (7, 3), (9, 3), (12, 3), (12, 3), (12, 3)]
    proposal = propose("Revue", paged(*texts), ())
    assert [a.title for a in proposal.articles] == list(TITLES)
    assert [a.authors[0].name for a in proposal.articles] == list(FAMILIES)


def test_numbers_in_the_text_below_the_contents_announce_nothing():
    below = "\nCe numéro rassemble des textes écrits entre 2012 et 2014\nLe tableau se trouve en page 2\n"
    proposal = propose("Revue des quartiers", review(NUMBER_BELOW + below + BODY.replace(". ", ".\n")), ())
    check(proposal)


def test_a_year_at_the_end_of_a_title_is_no_page():
    pages = paged(
        "Couverture", "Sommaire\nBilan de l’année 2010\nparu en 2011 .... 3\nPerspectives 4", BODY, BODY
    )
    assert [(e.text, e.printed) for e in contents.entries(pages)] == [
        ("Bilan de l’année 2010 paru en 2011", 3),
        ("Perspectives", 4),
    ]


def test_pages_are_found_by_the_labels_of_the_file():
    sommaire = "Sommaire\nUn texte dont le titre est une image .... 101\nUn autre encore .... 102"
    pages = paged("", sommaire, BODY, BODY, labels=["i", "ii", "101", "102"])
    proposal = propose("", pages, ())
    assert [(a.first, a.last, a.label_pages) for a in proposal.articles] == [(3, 3, "101"), (4, 4, "102")]
    assert [a.confidence for a in proposal.articles] == [0.4, 0.4]
    assert proposal.articles[0].warnings == ("titre introuvable page 101",)


def test_pages_are_found_by_the_numbers_printed_on_them():
    """Running heads are taken off the text; what was read first still has them."""
    sommaire = "Sommaire\nUn texte dont le titre est une image .... 41\nUn autre encore .... 43"
    pages = paged("", sommaire, BODY, BODY, BODY, BODY)
    pages = [
        Page(p.number, p.text, raw=f"{p.text}\nRevue des quartiers {p.number + 38}" if p.number > 1 else None)
        for p in pages
    ]
    proposal = propose("", pages, ())
    assert [(a.first, a.last, a.label_pages) for a in proposal.articles] == [(3, 4, "41-42"), (5, 6, "43-44")]


def test_numbers_that_nothing_confirms_are_said_to_be_a_guess():
    sommaire = "Sommaire\nUn texte dont le titre est une image .... 3\nUn autre encore .... 4"
    proposal = propose("", paged("", sommaire, BODY, BODY), ())
    assert any("supposés" in warning for warning in proposal.warnings)
    assert [a.confidence for a in proposal.articles] == [0.4, 0.4]


def test_a_title_found_a_page_away_is_taken_there_and_told():
    proposal = propose("", review(DOTS.replace("… p. 9", "… p. 8")), ())
    last = proposal.articles[-1]
    assert (last.first, last.warnings) == (9, ("annoncé page 8, trouvé page 9",))


def test_a_page_that_the_file_does_not_have_is_told():
    proposal = propose("", review(DOTS + "\nCe qui manque au fichier ........ 45"), ())
    assert [a.title for a in proposal.articles] == list(TITLES)
    assert any("Ce qui manque au fichier" in warning for warning in proposal.warnings)


def test_what_is_no_article_ends_the_one_before_it():
    sommaire = DOTS.replace(
        "Réparer sans effacer……… p. 9\nSidonie Valcin", "Bibliographie ........ 8\nAbonnements .... 9"
    )
    proposal = propose("", review(sommaire), ())
    assert [(a.first, a.last) for a in proposal.articles] == [(3, 4), (5, 6), (7, 7)]
    assert "Les pages 8 à 10 du fichier ne sont d’aucun article." in proposal.warnings


def test_an_article_that_begins_below_another_one_shares_its_page():
    sommaire = f"Sommaire\n{TITLES[0]} .... 3\n{TITLES[1]} .... 4\n{TITLES[3]} .... 4"
    end = "La fin du premier.\n" + "Encore une ligne. " * 20
    shared = f"{end}\n{TITLES[1]}\nLe deuxième.\n{TITLES[3]}\nLe dernier."
    pages = paged("Revue", sommaire, f"{TITLES[0]}\n{BODY}", shared)
    proposal = propose("Revue", pages, ())
    assert [(a.first, a.last, a.label_pages) for a in proposal.articles] == [
        (3, 4, "3-4"),
        (4, 4, "4"),
        (4, 4, "4"),
    ]
    assert [a.confidence for a in proposal.articles] == [0.95, 0.75, 0.75]
    parts = records_of(Record(id="vc:1", title="Revue"), pages, proposal.articles, lambda: "vc:2")
    texts = [[page.text for page in part] for _, part in parts]
    assert texts[0][1].startswith("La fin du premier.")
    assert "Le deuxième." not in texts[0][1]
    assert texts[1] == [f"{TITLES[1]}\nLe deuxième."]
    assert texts[2] == [f"{TITLES[3]}\nLe dernier."]


def test_titles_with_a_slip_are_found_and_a_mention_in_a_sentence_is_not_a_title():
    pages = paged(
        f"Notre numéro précédent disait : {TITLES[1]}, et bien d’autres choses encore.",
        f"{TITLES[1].replace('bus', 'bns')}\n{BODY}",
    )
    foliation = Foliation(pages)
    assert foliation.find(TITLES[1], 2).score > 90
    assert foliation.find(TITLES[1], 1).score < 90
    assert foliation.find(TITLES[0], 2).score < 80
    assert foliation.find("", 1).score == foliation.find("Un titre", 9).score == 0


def test_capitals_at_the_end_of_a_title_are_not_its_author():
    title = "Les quartiers de Fort Royal"
    sommaire = f"Sommaire\n{title} .... 3\n{TITLES[1]} .... 4"
    pages = paged("Revue", sommaire, f"{title}\n{BODY}", f"{TITLES[1]}\n{BODY}")
    first = propose("Revue", pages, ()).articles[0]
    assert (first.title, first.authors) == (title, ())


@pytest.mark.parametrize(
    "text", ["", "Un rapport sans sommaire.\n" + BODY, "Sommaire", "Sommaire\nRien du tout"]
)
def test_nothing_is_proposed_where_nothing_is_announced(text: str):
    proposal = propose("Rapport", paged(text, BODY), ())
    assert (proposal.articles, proposal.source) == ((), "")
    assert proposal.warnings
    assert propose("", (), ()).articles == ()


# -- outlines


def marks(*told: tuple[str, int, int]) -> tuple[Heading, ...]:
    return tuple(Heading(title, page, level) for title, page, level in told)


FIRST_LEVEL = tuple((title, page, 1) for title, page in zip(TITLES, (3, 5, 7, 9), strict=True))


def test_an_outline_gives_articles_without_cover_contents_and_sections():
    sections = (("Une section", 3, 2), ("Une autre", 4, 2))
    outline = marks(("Couverture", 1, 1), ("Sommaire", 2, 1), FIRST_LEVEL[0], *sections, *FIRST_LEVEL[1:])
    check(propose("Revue", review("Édito sans intérêt"), outline), "outline")


def test_an_outline_below_the_title_of_the_document_is_read():
    outline = marks(("Revue des quartiers", 1, 1), *((t, p, 2) for t, p, _ in FIRST_LEVEL))
    check(propose("Revue des quartiers", review(""), outline), "outline")


def test_rubrics_of_an_outline_hold_the_articles():
    below = [(t, p, 2) for t, p, _ in FIRST_LEVEL]
    outline = marks(("Dossier : la ville", 3, 1), *below[:2], ("Terrains", 7, 1), *below[2:])
    check(propose("Revue", review(""), outline), "outline")


def test_a_rubric_of_any_name_is_known_by_the_signatures_below():
    below = [(t, p, 2) for t, p, _ in FIRST_LEVEL]
    outline = marks(("La ville en ses marges", 3, 1), *below[:2], ("Gens d’ici", 7, 1), *below[2:])
    check(propose("Revue", review(""), outline), "outline")


def test_numbered_sections_of_a_chapter_are_no_articles():
    pages = paged(
        *(
            f"{n} Partie {n}\n{BODY}" if n % 2 else f"{n // 2}.2 Suite\npar Léa Roy\n{BODY}"
            for n in range(1, 5)
        )
    )
    outline = marks(("1 Partie 1", 1, 1), ("1.2 Suite", 2, 2), ("3 Partie 3", 3, 1), ("2.2 Suite", 4, 2))
    found = propose("Rapport", pages, outline).articles
    assert [(a.title, a.first, a.last) for a in found] == [("1 Partie 1", 1, 2), ("3 Partie 3", 3, 4)]


def test_the_contents_page_says_who_wrote_what_the_outline_marks():
    pages = review(DOTS, by="texte revu avec ")
    proposal = propose("Revue", pages, marks(*FIRST_LEVEL))
    check(proposal, "outline")
    assert "signet" in proposal.articles[0].evidence
    assert "sommaire, page 2" in proposal.articles[0].evidence


def test_a_heading_that_the_contents_do_not_announce_is_told():
    outline = marks(("Édito", 2, 1), *FIRST_LEVEL)
    proposal = propose("Revue", review(DOTS), outline)
    assert proposal.articles[0].title == "Édito"
    assert "n’est pas au sommaire" in proposal.articles[0].warnings
    assert not proposal.articles[1].warnings


def test_contents_are_believed_where_the_outline_cuts_otherwise():
    outline = marks(("Page 1", 1, 1), ("Document sans nom", 9, 1))
    check(propose("Revue", review(DOTS), outline))


def test_an_outline_of_pages_that_do_not_exist_is_left():
    check(propose("Revue", review(DOTS), marks(("Un", 0, 1), ("Deux", 99, 1))))


# -- names


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("par Honorat Belfan", ["Belfan, Honorat"]),
        ("Honorat BELFAN, sociologue", ["Belfan, Honorat"]),
        ("HONORAT BELFAN", ["Belfan, Honorat"]),
        ("H. Belfan & Y. Lodéon", ["Belfan, H.", "Lodéon, Y."]),
        ("Entretien avec Marie-Ange de Saint-Ys", ["de Saint-Ys, Marie-Ange"]),
        ("Honorat Belfan (université des Antilles), Yves Lodéon", ["Belfan, Honorat", "Lodéon, Yves"]),
        ("Quand le bus ne passe plus", []),
        ("HtmlNode Classe", []),
        ("Honorat Belfan, Dossier", []),
        ("Centre de ressources Ville", []),
        ("12", []),
        ("", []),
    ],
)
def test_names_are_told_from_other_words(line: str, found: list[str]):
    assert [agent.name for agent in names(line)] == found


@pytest.mark.parametrize(
    "line", ["Produits Montant Charges", "Présentation de François Lamartin", "Titre Classe"]
)
def test_the_head_of_a_table_below_a_title_is_no_author(line: str):
    pages = paged(f"{TITLES[0]}\n{line}\n{BODY}", f"{TITLES[1]}\n{BODY}")
    found = propose("", pages, marks((TITLES[0], 1, 1), (TITLES[1], 2, 1))).articles
    assert [a.authors for a in found] == [(), ()]


# -- records


PARENT = Record(
    id="vc:1",
    title="Habiter",
    type="cahier",
    date="2011-09",
    language="fr",
    publisher="Ville des Îles",
    place="Fort-Royal",
    access="staff",
    call_number="C 2",
)


def test_parts_inherit_from_their_host_and_have_the_text_of_their_pages():
    ids = itertools.count(2)
    pages = review(DOTS, before=4)
    proposal = propose("Revue", pages, ())
    parts = records_of(PARENT, pages, proposal.articles[:2], lambda: f"vc:{next(ids)}")
    (first, own), (second, _) = parts
    assert (first.id, second.id) == ("vc:2", "vc:3")
    assert (first.type, first.host, first.host_pages) == ("article-cahier", "vc:1", "3-4")
    assert (first.date, first.language, first.publisher) == ("2011-09", "fr", "Ville des Îles")
    assert (first.place, first.access, first.call_number) == ("Fort-Royal", "staff", None)
    assert first.agents == (Agent("Morvan, Ghislaine"),)
    assert [(page.number, page.text) for page in own] == [(1, pages[5].text), (2, pages[6].text)]


def test_parts_of_other_works_are_articles_unless_said_otherwise():
    article = Article(title="Un", first=1, last=1, label_pages="12")
    pages = paged("Un texte", labels=["12"])
    ((record, own),) = records_of(Record(id="vc:1", title="Revue"), pages, [article], lambda: "vc:9")
    assert (record.type, record.host_pages, own[0].label) == ("article", "12", "12")
    ((record, _),) = records_of(PARENT, pages, [article], lambda: "vc:9", type="chapitre")
    assert record.type == "chapitre"
