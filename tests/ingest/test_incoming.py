"""Messages that come to the desk, as mail programs write them and as nobody should."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import incoming
from ingest.incoming import Incoming
from ingest.isolation import Sandbox
from ingest.mail_body import LONGEST_TEXT, MOST_BYTES, MOST_ENCLOSURES, html_text, safe_name
from kb.errors import IngestError, Reason, UnreadableDocument
from kb.threads import Thread, Why, matched, new_message_id, reply_subject

NOW = datetime(2026, 3, 13, 12, 0, tzinfo=UTC)
OURS = "<q.2026-042.k3j2h1abcdefghijklmnop@exemple.fr>"

Read = Callable[[bytes | str], Incoming]


@pytest.fixture
def read(sandbox: Sandbox, tmp_path: Path) -> Read:
    def reading(content: bytes | str) -> Incoming:
        path = tmp_path / "message.eml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return incoming.read(sandbox, path, now=NOW)

    return reading


def mail(body: str = "Bonjour,\n\nQui finance ?\n", **fields: str) -> str:
    """A message of plain text; ``message_id`` is written Message-ID."""
    head = {
        "From": "Ana Roy <ana@exemple.org>",
        "To": "questions@exemple.fr",
        "Subject": "Aide",
        "Date": "Thu, 12 Mar 2026 10:02:00 -0400",
        "Message-ID": "<1@exemple.org>",
        "Content-Type": "text/plain; charset=utf-8",
    } | {name.replace("_", "-"): value for name, value in fields.items()}
    return "".join(f"{name}: {value}\n" for name, value in head.items() if value) + "\n" + body


# -- what mail programs write

GMAIL = f"""\
Return-Path: <ana.roy@exemple.org>
MIME-Version: 1.0
References: <CAB@mail.exemple.org> {OURS}
In-Reply-To: {OURS}
From: =?UTF-8?Q?Ana_Roy_=28Fort=2Dde=2DFrance=29?= <ana.roy@exemple.org>
Date: Thu, 12 Mar 2026 10:02:33 -0400
Message-ID: <CAC+x=y@mail.exemple.org>
Subject: =?UTF-8?Q?Re=3A_Aide_aux_associations_=5BQ_2026=2D042=5D?=
To: Centre <questions@exemple.fr>
Content-Type: multipart/alternative; boundary="000000000000a1"

--000000000000a1
Content-Type: text/plain; charset="UTF-8"
Content-Transfer-Encoding: quoted-printable

Merci pour votre r=C3=A9ponse.

Le jeu. 12 mars 2026 =C3=A0 09:00, Centre <questions@exemple.fr> a =C3=A9crit=
=C2=A0:

> Bonjour,
>
> Voici.
>

--000000000000a1
Content-Type: text/html; charset="UTF-8"
Content-Transfer-Encoding: quoted-printable

<div dir=3D"ltr">Merci pour votre r=C3=A9ponse.</div><br><div class=3D"gmail_=
quote"><div dir=3D"ltr" class=3D"gmail_attr">Le jeu. 12 mars</div></div>

--000000000000a1--
"""

OUTLOOK = f"""\
From: "ROY Ana" <Ana.Roy@exemple.org>
To: "questions@exemple.fr" <questions@exemple.fr>
Subject: =?iso-8859-1?Q?RE:_R=E9ponse_[Q_2026-042]?=
Thread-Topic: =?iso-8859-1?Q?R=E9ponse_[Q_2026-042]?=
Thread-Index: AQHZabc==
Date: Thu, 12 Mar 2026 14:02:33 +0000
Message-ID: <PR0P264MB@PR0P264.PROD.EXEMPLE.ORG>
References: {OURS}
In-Reply-To: {OURS}
Content-Language: fr-FR
Content-Type: multipart/mixed; boundary="_004_"
MIME-Version: 1.0

--_004_
Content-Type: multipart/related; boundary="_003_"

--_003_
Content-Type: text/html; charset="iso-8859-1"
Content-Transfer-Encoding: quoted-printable

<html><head><style><!-- p.MsoNormal {{margin:0cm}} --></style></head><body lang=3D"FR">
<div class=3D"WordSection1"><p class=3D"MsoNormal">Bonjour,<o:p></o:p></p>
<p class=3D"MsoNormal"><o:p>&nbsp;</o:p></p>
<p class=3D"MsoNormal">Le co=FBt est de 10=A0000=A0=80, voir
 <a href=3D"https://exemple.org/note">la note</a>.<o:p></o:p></p>
<p class=3D"MsoNormal"><img src=3D"cid:image001.png@01D"></p>
<div style=3D"border:none;border-top:solid #E1E1E1 1.0pt">
<p class=3D"MsoNormal"><b>De&nbsp;:</b> Centre &lt;questions@exemple.fr&gt;<br>
<b>Envoy=E9&nbsp;:</b> jeudi 12 mars 2026 09:00<br><b>=C0&nbsp;:</b> ROY Ana<br>
<b>Objet&nbsp;:</b> R=E9ponse</p></div><p class=3D"MsoNormal">Voici notre r=E9ponse.</p>
</div></body></html>

--_003_
Content-Type: image/png; name="image001.png"
Content-ID: <image001.png@01D>
Content-Disposition: inline; filename="image001.png"
Content-Transfer-Encoding: base64

iVBORw0KGgo=

--_003_--

--_004_
Content-Type: application/pdf; name="=?iso-8859-1?Q?d=E9lib=E9ration.pdf?="
Content-Disposition: attachment; filename="=?iso-8859-1?Q?d=E9lib=E9ration.pdf?="
Content-Transfer-Encoding: base64

JVBERi0=

--_004_--
"""

THUNDERBIRD = f"""\
Message-ID: <0f5c2b@exemple.org>
Date: Thu, 12 Mar 2026 10:02:33 -0400
MIME-Version: 1.0
User-Agent: Mozilla Thunderbird
Subject: Re: Aide [Q 2026-042]
References: <a@exemple.org>
 {OURS}
From: =?UTF-8?B?SMOpbMOobmU=?= <helene@exemple.org>
In-Reply-To: {OURS}
Content-Type: text/plain; charset=UTF-8; format=flowed
Content-Transfer-Encoding: 8bit

Le 12/03/2026 à 09:00, Centre a écrit :
> Pour quelle commune ?
Pour Schœlcher.
> Et quelle année ?
2025

--\x20
Hélène
"""

APPLE = f"""\
From: Bob <bob@exemple.org>
Content-Type: multipart/mixed; boundary="Apple-Mail=_1"
Mime-Version: 1.0 (Mac OS X Mail 16.0)
Subject: Re: Aide
Date: Thu, 12 Mar 2026 10:02:33 -0400
In-Reply-To: {OURS}
Message-Id: <6F@exemple.org>

--Apple-Mail=_1
Content-Transfer-Encoding: quoted-printable
Content-Type: text/plain; charset=utf-8

Voici la photo :

--Apple-Mail=_1
Content-Disposition: inline; filename="=?utf-8?Q?e=CC=81cole=2Ejpg?="
Content-Type: image/jpeg; name="=?utf-8?Q?e=CC=81cole=2Ejpg?="
Content-Transfer-Encoding: base64

/9j/4AA=

--Apple-Mail=_1
Content-Transfer-Encoding: quoted-printable
Content-Type: text/plain; charset=utf-8

Merci,

Envoy=C3=A9 de mon iPhone

> Le 12 mars 2026 =C3=A0 09:00, Centre <questions@exemple.fr> a =C3=A9crit=C2=
=A0:
>=20
> Voici.

--Apple-Mail=_1--
"""

ZIMBRA = f"""\
Date: Thu, 12 Mar 2026 15:02:33 +0100 (CET)
From: Cleo Zed <cleo@exemple.org>
To: questions <questions@exemple.fr>
Message-ID: <123.456.JavaMail.zimbra@exemple.org>
In-Reply-To: {OURS}
Subject: =?utf-8?Q?Re=3A_Aide?=
MIME-Version: 1.0
Content-Type: text/html; charset=utf-8

<html><body><div style="font-family: arial">Très bien.<br/>Nous viendrons.<div><br/></div>
<hr id="zwchr"/><blockquote style="border-left:2px solid #1010FF;margin-left:5px"><b>De: </b>"Centre"<br/>
<b>À: </b>"Cleo"<br/><b>Envoyé: </b>Jeudi<br/><b>Objet: </b>Aide<br/><div>Venez mardi.</div></blockquote>
</div></body></html>
"""

ORANGE = f"""\
From: "d.dom" <d.dom@exemple.org>
To: questions@exemple.fr
Subject: re: Aide [Q 2026-042]
Date: Thu, 12 Mar 2026 15:02:33 +0100
Message-ID: <99.Orange@exemple.org>
References: {OURS}
Content-Type: text/plain; charset=ISO-8859-1
Content-Transfer-Encoding: 8bit

Merci beaucoup

> Message du 12/03/26 09:00
> De : Centre
> A : d.dom@exemple.org
> Objet : Aide
>
> Voici.
""".encode("latin-1")


def test_a_reply_by_gmail(read: Read):
    assert read(GMAIL) == Incoming(
        sender="ana.roy@exemple.org",
        name="Ana Roy (Fort-de-France)",
        subject="Re: Aide aux associations [Q 2026-042]",
        text="Merci pour votre réponse.",
        quoted="Le jeu. 12 mars 2026 à 09:00, Centre <questions@exemple.fr> a écrit\u00a0:\n\n"
        "> Bonjour,\n>\n> Voici.\n>",
        message_id="<CAC+x=y@mail.exemple.org>",
        references=("<CAB@mail.exemple.org>", OURS),
        in_reply_to=OURS,
        sent=datetime(2026, 3, 12, 14, 2, 33, tzinfo=UTC),
        automatic=False,
        bounce=False,
    )


def test_a_reply_by_outlook(read: Read):
    found = read(OUTLOOK)
    assert found.text == (
        "Bonjour,\n\nLe coût est de 10\u00a0000\u00a0€, voir la note <https://exemple.org/note>."
    )
    assert found.quoted.startswith("De\u00a0: Centre <questions@exemple.fr>\nEnvoyé\u00a0: jeudi 12 mars")
    assert found.quoted.endswith("Voici notre réponse.")
    assert (found.sender, found.name) == ("Ana.Roy@exemple.org", "ROY Ana")
    assert (found.subject, found.in_reply_to) == ("RE: Réponse [Q 2026-042]", OURS)
    assert [(file.name, file.media_type, file.content) for file in found.enclosures] == [
        ("délibération.pdf", "application/pdf", b"%PDF-"),
        ("image001.png", "image/png", b"\x89PNG\r\n\x1a\n"),
    ]
    assert found.warnings == ()


def test_a_reply_by_thunderbird_between_the_lines(read: Read):
    found = read(THUNDERBIRD)
    assert found.text.startswith(
        "Le 12/03/2026 à 09:00, Centre a écrit :\n> Pour quelle commune ?\nPour Schœlcher."
    )
    assert found.text.endswith("> Et quelle année ?\n2025")
    assert found.quoted == "--\nHélène"
    assert (found.name, found.references) == ("Hélène", ("<a@exemple.org>", OURS))


def test_a_reply_by_apple_mail_with_a_picture_in_the_text(read: Read):
    found = read(APPLE)
    assert found.text == "Voici la photo :\n\nMerci,"
    assert found.quoted.startswith("Envoyé de mon iPhone\n\n> Le 12 mars 2026")
    assert [(file.name, file.media_type) for file in found.enclosures] == [("école.jpg", "image/jpeg")]


def test_a_reply_by_zimbra_in_html_only(read: Read):
    found = read(ZIMBRA)
    assert found.text == "Très bien.\nNous viendrons."
    assert found.quoted.split("\n") == [
        *('> De: "Centre"', '> À: "Cleo"', "> Envoyé: Jeudi", "> Objet: Aide", "> Venez mardi.")
    ]
    assert found.in_reply_to == OURS


def test_a_reply_by_orange(read: Read):
    found = read(ORANGE)
    assert found.text == "Merci beaucoup"
    assert found.quoted.startswith("> Message du 12/03/26 09:00\n> De : Centre")
    assert (found.references, found.in_reply_to) == ((OURS,), OURS)


@pytest.mark.parametrize("content", [GMAIL, OUTLOOK, THUNDERBIRD, APPLE, ZIMBRA, ORANGE])
def test_line_ends_and_a_mark_at_the_head_change_nothing(read: Read, content: str | bytes):
    plain = content if isinstance(content, bytes) else content.encode()
    assert read(b"\xef\xbb\xbf\r\n" + plain.replace(b"\n", b"\r\n")) == read(plain)


@pytest.mark.parametrize("content", [GMAIL, OUTLOOK, THUNDERBIRD, APPLE, ZIMBRA, ORANGE])
def test_replies_find_the_question(read: Read, content: str | bytes):
    found = matched(
        read(content),
        by_message_id={OURS: 7}.get,
        by_reference={}.get,
        asker_of=lambda _: "ana.roy@exemple.org",
    )
    assert (found.question, found.sure) == (7, True)
    assert found.why in (Why.ANSWERS, Why.ANSWERS_FOR)


# -- what goes out comes back


@pytest.mark.parametrize("keeps", ["In-Reply-To", "References", "Subject"])
def test_an_answer_to_our_message_comes_back_to_its_question(read: Read, keeps: str):
    thread = Thread(new_message_id("2026-042", "exemple.fr"), "<0@exemple.org>")
    reply = EmailMessage(policy=SMTP)
    reply["From"] = "ana@exemple.org"
    reply["To"] = "questions@exemple.fr"
    reply["Subject"] = reply_subject("Aide", "2026-042") if keeps == "Subject" else "Suite"
    if keeps != "Subject":
        reply[keeps] = f"<0@exemple.org> {thread.message_id}"
    reply.set_content("Merci")
    found = matched(
        read(reply.as_bytes()),
        by_message_id={thread.message_id: 7}.get,
        by_reference={"2026-042": 7}.get,
        asker_of={7: "ana@exemple.org"}.get,
    )
    assert (found.question, found.sure) == (7, True)


# -- text


def parts(*bodies: str, kind: str = "mixed", **fields: str) -> str:
    """A message of parts, each with its own head."""
    body = "".join(f"--b\n{one}\n" for one in bodies) + "--b--\n"
    return mail(body, Content_Type=f"multipart/{kind}; boundary=b", **fields)


def test_plain_text_that_says_nothing_gives_way_to_html(read: Read):
    html = "Content-Type: text/html\n\n<p>Bonjour</p><p>Voici</p>"
    found = read(parts("Content-Type: text/plain\n\n \n", html, kind="alternative"))
    assert found.text == "Bonjour\n\nVoici"
    assert read(parts("Content-Type: text/plain\n\nOui", html, kind="alternative")).text == "Oui"


def test_files_of_the_version_that_is_not_read_are_kept(read: Read):
    inner = "Content-Type: multipart/mixed; boundary=c\n\n--c\nContent-Type: text/html\n\n<p>a</p>\n--c\n"
    inner += "Content-Type: application/pdf; name=a.pdf\n\n%PDF-\n--c--\n"
    inner = inner.replace("--c--", "--c\nContent-Type: image/png; name=b.png\n\nx\n--c--")
    versions = ("Content-Type: text/plain\n\nOui", "Content-Type: text/x-amp-html\n\n<p>Oui</p>", inner)
    found = read(parts(*versions, kind="alternative"))
    assert (found.text, [file.name for file in found.enclosures]) == ("Oui", ["a.pdf", "b.png"])


def test_an_invitation_is_a_file(read: Read):
    versions = ("Content-Type: text/plain\n\nVenez", "Content-Type: text/calendar\n\nBEGIN:VCALENDAR")
    found = read(parts(*versions, kind="alternative"))
    assert (found.text, [file.media_type for file in found.enclosures]) == ("Venez", ["text/calendar"])


@pytest.mark.parametrize(
    ("charset", "content"),
    [
        ("utf-8", "Coût : 10 €, à l’école".encode("cp1252")),
        ("us-ascii", "Coût : 10 €, à l’école".encode()),
        ("iso-8859-1", "Coût : 10 €, à l’école".encode("cp1252")),
        ("x-inconnu", "Coût : 10 €, à l’école".encode()),
        ("", "Coût : 10 €, à l’école".encode("cp1252")),
        ("utf-16", "Coût : 10 €, à l’école".encode()),
    ],
)
def test_a_character_set_that_is_not_the_one_said_is_found(read: Read, charset: str, content: bytes):
    kind = f"text/plain; charset={charset}" if charset else "text/plain"
    found = read(mail("", Content_Type=kind, Content_Transfer_Encoding="8bit").encode() + content)
    assert found.text == "Coût : 10 €, à l’école"


def test_what_is_no_text_at_all_does_not_lose_the_message(read: Read):
    found = read(mail("").encode() + b"Bonjour \x00\x01\x02\x03\xff\xfe\x04" * 3)
    assert found.text.startswith("Bonjour")
    assert any("illisibles" in line for line in found.warnings)


def test_a_character_set_that_python_stumbles_over_does_not_lose_the_message(read: Read):
    found = read(mail("Été\n", Content_Type="text/plain; charset=a\x00b"))
    assert found.text == "Été"


def test_a_boundary_that_is_wrong_leaves_the_text(read: Read):
    found = read(mail("Bonjour\n", Content_Type="multipart/mixed; boundary=absent"))
    assert found.text == "Bonjour"


def test_a_very_long_text_is_cut_with_a_warning(read: Read):
    found = read(mail("été " * 100_000))
    assert len(found.text) + len(found.quoted) <= LONGEST_TEXT
    assert found.warnings == ("texte coupé après 200\u202f000 caractères",)


def test_invisible_characters_are_left_out(read: Read):
    assert read(mail("a\u202eb\u200bc\x07d\n")).text == "abcd"


def test_an_encrypted_message_says_so(read: Read):
    found = read(parts("Content-Type: application/octet-stream; name=a.asc\n\nhQE", kind="encrypted"))
    assert any("chiffré" in line for line in found.warnings)
    assert [file.name for file in found.enclosures] == ["a.asc"]


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Un\n deux</p><p>trois<br>quatre</p>", "Un deux\n\ntrois\nquatre"),
        ("<div>a</div><div><br></div><div>b</div>", "a\n\nb"),
        ("<style>p{}</style><script>x</script><!-- c --><title>t</title>Texte", "Texte"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<blockquote type='cite'>a<br>b<blockquote class='gmail_quote'>c</blockquote></blockquote>d",
         "> a\n> b\n>> c\nd"),
        ("<blockquote>en retrait</blockquote>", "en retrait"),
        ("<a href='https://exemple.fr/'>https://exemple.fr</a>", "https://exemple.fr"),
        ("<a href='javascript:x'>ici</a>", "ici"),
        ("<ul><li>un</li><li>deux</li></ul>", "un\ndeux"),
        ("a\x01b", "ab"),
        ("<p>a</p><p>&nbsp;</p><p>b</p>", "a\n\nb"),
        ("<p class='MsoNormal'>a</p><p class='MsoNormal'>b</p><p class='MsoNormal'>&nbsp;</p>c", "a\nb\n\nc"),
        ("<div>a<br></div><div>b<br><br><br>c</div>", "a\nb\n\nc"),
        ("<blockquote type='cite'><p>a</p><p>b</p></blockquote>", "> a\n>\n> b"),
        ("", ""),
    ],
)  # fmt: skip
def test_html_is_read_line_for_line(markup: str, text: str):
    assert html_text(markup) == text


_CLOSED = "<blockquote type=cite>"


@pytest.mark.parametrize(
    "content",
    [
        mail("<div>" * 30_000 + "Bonjour", Content_Type="text/html"),
        mail(_CLOSED * 20_000 + "Bonjour" + "<p>a" * 20_000, Content_Type="text/html"),
        mail("<a href='https://exemple.org/'>Bonjour" * 20_000, Content_Type="text/html"),
        mail("Bonjour\n" + "--\n" * 60_000),
        mail("Bonjour\n--" + " " * 190_000 + "x"),
        mail("Bonjour\n" + "Le 12 mars à 10:02\n" * 10_000),
        mail("Bonjour\n" + "De : a\n" * 25_000),
        mail("Bonjour", References="a" * 1_000_000),
        mail("Bonjour", References="<" * 100_000, In_Reply_To="=?utf-8?q?" * 20_000),
        mail("Bonjour", Subject="Re:" * 100_000, From="(" * 300 + "ana@exemple.org"),
        mail("Bonjour", Subject="=?utf-8?q?=C3=A9?= " * 20_000),
    ],
    ids=lambda content: ascii(content[-30:]),
)
def test_what_goes_on_without_end_takes_no_time(read: Read, content: str):
    began = time.monotonic()
    assert "Bonjour" in read(content).text
    assert time.monotonic() - began < 20  # it takes below a second on a machine that does nothing else


# -- the head


@pytest.mark.parametrize(
    ("said", "sender", "name"),
    [
        ("ana@exemple.org", "ana@exemple.org", ""),
        ("Ana <ana@exemple.org>", "ana@exemple.org", "Ana"),
        ('"Roy, Ana" <ana@exemple.org>', "ana@exemple.org", "Roy, Ana"),
        ("Hélène <h@exemple.org>", "h@exemple.org", "Hélène"),
        ("=?utf-8?q?H=C3=A9l=C3=A8ne?= <h@exemple.org>", "h@exemple.org", "Hélène"),
        ("Ana <>", "", "Ana <>"),
        ("", "", ""),
    ],
)
def test_who_wrote_is_told(read: Read, said: str, sender: str, name: str):
    found = read(mail(From=said))
    assert (found.sender, found.name) == (sender, name)
    assert bool(found.warnings) == (sender == "")


def test_fields_in_an_old_set_without_encoding_are_read(read: Read):
    found = read(mail(From="Hélène <h@exemple.org>", Subject="Été à l’école").encode("cp1252"))
    assert (found.name, found.subject) == ("Hélène", "Été à l’école")


def test_an_address_in_an_encoded_name_is_not_the_sender(read: Read):
    found = read(mail(From="=?utf-8?q?=3Cana=40exemple=2Eorg=3E=2C?= <eve@exemple.org>"))
    assert found.sender == "eve@exemple.org"


def test_of_several_senders_the_first_counts_and_it_is_said(read: Read):
    found = read(mail(From="eve@exemple.org, ana@exemple.org"))
    assert found.sender == "eve@exemple.org"
    assert found.warnings == ("plusieurs expéditeurs : le premier est retenu",)
    doubled = read("From: eve@exemple.org\n" + mail())
    assert (doubled.sender, len(doubled.warnings)) == ("eve@exemple.org", 1)


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ("Thu, 12 Mar 2026 10:02:00 -0400", datetime(2026, 3, 12, 14, 2, tzinfo=UTC)),
        ("12 Mar 2026 10:02 +0100 (CET)", datetime(2026, 3, 12, 9, 2, tzinfo=UTC)),
        ("Thu, 12 Mar 2026 10:02:00 GMT", datetime(2026, 3, 12, 10, 2, tzinfo=UTC)),
        ("Thu, 12 Mar 2026 10:02:00 -0000", datetime(2026, 3, 12, 10, 2, tzinfo=UTC)),
        ("", None),
    ],
)
def test_when_it_was_sent_is_told_in_utc(read: Read, said: str, sent: datetime | None):
    found = read(mail(Date=said))
    assert (found.sent, found.warnings) == (sent, ())


@pytest.mark.parametrize(
    ("said", "sent", "why"),
    [
        ("Thu, 12 Mar 2026 10:02:00", None, "sans fuseau"),
        ("Thu, 12 Mar 2099 10:02:00 +0000", NOW, "avenir"),
        ("Thu, 01 Jan 1970 00:00:00 +0000", None, "impossible"),
        ("jeudi dernier", None, "impossible"),
        ("Thu, 99 Mar 2026 10:02:00 +0000", None, "impossible"),
        ("Thu, 12 Mar 2026 10:02:00 +9999", None, "impossible"),
        ("Fri, 31 Dec 9999 23:59:59 -2359", None, "impossible"),
    ],
)
def test_a_date_that_cannot_be_is_told(read: Read, said: str, sent: datetime | None, why: str):
    found = read(mail(Date=said))
    assert found.sent == sent
    assert why in found.warnings[0]


def test_a_clock_that_goes_a_little_fast_is_set_right_without_a_word(read: Read):
    fast = (NOW + timedelta(minutes=5)).strftime("%a, %d %b %Y %H:%M:%S +0000")
    found = read(mail(Date=fast))
    assert (found.sent, found.warnings) == (NOW, ())


def test_a_subject_in_several_lines_is_one(read: Read):
    found = read(mail(Subject="=?utf-8?q?Bonjour=0ABcc=3A_x?=\n suite\x07"))
    assert "\n" not in found.subject
    assert found.subject.startswith("Bonjour")
    assert len(read(mail(Subject="é" * 3000)).subject) == 500


# -- machines


@pytest.mark.parametrize(
    "fields",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated (rule)"},
        {"Precedence": "bulk"},
        {"Precedence": "auto_reply"},
        {"X_Autoreply": "yes"},
        {"List_Id": "<liste.exemple.org>"},
        {"List_Unsubscribe": "<https://exemple.org/>"},
        {"Return_Path": "<>"},
        {"Subject": "Réponse automatique : Aide"},
        {"Subject": "Absence du bureau : Aide"},
        {"Subject": "Absence du bureau"},
        {"Subject": "Automatic reply: Aide"},
    ],
)
def test_what_a_machine_wrote_is_told(read: Read, fields: dict[str, str]):
    found = read(mail(**fields))
    assert (found.automatic, found.bounce) == (True, False)


@pytest.mark.parametrize(
    "fields",
    [
        {"Auto_Submitted": "no"},
        {"Auto_Submitted": "No (a person)"},
        {"Precedence": "first-class"},
        {"Subject": "Absence du bureau de poste dans le quartier"},
        {"Subject": "Re: message automatique de la mairie"},
        {"Return_Path": "<ana@exemple.org>"},
    ],
)
def test_what_a_person_wrote_is_not_taken_for_a_machine_s(read: Read, fields: dict[str, str]):
    assert not read(mail(**fields)).automatic


def report(action: str, kind: str = "delivery-status") -> str:
    told = f"Content-Type: message/{kind}\n\nReporting-MTA: dns; x\n\nFinal-Recipient: a@x\nAction: {action}"
    returned = f"Content-Type: message/rfc822\n\nFrom: questions@exemple.fr\nMessage-ID: {OURS}\n\nBonjour"
    said = "Content-Type: text/plain\n\nVotre message n’est pas arrivé."
    message = parts(said, told + "\n", returned, From="MAILER-DAEMON@exemple.org", kind="X")
    return message.replace("multipart/X", f"multipart/report; report-type={kind}")


def test_a_message_that_came_back_is_tied_to_its_question(read: Read):
    found = read(report("failed"))
    assert (found.bounce, found.automatic) == (True, True)
    assert found.references == (OURS,)
    assert found.text == "Votre message n’est pas arrivé."


@pytest.mark.parametrize("content", [report("delayed"), report("displayed", "disposition-notification")])
def test_a_delay_and_a_receipt_are_no_failure(read: Read, content: str):
    found = read(content)
    assert (found.bounce, found.automatic) == (False, True)


def test_a_bounce_of_an_old_server_is_known_by_its_sender(read: Read):
    body = f"Je n’ai pas pu remettre votre message.\n\n--- copie\nMessage-ID: {OURS}\nSubject: Aide\n"
    found = read(mail(body, From="MAILER-DAEMON@exemple.org"))
    assert (found.bounce, found.references) == (True, (OURS,))


# -- enclosures


def enclosed(*files: tuple[str, bytes]) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"], message["Subject"] = "ana@exemple.org", "Pièces"
    message.set_content("Voici.")
    for name, content in files:
        message.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    return message.as_bytes()


def test_enclosures_beyond_the_limits_are_named(read: Read):
    found = read(enclosed(*((f"{number}.pdf", b"x") for number in range(MOST_ENCLOSURES + 2))))
    assert [file.name for file in found.enclosures] == [f"{number}.pdf" for number in range(MOST_ENCLOSURES)]
    assert found.warnings[0].startswith("pièces jointes laissées de côté : « 20.pdf », « 21.pdf » (20 pièces")
    assert found.text == "Voici."


def test_what_is_too_large_is_left_out_and_what_fits_stays(read: Read):
    found = read(enclosed(("a.pdf", b"x"), ("b.pdf", bytes(MOST_BYTES)), ("c.pdf", bytes(MOST_BYTES - 1))))
    assert [(file.name, len(file.content)) for file in found.enclosures] == [
        ("a.pdf", 1),
        ("c.pdf", MOST_BYTES - 1),
    ]
    assert "« b.pdf »" in found.warnings[0]


def test_a_message_attached_is_one_file(read: Read):
    inner = "Content-Type: message/rfc822\n\n" + mail("Dedans").replace("\n", "\n")
    found = read(parts("Content-Type: text/plain\n\nDehors", inner))
    assert found.text == "Dehors"
    assert [file.name for file in found.enclosures] == ["pièce jointe 1.eml"]
    assert b"Dedans" in found.enclosures[0].content


def test_files_without_a_name_get_one(read: Read):
    found = read(parts("Content-Type: application/pdf\n\n%PDF-", "Content-Type: image/png\n\nx"))
    assert [file.name for file in found.enclosures] == ["pièce jointe 1.pdf", "image 2.png"]


def test_an_enclosure_that_is_badly_encoded_does_not_lose_the_message(read: Read):
    broken = "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n!!!é=A"
    found = read(parts("Content-Type: text/plain\n\nVoici", broken))
    assert found.text == "Voici"
    assert [file.name for file in found.enclosures] == ["a.pdf"] or found.warnings


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("plan.pdf", "plan.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\plan.pdf", "plan.pdf"),
        ("..", ""),
        (".htaccess", "htaccess"),
        ("a\x00b\r\nc\u202efdp.exe", "abcfdp.exe"),
        ('a<b>:"|?*.pdf', "a_b______.pdf"),
        ("e\u0301cole.pdf", "école.pdf"),
        ("k" * 300 + ".pdf", "k" * 116 + ".pdf"),
        (" plan . ", "plan"),
        ("", ""),
    ],
)
def test_names_of_files_are_made_safe(name: str, safe: str):
    assert safe_name(name) == safe


@given(st.text())
def test_no_name_of_a_file_leads_elsewhere(name: str):
    safe = safe_name(name)
    assert not set(safe) & set('/\\\x00\n\r<>:"|?*')
    assert not safe.startswith(".")
    assert len(safe) <= 120
    assert safe_name(safe) == safe


def test_a_media_type_that_is_none_is_plain_bytes(read: Read):
    found = read(parts('Content-Type: "x<script>/é"; name=a.bin\nContent-Disposition: attachment\n\nx'))
    assert [file.media_type for file in found.enclosures if file.name == "a.bin"] in (
        ["application/octet-stream"],
        ["text/plain"],
    )


# -- what is no message


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Reason.EMPTY),
        (b" \r\n\t\n", Reason.EMPTY),
        (b"From: ana@exemple.org\nTo: b@exemple.fr\n\n", Reason.EMPTY),
        (b"Bonjour, ceci est une lettre.\nMerci\n", Reason.UNSUPPORTED),
        (b"%PDF-1.4\n", Reason.UNSUPPORTED),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), Reason.UNSUPPORTED),
        (b"PK\x03\x04" + bytes(100), Reason.UNSUPPORTED),
    ],
)
def test_what_is_no_message_says_why(read: Read, content: bytes, reason: Reason):
    with pytest.raises(UnreadableDocument) as caught:
        read(content)
    assert caught.value.reason is reason


def test_a_subject_alone_is_a_message(read: Read):
    found = read("From: ana@exemple.org\nSubject: Qui finance ?\n\n")
    assert (found.subject, found.text) == ("Qui finance ?", "")


def test_a_file_that_is_not_there_or_too_large_says_so(sandbox: Sandbox, tmp_path: Path):
    with pytest.raises(UnreadableDocument) as caught:
        incoming.read(sandbox, tmp_path / "absent.eml")
    assert caught.value.reason is Reason.MISSING
    with (tmp_path / "large.eml").open("wb") as file:
        file.truncate(60_000_001)
    with pytest.raises(UnreadableDocument) as caught:
        incoming.read(sandbox, tmp_path / "large.eml")
    assert caught.value.reason is Reason.TOO_LARGE


def test_parts_in_parts_without_end_are_refused(read: Read):
    body = "".join(
        f"Content-Type: multipart/mixed; boundary=b{depth}\n\n--b{depth}\n" for depth in range(1, 60)
    )
    with pytest.raises(UnreadableDocument) as caught:
        read(parts(body))
    assert caught.value.reason is Reason.TOO_DEEP


def _mutations(content: bytes, count: int) -> Iterator[bytes]:
    chance = random.Random(7)
    for _ in range(count):
        torn = bytearray(content)
        for _ in range(chance.randint(1, 12)):
            at = chance.randrange(len(torn))
            piece = bytes(chance.choices(range(256), k=chance.randint(0, 6)))
            torn[at : at + chance.randint(0, 30)] = piece
        yield bytes(torn)


def _read_or_refused(read: Read, content: bytes) -> str:
    try:
        found = read(content)
    except IngestError as error:
        return error.reason
    return "read" if found.subject or found.text or found.enclosures else "nothing"


@pytest.mark.parametrize("content", [GMAIL, OUTLOOK, APPLE, report("failed")])
def test_a_torn_message_is_read_or_refused_but_never_breaks_the_reader(read: Read, content: str):
    for torn in _mutations(content.encode(), 25):
        assert _read_or_refused(read, torn) in ("read", Reason.DAMAGED, Reason.UNSUPPORTED, Reason.EMPTY)


# -- a child that lies

GOOD = {
    **dict.fromkeys(("sender", "name", "subject", "text", "quoted"), ""),
    **dict.fromkeys(("message_id", "in_reply_to", "sent"), None),
    **dict.fromkeys(("references", "enclosures", "warnings"), ()),
    **dict.fromkeys(("automatic", "bounce"), False),
}


@pytest.mark.parametrize(
    ("frames"),
    [
        [],
        [b"{"],
        [b"[]"],
        [b"{}"],
        [b"[" * 100_000],
        [json.dumps(GOOD | {"text": 1}).encode()],
        [json.dumps(GOOD | {"text": "a" * (LONGEST_TEXT + 1)}).encode()],
        [json.dumps(GOOD | {"automatic": "no"}).encode()],
        [json.dumps(GOOD | {"message_id": "a\r\nBcc: x"}).encode()],
        [json.dumps(GOOD | {"references": "<a@x>"}).encode()],
        [json.dumps(GOOD | {"sent": "hier"}).encode()],
        [json.dumps(GOOD).encode(), b"x"],
        [json.dumps(GOOD | {"enclosures": [["a", "b"]]}).encode()],
        [json.dumps(GOOD | {"enclosures": [["a", 1]]}).encode(), b"x"],
        [json.dumps(GOOD | {"enclosures": [["a", "b"]]}).encode(), bytes(MOST_BYTES + 1)],
    ],
)
def test_what_a_child_could_not_honestly_say_is_refused(frames: list[bytes]):
    with pytest.raises((ValueError, TypeError, LookupError, RecursionError)):
        incoming._from_wire(frames)


def test_names_that_a_child_says_are_made_safe_again():
    told = GOOD | {"enclosures": [["../../a.pdf", "x y"], ["/", "text/html"]], "text": "\ud800"}
    found = incoming._from_wire([json.dumps(told).encode(), b"1", b"2"])
    assert [(file.name, file.media_type) for file in found.enclosures] == [
        ("a.pdf", "application/octet-stream"),
        ("pièce jointe", "text/html"),
    ]
    assert found.text == "?"
