"""Writing and sending an answer: nothing typed is lost, what is quoted stands in its page, what leaves leaves
once."""

from __future__ import annotations

import dataclasses
import re
from itertools import count, pairwise
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb import quoting
from kb.accounts import Role, rights_of
from kb.desk_merging import merge
from kb.errors import InvalidValue, NotFound, OnTheSpot
from kb.mail import Mailed
from kb.publishing import Copy
from kb.questions import LONGEST_ANSWER, Asked, Channel, QuestionState, Said
from kb.servicelog import StepKind
from web import compose_quoting, published_text
from web.compose_quoting import Place
from web.fund import Fund

TEXT = "Comment rédiger une clause d’insertion dans un marché public de travaux ?"
_NUMBERS = count()


@pytest.fixture
def ask(house):
    def receive(text=TEXT, *, email="", now=None, **more):
        address = email or f"demandeur-{next(_NUMBERS)}@exemple.fr"
        asker = house.parts.askers.known(address, "Anne Exemple") if email != "-" else None
        return house.parts.desk.receive(Asked(text=text, **more), asker, now=now)

    return receive


@pytest.fixture
def lea(house):
    return house.client(Role.ANSWERER)


def url(question) -> str:
    return f"/guichet/{question.reference}/reponse"


def typed(page: str) -> str:
    """What stands in the editor."""
    found = re.search(r'<textarea[^>]*name="body"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert found
    unescaped = found[1].lstrip("\r\n")
    for sign, code in (("<", "&lt;"), (">", "&gt;"), ('"', "&#34;"), ("'", "&#39;"), ("&", "&amp;")):
        unescaped = unescaped.replace(code, sign)
    return unescaped


def cited(page: str) -> list[str]:
    return re.findall(r'name="geste" value="(citer [^"]+)"', page)


def post(house, client, question, body, gesture="enregistrer", version=0, **fields):
    given = {"body": body, "geste": gesture, "version": version, "way": "email"} | fields
    return house.post(client, url(question), **given)


def source(house) -> tuple[str, str]:
    """A record with a page, and a sentence of it."""
    record = house.records["public"]
    text = house.parts.store.page(record, 1).text
    low, high = max(compose_quoting.sentences(text), key=lambda at: at[1] - at[0])
    return record, text[low:high][:300]


def quote(house) -> str:
    record, words = source(house)
    return quoting.quoted(words, record, 1, "Quelqu’un, Titre, p. 1")


def letters(house):
    found = []
    house.parts.outbox.deliver(lambda _, message: found.append(message) or Mailed.SENT)
    return found


# -- the page


def test_the_page_shows_what_is_asked_and_what_the_fund_says_about_it(house, lea, ask):
    question = ask(context="Lot de gros œuvre.", wanted_by=None)
    page = lea.get(url(question))
    assert page.status_code == 200
    assert TEXT.replace(" ?", "\u202f?") in page.text.replace(" ?", "\u202f?")
    assert "Lot de gros œuvre." in page.text
    assert len(cited(page.text)) >= 2
    assert "<mark>" in page.text
    assert "Pas encore enregistrée." in page.text


def test_a_question_that_says_nothing_still_has_its_page(house, lea, ask):
    page = lea.get(url(ask(text="xyzzy plugh ?")))
    assert page.status_code == 200
    assert "Cherchez ci-dessus avec d’autres mots" in page.text


def test_what_was_said_since_stands_under_the_question_and_is_looked_for(house, lea, ask):
    question, me = ask(text="xyzzy plugh ?"), house.people[Role.ANSWERER]
    assert "Échanges (" not in lea.get(url(question)).text
    desk = house.parts.desk
    said = Said(text="Que sait-on de la médiation sociale ?", channel=Channel.TELEPHONE)
    desk.hear(question.id, said, person=me)
    desk.note(question.id, "Déjà reçue <hier>.", person=me)
    page = lea.get(url(question))
    assert "Échanges (1), notes (1)</summary>" in page.text
    assert "Que sait-on de la médiation sociale" in page.text
    assert "Déjà reçue &lt;hier&gt;." in page.text
    assert cited(page.text)
    assert cited(lea.get(f"{url(question)}/panneau").text) == cited(page.text)


def test_other_words_are_looked_for(house, lea, ask):
    page = lea.get(f"{url(ask())}?cherche=médiation")
    assert "Passages pour «\u00a0médiation\u00a0»" in page.text
    assert "médiat" in page.text.lower()
    part = lea.get(f"{url(ask())}/panneau?cherche=médiation")
    assert cited(part.text) == cited(page.text)
    assert "<html" not in part.text


def test_the_notions_and_those_who_may_know_stand_beside(house, lea, ask):
    theme = next(c for c in house.parts.thesaurus.concepts("themes") if c.label == "Clause d’insertion")
    told = lea.get(url(ask(text="Qui suit la clause d’insertion du CUCS ?")) + ".json").get_json()["panel"]
    meant = {one["label"]: one for one in told["concepts"]}
    assert meant[theme.label]["url"] == f"/recherche?theme={theme.code}"
    assert "CUCS" in next(one for label, one in meant.items() if "cohésion sociale" in label)["acronyms"]
    assert any("auteur de" in one["why"] for one in told["people"])
    assert all(one["name"] != house.parts.config.centre_name for one in told["people"])
    for one in told["people"]:
        assert lea.get(one["url"]).status_code == 200


def test_a_body_that_the_thesaurus_ties_to_a_theme_is_named(house, lea, ask):
    thesaurus = house.parts.thesaurus
    body, theme = next(
        (body, concept)
        for body in thesaurus.concepts("organismes")
        for uri in body.related
        if (concept := thesaurus.get(uri)).scheme == "themes"
    )
    question = ask(text="Qui peut nous aider dans ce quartier ?", themes=(theme.code,))
    people = lea.get(url(question) + ".json").get_json()["panel"]["people"]
    assert [one["why"][:24] for one in people if one["name"] == body.label] == ["lié à ce qui est demandé"]


def test_an_author_is_found_by_their_link(house, lea, ask):
    told = lea.get(url(ask()) + ".json").get_json()["panel"]
    author = next(one for one in told["people"] if one["why"].startswith("auteur"))
    found = lea.get(author["url"]).text
    assert any(passage["title"] in found for passage in told["passages"])


def test_the_same_as_json(house, lea, ask):
    told = lea.get(url(ask()) + ".json").get_json()
    assert told["version"] == 0
    assert told["panel"]["passages"][0]["code"]


def test_an_unknown_question_is_not_found(lea):
    assert lea.get("/guichet/1999-001/reponse").status_code == 404


def test_others_may_not_write(house, ask):
    for role in (Role.LIBRARIAN, Role.MEMBER):
        assert house.client(role).get(url(ask())).status_code == 403


# -- quoting


def test_one_click_quotes_a_passage_with_its_page_and_keeps_what_was_typed(house, lea, ask):
    question = ask()
    chosen = cited(lea.get(url(question)).text)[0]
    page = post(house, lea, question, "Début.\r\n", chosen, minutes="25", effort="3", cherche="")
    body = typed(page.text)
    assert page.status_code == 200
    assert body.startswith("Début.\n\n> ")
    (quoted,) = quoting.quotations(body)
    place = Place.from_code(chosen.partition(" ")[2])
    assert (quoted.record, quoted.page) == (place.record, place.page)
    assert quoting.check(body, lambda id, n: house.parts.store.page(id, n).text, lambda _: True) == ()
    assert 'value="25"' in page.text
    assert re.search(r'value="3" checked', page.text)
    assert house.parts.answers.draft(question.id, house.people[Role.ANSWERER]).body == body.strip()
    assert "La citation est bien à sa page." in page.text


def test_every_passage_proposed_can_be_quoted_and_is_found_again(house, lea, ask):
    fund = Fund(house.parts)
    for text in (TEXT, "Qui finance un poste d’adulte-relais ?", "Que sont les conseils citoyens ?"):
        codes = cited(lea.get(url(ask(text=text))).text)
        assert codes
        for code in codes:
            body = compose_quoting.quotation(fund, Place.from_code(code.partition(" ")[2]))
            faults = quoting.check(body, lambda id, n: house.parts.store.page(id, n).text, lambda _: True)
            assert faults == ()


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ("citer nimporte", 400),
        ("citer", 400),
        ("citer ../../etc/1/2-3", 400),
        ("citer {record}/1/5-2", 400),
        ("citer {record}/1/0-999999999", 200),
        ("citer {record}/999/0-10", 404),
        ("citer centre:999999/1/0-10", 404),
        ("reutiliser centre:999999", 404),
    ],
)
def test_a_place_that_is_none_is_refused_in_words(house, lea, ask, what, status):
    question = ask()
    gesture = what.format(record=house.records["public"])
    told = house.post(lea, f"{url(question)}/extrait", geste=gesture)
    page = post(house, lea, question, "Mes mots.", gesture)
    if len(house.parts.store.page(house.records["public"], 1).text) > compose_quoting.LONGEST_PASSAGE:
        status = 400 if "999999999" in what else status
    assert told.status_code == status
    assert told.mimetype == "text/plain"
    if status != 200:
        assert page.status_code == 400
        assert typed(page.text) == "Mes mots."
        assert 'role="alert"' in page.text


def test_what_may_not_be_read_is_not_quoted(house):
    visitor = Fund(house.parts, rights_of([Role.VISITOR]))
    with pytest.raises(OnTheSpot):
        compose_quoting.quotation(visitor, Place(house.records["onsite"], 1, 0, 20))
    with pytest.raises(NotFound):
        compose_quoting.quotation(visitor, Place(house.records["staff"], 1, 0, 20))
    with pytest.raises(OnTheSpot):
        compose_quoting.past_answer(visitor, house.parts.publications, house.records["onsite"])


PAGE = (
    "Titre de la page\n\nM. Dupont l’a dit p. 12 du rapport. « Que faire ? » demandait-il. La "
    "clause\nd’insertion réserve des heures. Elle s’applique en 2016 : 5 % du lot.\n• un poste ;\n"
    "• une heure\n\nSuite"
)


def test_sentences_end_where_a_reader_sees_it():
    assert [PAGE[low:high] for low, high in compose_quoting.sentences(PAGE)] == [
        "Titre de la page",
        "M. Dupont l’a dit p. 12 du rapport.",
        "« Que faire ? » demandait-il.",
        "La clause\nd’insertion réserve des heures.",
        "Elle s’applique en 2016 : 5 % du lot.",
        "• un poste ;",
        "• une heure",
        "Suite",
    ]


@pytest.mark.parametrize(
    ("shown", "quoted"),
    [
        ("… rapport. « Que faire ? » demandait-il. La clause d’insertion réserve des heures. Elle …",
         "« Que faire ? » demandait-il. La clause\nd’insertion réserve des heures."),
        ("… insertion réserve des heures. Elle …", "insertion réserve des heures. Elle"),
        ("Titre de la page M. Dupont …", "Titre de la page\n\nM. Dupont"),
    ],
)  # fmt: skip
def test_a_passage_is_cut_to_whole_sentences_when_it_has_some(shown, quoted):
    at = compose_quoting.place("c:1", 4, PAGE, shown)
    assert PAGE[at.start : at.end] == quoted


ARTICLE = (
    "Les régies de quartier outre-mer,\nétat des lieux\nPar Jeanne Exemple\nUne régie emploie des habitants "
    "de la commune de\nFort-de-France et des environs. Elle entretient les espaces publics.\nElle demande :\n"
    "• un local\n• un encadrant"
)


def test_a_quotation_starts_after_title_and_author_and_stops_at_a_full_sentence():
    quoted = ARTICLE[slice(*compose_quoting.whole(ARTICLE, 0, len(ARTICLE)))]
    assert quoted.startswith("Une régie emploie")
    assert "de\nFort-de-France et" in quoted
    assert quoted.endswith("les espaces publics.")
    alone = "Titre\n\nSous-titre\n\nUne régie emploie des habitants de la commune. Elle cherche :"
    assert alone[slice(*compose_quoting.whole(alone, 0, len(alone)))].startswith("Une régie")


def test_a_passage_that_the_page_does_not_have_has_no_place():
    assert compose_quoting.place("c:1", 4, PAGE, "des mots d’ailleurs") is None
    assert compose_quoting.place("c:1", 4, PAGE, "… …") is None


@given(st.text(st.sampled_from("ab .!?\n•«»12é"), max_size=80), st.data())
def test_whatever_is_shown_of_a_page_is_found_in_it(text, data):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    shown = " ".join(text[start:end].split())
    at = compose_quoting.place("c:1", 1, text, shown)
    spans = list(compose_quoting.sentences(text))
    assert (
        "".join(text[low:high] for low, high in spans).split() == "".join(text[a:b] for a, b in spans).split()
    )
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    if shown:
        assert " ".join(text[at.start : at.end].split()) in shown
        assert Place.from_code(at.code) == at


def test_a_stretch_cut_inside_a_sentence_says_so(house):
    record, text = house.records["public"], house.parts.store.page(house.records["public"], 1).text
    low, high = next(at for at in compose_quoting.sentences(text) if at[1] - at[0] > 60)
    middle = text.index(" ", low + 10)
    body = compose_quoting.quotation(Fund(house.parts), Place(record, 1, middle, high))
    assert quoting.quotations(body)[0].text.startswith("[…] ")
    assert compose_quoting.quotation(Fund(house.parts), Place(record, 1, low, high)).count("[…]") == 0


# -- past answers


@pytest.fixture
def past(house, ask):
    """A question that was answered and published, and its record."""
    person = house.people[Role.ANSWERER]
    question = ask(text="Comment calculer les heures d’une clause d’insertion ?", consent=True)
    house.parts.desk.claim(question.id, person)
    house.parts.desk.move(question.id, QuestionState.ANSWERED, person=person)
    copy = Copy(title="Calculer les heures *d’insertion*", text=TEXT, body="Partez du **coût** du lot.")
    held = house.parts.publications.prepare(question.id, copy, 0, person=person)
    pages = published_text.pages(copy)
    record = house.parts.publications.publish(question.id, held.version, pages, (), person=person)
    house.parts.sync()
    yield record
    house.parts.publications.withdraw(question.id, person=person)
    house.parts.sync()


def test_a_past_answer_serves_as_a_start_with_a_link_and_is_counted_once_it_is_sent(house, lea, ask, past):
    def reused():
        return [s.reused for s in house.parts.desk.log.of(question.id) if s.kind is StepKind.REUSED]

    question = ask()
    page = lea.get(url(question))
    assert f"reutiliser {past}" in page.text
    assert page.text.index('id="deja"') < page.text.index('id="passages"')
    body = typed(post(house, lea, question, "", f"reutiliser {past}").text)
    assert body.startswith("Partez du **coût** du lot.")
    assert [s.record for s in quoting.sources(body)] == [past]
    assert r"heures \*d’insertion\*" in body
    told = house.post(lea, f"{url(question)}/extrait", geste=f"reutiliser {past}")
    assert told.text.startswith("Partez du **coût**")
    assert reused() == []
    assert post(house, lea, question, body, "envoyer").status_code == 303
    assert reused() == [past]
    assert post(house, lea, question, f"{body} Plus.", "envoyer", version=1).status_code == 303
    assert reused() == [past]


def test_a_past_answer_whose_link_was_taken_out_did_not_serve(house, lea, ask, past):
    question = ask()
    post(house, lea, question, "", f"reutiliser {past}")
    assert post(house, lea, question, f"Voici :\n\n{quote(house)}", "envoyer").status_code == 303
    assert all(s.kind is not StepKind.REUSED for s in house.parts.desk.log.of(question.id))


def test_published_answers_are_not_among_the_passages(house, lea, ask, past):
    question = ask()
    for words in ("", "?cherche=clause+insertion"):
        panel = lea.get(f"{url(question)}.json{words}").get_json()["panel"]
        assert [one["code"] for one in panel["past"]] == [past]
        assert panel["passages"]
        assert all(not one["code"].startswith(f"{past}/") for one in panel["passages"])


# -- saving


def test_saving_goes_on_with_what_else_was_typed_and_no_text_in_the_address(house, lea, ask):
    question = ask()
    sent = post(house, lea, question, "Secret de polichinelle.", minutes="12", cherche="mots", effort="2")
    assert sent.status_code == 303
    query = parse_qs(urlsplit(sent.location).query)
    assert query == {"minutes": ["12"], "cherche": ["mots"], "effort": ["2"], "way": ["email"]}
    page = lea.get(sent.location)
    assert typed(page.text) == "Secret de polichinelle."
    assert 'value="12"' in page.text
    assert "Enregistrée le" in page.text
    assert "La réponse est enregistrée." in page.text


def test_what_is_in_an_address_does_no_harm(house, lea, ask):
    page = lea.get(url(ask()) + '?minutes="><b>&effort=99&way=nimporte&cherche=' + "a" * 900)
    assert page.status_code == 200
    assert "<b>" not in page.text


def test_a_form_sent_twice_is_saved_once_and_clashes_with_nothing(house, lea, ask):
    question = ask()
    for _ in range(2):
        assert post(house, lea, question, "Une fois.").status_code == 303
    assert house.parts.answers.get(question.id).version == 1


def test_two_who_save_see_both_texts_and_lose_neither(house, lea, ask):
    question, other = ask(), house.somebody(Role.ANSWERER)
    house.parts.answers.save(question.id, "Le texte <de> l’autre.", 0, person=other.id)
    clash = post(house, lea, question, "Mon texte.")
    assert clash.status_code == 409
    assert typed(clash.text) == "Mon texte."
    assert "Le texte &lt;de&gt; l’autre." in clash.text
    assert other.name in clash.text
    assert house.parts.answers.get(question.id).body == "Le texte <de> l’autre."
    again = lea.get(url(question))
    assert typed(again.text) == "Mon texte."
    assert "Deux textes à la fois" in again.text
    assert post(house, lea, question, "Des deux.", version=1).status_code == 303
    assert house.parts.answers.get(question.id).body == "Des deux."


def test_of_two_texts_one_may_keep_the_others(house, lea, ask):
    question, other = ask(), house.somebody(Role.ANSWERER)
    house.parts.answers.save(question.id, "De l’autre.", 0, person=other.id)
    post(house, lea, question, "Le mien.")
    assert post(house, lea, question, "Le mien.", "jeter", version=1).status_code == 303
    assert typed(lea.get(url(question)).text) == "De l’autre."


def test_two_texts_may_be_put_end_to_end(house, lea, ask):
    question, other = ask(), house.somebody(Role.ANSWERER)
    house.parts.answers.save(question.id, "De l’autre.", 0, person=other.id)
    post(house, lea, question, "Le mien.")
    page = post(house, lea, question, "Le mien.", "joindre", version=1)
    assert typed(page.text) == "De l’autre.\n\nLe mien."
    assert typed(lea.get(url(question)).text) == "De l’autre.\n\nLe mien."
    assert house.parts.answers.get(question.id).body == "De l’autre."


def test_a_text_that_is_too_long_is_shown_again_whole(house, lea, ask):
    question, body = ask(), "mot " * (LONGEST_ANSWER // 4 + 1) + "fin"
    page = post(house, lea, question, body)
    assert page.status_code == 400
    assert typed(page.text) == body
    assert house.parts.answers.get(question.id).version == 0


# -- drafts


def keep(house, client, question, body, version=0):
    return house.post(client, f"{url(question)}/brouillon", body=body, version=version).get_json()


def test_a_draft_is_kept_while_one_types_and_found_again(house, lea, ask):
    question = ask()
    told = keep(house, lea, question, "Je commence\r\n**ici**")
    assert re.fullmatch(r"\d+\u00a0h\u00a0\d\d", told["kept"])
    assert "<strong>ici</strong>" in told["preview"]
    assert (told["sourced"], told["grave"], told["overtaken"]) == (False, False, False)
    assert "ne cite encore aucune source" in told["faults"]
    page = lea.get(url(question))
    assert typed(page.text) == "Je commence\n**ici**"
    assert "Vous retrouvez votre brouillon" in page.text
    assert post(house, lea, question, "x", "jeter").status_code == 303
    assert typed(lea.get(url(question)).text) == ""


def test_a_draft_of_what_is_saved_is_none(house, lea, ask):
    question, me = ask(), house.people[Role.ANSWERER]
    house.parts.answers.save(question.id, "Fini.", 0, person=me)
    assert keep(house, lea, question, "Fini, presque.", 1)["kept"]
    assert keep(house, lea, question, "Fini.", 1)["kept"] == ""
    assert house.parts.answers.draft(question.id, me) is None
    assert "Vous retrouvez" not in lea.get(url(question)).text


def test_who_types_is_told_of_others_and_of_what_they_saved(house, lea, ask):
    question, other = ask(), house.somebody(Role.ANSWERER)
    house.parts.answers.keep_draft(question.id, other.id, "a", 0)
    assert other.name in keep(house, lea, question, "b")["writers"]
    assert other.name in lea.get(url(question)).text
    house.parts.answers.save(question.id, "a", 0, person=other.id)
    told = keep(house, lea, question, "b")
    assert told["overtaken"]
    assert told["writers"].strip() == ""


def test_a_draft_too_long_is_refused_in_words(house, lea, ask):
    told = keep(house, lea, ask(), "a" * (LONGEST_ANSWER + 5))
    assert "trop long" in told["refused"]


def test_a_draft_is_nobody_elses(house, lea, ask):
    question = ask()
    keep(house, lea, question, "Rien que pour moi.")
    boss = house.client(Role.ADMINISTRATOR)
    assert "Rien que pour moi" not in boss.get(url(question)).text
    assert "Rien que pour moi" not in boss.get(f"/guichet/{question.reference}").text


def test_whatever_is_typed_the_preview_does_nothing(house, lea, ask):
    body = "<script>alert(1)</script> [x](javascript:alert(1)) <img src=x onerror=alert(1)> **gras**"
    for html in (keep(house, lea, ask(), body)["preview"], post(house, lea, ask(), body, "apercu").text):
        assert "<strong>gras</strong>" in html
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert 'href="javascript' not in html


# -- checking


def test_a_quotation_that_has_moved_is_told_and_put_right_by_a_click(house, lea, ask):
    store = house.parts.store
    record, wrong = next(
        (id, page.number + 1)
        for id in store.ids()
        for page in store.pages(id)
        if page.number < store.last_page(id) and len(page.text) > 400
    )
    words = max((store.page(record, wrong - 1).text[a:b] for a, b in
                 compose_quoting.sentences(store.page(record, wrong - 1).text)), key=len)[:300]  # fmt: skip
    body = "Voici.\n\n" + quoting.quoted(words, record, wrong, f"Titre, p. {wrong}")
    question = ask()
    page = post(house, lea, question, body, "apercu")
    told = f"La citation de la ligne 3 n’est plus à la page {wrong}"
    assert told in page.text
    assert f"elle est maintenant page {wrong - 1}" in page.text
    mended = typed(post(house, lea, question, body, "corriger 3").text)
    assert [(q.page, q.text) for q in quoting.quotations(mended)] == [
        (wrong - 1, quoting.quotations(body)[0].text)
    ]
    assert told not in post(house, lea, question, mended, "apercu").text


def test_the_sources_are_shown_as_they_will_stand(house, lea, ask):
    record, _ = source(house)
    page = post(house, lea, ask(), quote(house), "apercu")
    assert "ajoutée à la fin de la réponse" in page.text
    assert house.parts.store.get(record).title[:20] in page.text.partition("data-references")[2]


def test_a_document_that_is_not_for_everybody_is_pointed_out(house, lea, ask):
    page = post(house, lea, ask(), f"[x](/notice/{house.records['staff']})", "apercu")
    assert "n’est pas ouvert à tous" in page.text


# -- sending


def test_an_answer_leaves_with_all_that_changes_with_it(house, lea, ask):
    letters(house)
    question = ask(email="anne@exemple.fr")
    sent = post(house, lea, question, f"Voici :\n\n{quote(house)}", "envoyer", minutes="25", effort="3")
    assert sent.location == f"/guichet/{question.reference}"
    (mail,) = letters(house)
    text, html = (mail.get_body((kind,)).get_content().replace("\r", "") for kind in ("plain", "html"))
    record, _ = source(house)
    assert mail["To"] == "anne@exemple.fr"
    assert question.reference in mail["Subject"]
    assert text.startswith("Bonjour,\n\nVoici")
    for part in (text, html):
        assert "Source" in part
        assert f"http://localhost/notice/{record}" in part
        assert f"/suivi/{question.follow}" in part
        assert "Personne repondant" in part
    now = house.parts.desk.get(question.id)
    assert (now.state, now.assignee) == (QuestionState.ANSWERED, house.people[Role.ANSWERER])
    step = [s for s in house.parts.desk.log.of(question.id) if s.kind is StepKind.ANSWERED]
    assert [(s.minutes, s.effort, s.channel) for s in step] == [(25, 3, Channel.EMAIL)]
    (told,) = house.parts.desk.exchanges(question.id)
    assert not told.incoming
    assert told.message_id == mail["Message-ID"]
    assert house.parts.answers.get(question.id).is_sent
    assert f"/guichet/{question.reference}/publication" in lea.get(sent.location).text


def test_the_greeting_and_the_name_are_not_said_twice(house, lea, ask):
    letters(house)
    body = f"Bonjour Madame,\n\n{quote(house)}\n\nBien à vous,\nPersonne repondant"
    post(house, lea, ask(), body, "envoyer")
    text = letters(house)[0].get_body(("plain",)).get_content()
    assert text.count("Bonjour") == 1
    assert text.count("Personne repondant") == 1


def test_an_answer_without_source_says_why_or_stays(house, lea, ask):
    letters(house)
    question = ask()
    page = post(house, lea, question, "De mémoire.", "envoyer")
    assert page.status_code == 400
    assert "dites en quelques mots pourquoi" in page.text
    assert letters(house) == []
    assert house.parts.answers.get(question.id).body == "De mémoire."
    assert house.parts.desk.get(question.id).state is QuestionState.RECEIVED
    assert post(
        house, lea, question, "De mémoire.", "envoyer", version=1, without_source="appris au téléphone"
    ).status_code == 303  # fmt: skip
    text = letters(house)[0].get_body(("plain",)).get_content()
    assert "De mémoire." in text
    assert "appris au téléphone" not in text


@pytest.mark.parametrize(
    "body",
    [
        "> Des mots que personne n’a écrits ici.\n>\n> — [x](/notice/{record}/page/1)",
        "[x](/notice/{record}/page/4000)",
        "[x](/notice/centre:99999)",
    ],
)
def test_what_is_in_no_page_is_held_back_until_somebody_says_so(house, lea, ask, body):
    letters(house)
    question, body = ask(), body.format(record=house.records["public"])
    page = post(house, lea, question, body, "envoyer")
    assert page.status_code == 400
    assert "À corriger." in page.text
    assert letters(house) == []
    assert post(house, lea, question, body, "envoyer", version=1, anyway="y").status_code == 303
    assert len(letters(house)) == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"minutes": "deux"}, "indiquez un nombre de minutes"),
        ({"minutes": "99999"}, "indiquez un nombre de minutes"),
        ({"effort": "7"}, "Choisissez un niveau"),
        ({"way": "pigeon"}, "Choisissez dans la liste"),
    ],
)
def test_what_is_not_right_is_told_and_nothing_leaves(house, lea, ask, fields, words):
    letters(house)
    question = ask()
    page = post(house, lea, question, quote(house), "envoyer", **fields)
    assert page.status_code == 400
    assert words.casefold() in page.text.casefold()
    assert typed(page.text).strip() == quote(house).strip()
    assert letters(house) == []
    assert house.parts.desk.get(question.id).state is QuestionState.RECEIVED


def test_nothing_is_no_answer(house, lea, ask):
    page = post(house, lea, ask(), " \n", "envoyer")
    assert page.status_code == 400
    assert "Écrivez la réponse" in page.text


def test_sent_twice_it_leaves_once(house, lea, ask):
    letters(house)
    question = ask()
    for _ in range(2):
        assert post(house, lea, question, quote(house), "envoyer").status_code == 303
    assert len(letters(house)) == 1
    assert len(house.parts.desk.exchanges(question.id)) == 1


def test_a_complement_leaves_after_a_change_and_says_what_it_is(house, lea, ask):
    question = ask()
    post(house, lea, question, quote(house), "envoyer", minutes="10")
    letters(house)
    assert "Envoyer un complément" in lea.get(url(question)).text
    more = f"{quote(house)}\n\nEt ceci."
    assert post(house, lea, question, more, "envoyer", version=1, minutes="5").status_code == 303
    (mail,) = letters(house)
    assert "un complément à notre réponse du" in mail.get_body(("plain",)).get_content()
    assert mail["In-Reply-To"]
    assert house.parts.desk.get(question.id).state is QuestionState.ANSWERED
    steps = house.parts.desk.log.of(question.id)
    assert sum(s.minutes or 0 for s in steps) == 15
    assert [s.kind for s in steps].count(StepKind.ANSWERED) == 2


def test_what_is_told_by_telephone_is_kept_and_not_mailed(house, lea, ask):
    letters(house)
    question = ask(email="-", channel=Channel.TELEPHONE)
    page = lea.get(url(question))
    assert "par courriel" not in page.text
    assert re.search(r'<option selected value="telephone">', page.text)
    assert post(house, lea, question, quote(house), "envoyer").status_code == 400
    assert post(house, lea, question, quote(house), "envoyer", way="telephone").status_code == 303
    assert letters(house) == []
    (told,) = house.parts.desk.exchanges(question.id)
    assert told.channel is Channel.TELEPHONE
    assert house.parts.desk.get(question.id).state is QuestionState.ANSWERED


def test_a_colleagues_question_stays_theirs(house, lea, ask):
    question, other = ask(), house.somebody(Role.ANSWERER)
    house.parts.desk.claim(question.id, other.id)
    post(house, lea, question, quote(house), "envoyer")
    assert house.parts.desk.get(question.id).assignee == other.id


def test_one_that_waits_for_its_asker_may_be_answered(house, lea, ask):
    question, me = ask(), house.people[Role.ANSWERER]
    house.parts.desk.claim(question.id, me)
    house.parts.desk.move(question.id, QuestionState.WAITING, person=me)
    assert post(house, lea, question, quote(house), "envoyer").status_code == 303
    assert house.parts.desk.get(question.id).state is QuestionState.ANSWERED


def test_a_closed_question_is_not_answered_before_it_is_opened_again(house, lea, ask):
    letters(house)
    question = ask()
    house.parts.desk.move(question.id, QuestionState.CLOSED)
    assert 'value="envoyer"' not in lea.get(url(question)).text
    page = post(house, lea, question, quote(house), "envoyer")
    assert page.status_code == 400
    assert "rien n’est parti" in page.text
    assert letters(house) == []
    assert house.parts.desk.exchanges(question.id) == ()


def test_a_merged_question_leads_to_the_one_that_it_is_a_part_of(house, lea, ask):
    whole, part = ask(), ask()
    merge(part.id, whole.id, desk=house.parts.desk, database=house.parts.store.database)
    assert lea.get(url(part)).location == f"/guichet/{whole.reference}"


def test_what_was_typed_on_a_question_that_was_merged_meanwhile_follows_it(house, lea, ask):
    whole, part = ask(), ask()
    merge(part.id, whole.id, desk=house.parts.desk, database=house.parts.store.database)
    assert post(house, lea, part, "Ce que j’écrivais.").location == f"/guichet/{whole.reference}"
    kept = house.parts.answers.draft(whole.id, house.people[Role.ANSWERER])
    assert kept is not None
    assert kept.body == "Ce que j’écrivais."


def test_somebody_who_saved_meanwhile_holds_the_letter_back(house, lea, ask):
    letters(house)
    question, other = ask(), house.somebody(Role.ANSWERER)
    house.parts.answers.save(question.id, "De l’autre.", 0, person=other.id)
    assert post(house, lea, question, quote(house), "envoyer").status_code == 409
    assert letters(house) == []
    assert house.parts.desk.get(question.id).state is QuestionState.RECEIVED


def test_nothing_of_a_text_is_logged(house, lea, ask, capfd):
    question = ask()
    post(house, lea, question, f"Lamentin secret\n\n{quote(house)}", "envoyer")
    said = capfd.readouterr()
    assert "Lamentin secret" not in said.out + said.err


def test_a_bad_place_is_refused():
    for code in ("", "a", "c:1/1/1", "c:1/1/1-2-3", "c:1/-1/1-2"):
        with pytest.raises(InvalidValue):
            Place.from_code(code)
    assert dataclasses.astuple(Place.from_code("c:1/2/3-4")) == ("c:1", 2, 3, 4)
