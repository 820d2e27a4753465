"""Harvests from servers that behave as servers do: each is a real one, in a thread, on 127.0.0.1."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import harvest
from ingest.connector import Connector, Fetched, Limits
from ingest.harvest import Batch, Get, Patience, Wanted
from kb.errors import HarvestError, Trouble
from web.messages import explain
from web.network_words import HARVEST_TROUBLES, harvest_trouble

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
QUICK = Patience(tries=3, pause=2.0, waits=3, seconds=100.0, idle=4, pages=30)
DC = "http://purl.org/dc/elements/1.1/"

Reply = tuple[int, dict[str, str], bytes | Iterator[bytes]]
Answers = Callable[[dict[str, str]], str | bytes | Reply | None]


class Server:
    """Answers by a function of the arguments; None closes the connection in the middle of a page."""

    def __init__(self, answers: Answers) -> None:
        self.asked: list[dict[str, str]] = []
        self.lines: list[str] = []
        self.headers: list[dict[str, str]] = []
        script = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
                script.asked.append(query)
                script.lines.append(self.path)
                script.headers.append({name.lower(): value for name, value in self.headers.items()})
                self.reply(answers(query))

            def reply(self, told: str | bytes | Reply | None) -> None:
                if told is None:
                    self.send_response(200)
                    self.send_header("Content-Length", "5000")
                    self.end_headers()
                    self.wfile.write(b"<OAI-PMH><ListRecords><record><header>")
                    return
                if isinstance(told, str):
                    told = told.encode()
                status, headers, body = told if isinstance(told, tuple) else (200, {}, told)
                self.send_response_only(status)
                length = {"Content-Length": str(len(body))} if isinstance(body, bytes) else {}
                for name, value in (length | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                with suppress(ConnectionError):
                    for part in [body] if isinstance(body, bytes) else body:
                        self.wfile.write(part)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}/oai"
        self._thread = Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


Serve = Callable[[Answers], Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[Server] = []

    def start(answers: Answers) -> Server:
        servers.append(Server(answers))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def get() -> Iterator[Get]:
    connector = Connector(allowed="127.0.0.1")
    yield partial(connector.get, limits=Limits(seconds=2, size=200_000, redirects=3))
    connector.close()


# -- what servers say


def record(number: int, stamp: str = "2026-03-01T10:00:00Z") -> str:
    return (
        f"<record><header><identifier>oai:x:{number}</identifier><datestamp>{stamp}</datestamp></header>"
        f"<metadata><dc xmlns='{DC}'><title>Notice {number}</title></dc></metadata></record>"
    )


def page(*records: str, token: str | None = None, size: str = "", at: datetime = NOW) -> str:
    after = "" if token is None else f'<resumptionToken completeListSize="{size}">{token}</resumptionToken>'
    return envelope(f"<ListRecords>{''.join(records)}{after}</ListRecords>", at)


def envelope(inside: str, at: datetime = NOW) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
        f"<responseDate>{at:%Y-%m-%dT%H:%M:%SZ}</responseDate><request/>{inside}</OAI-PMH>"
    )


def error(code: str) -> str:
    return envelope(f'<error code="{code}">mots</error>')


def identify(
    granularity: str = "YYYY-MM-DDThh:mm:ssZ", base: str = "http://exemple.org/oai", **said: str
) -> str:
    return envelope(
        f"<Identify><repositoryName>Centre</repositoryName><baseURL>{base}</baseURL>"
        f"<protocolVersion>{said.get('version', '2.0')}</protocolVersion>"
        f"<deletedRecord>{said.get('deleted', 'persistent')}</deletedRecord>"
        f"<granularity>{granularity}</granularity></Identify>"
    )


def three_pages(query: dict[str, str]) -> str:
    match query.get("resumptionToken"):
        case None:
            return page(record(1), record(2), token="deux")
        case "deux":
            return page(record(3), record(4), token="trois")
        case "trois":
            return page(record(5), token="")
        case _:
            return error("badResumptionToken")


def once(*first: str | bytes | Reply | None, then: Answers = three_pages) -> Answers:
    """Each of the first answers once, then those of ``then``."""
    left = list(first)
    return lambda query: left.pop(0) if left else then(query)


class Pauses(list[float]):
    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def run(get: Get, server: Server, **how: object) -> tuple[list[Batch], HarvestError | None, Pauses]:
    """The batches that came, the error that ended them, the pauses that were made."""
    pauses, came = Pauses(), []
    wanted = how.pop("wanted", Wanted("oai_dc"))
    options = {"patience": QUICK, "sleep": pauses, "clock": lambda: NOW} | how
    try:
        for batch in harvest.batches(get, server.url, wanted, **options):  # type: ignore[arg-type]
            came.append(batch)
    except HarvestError as caught:
        return came, caught, pauses
    return came, None, pauses


def numbers(came: list[Batch]) -> list[int]:
    return [int(item.identifier.rpartition(":")[2]) for batch in came for item in batch.items]


# -- a server that does as it should


def test_pages_follow_one_another_to_the_end(get: Get, serve: Serve) -> None:
    server = serve(three_pages)
    came, failed, pauses = run(get, server, wanted=Wanted("oai_dc", "theme:T01"))
    assert (numbers(came), failed, pauses) == ([1, 2, 3, 4, 5], None, [])
    assert [batch.token for batch in came] == ["deux", "trois", None]
    assert all(batch.at == NOW for batch in came)
    assert server.asked == [
        {"verb": "ListRecords", "metadataPrefix": "oai_dc", "set": "theme:T01"},
        {"verb": "ListRecords", "resumptionToken": "deux"},
        {"verb": "ListRecords", "resumptionToken": "trois"},
    ]


def test_a_harvest_goes_on_from_a_token(get: Get, serve: Serve) -> None:
    server = serve(three_pages)
    came, failed, _ = run(get, server, token="deux")
    assert (numbers(came), failed) == ([3, 4, 5], None)


def test_a_harvest_that_was_cut_goes_on_where_it_was(get: Get, serve: Serve) -> None:
    down = [True]
    server = serve(lambda query: None if down[0] and "trois" in query.values() else three_pages(query))
    came, failed, _ = run(get, server)
    assert failed is not None
    assert (numbers(came), failed.trouble) == ([1, 2, 3, 4], Trouble.NO_ANSWER)
    down[0] = False
    rest, failed, _ = run(get, server, token=came[-1].token)
    assert (numbers(rest), failed) == ([5], None)


def test_nothing_new_is_one_empty_batch(get: Get, serve: Serve) -> None:
    came, failed, _ = run(get, serve(lambda _: error("noRecordsMatch")))
    assert came == [Batch((), None, NOW)]
    assert failed is None


def test_pages_are_asked_one_at_a_time(get: Get, serve: Serve) -> None:
    server = serve(three_pages)
    pages = harvest.batches(get, server.url, Wanted("oai_dc"), patience=QUICK)
    next(pages)
    assert len(server.asked) == 1


def test_the_key_of_a_centre_goes_with_each_request(get: Get, serve: Serve) -> None:
    server = serve(three_pages)
    run(get, server, headers={"Authorization": "Bearer cle"})
    assert [sent.get("authorization") for sent in server.headers] == ["Bearer cle"] * 3


# -- addresses

TOKEN = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


@given(TOKEN)
def test_a_token_arrives_as_it_was_given(token: str) -> None:
    url = harvest.request_url("http://exemple.org/oai", {"verb": "ListRecords", "resumptionToken": token})
    assert parse_qs(urlsplit(url).query)["resumptionToken"] == [token]
    assert urlsplit(url).fragment == ""


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("http://x.org/oai", "http://x.org/oai?verb=Identify"),
        ("http://x.org/oai/", "http://x.org/oai/?verb=Identify"),
        ("http://x.org", "http://x.org/?verb=Identify"),
        ("http://x.org/oai?", "http://x.org/oai?verb=Identify"),
        ("http://x.org/i.php?lvl=oai&s=1", "http://x.org/i.php?lvl=oai&s=1&verb=Identify"),
        ("http://x.org/i.php?database=a%2Fb&", "http://x.org/i.php?database=a%2Fb&verb=Identify"),
        (" http://x.org/oai?verb=ListRecords&metadataPrefix=oai_dc ", "http://x.org/oai?verb=Identify"),
        ("http://x.org/oai#haut", "http://x.org/oai?verb=Identify"),
    ],
)
def test_any_base_address_makes_a_request(base: str, url: str) -> None:
    assert harvest.request_url(base, {"verb": "Identify", "set": None}) == url


def test_a_redirect_to_another_host_is_followed_without_the_key(get: Get, serve: Serve) -> None:
    there = serve(three_pages)
    here = serve(lambda query: (301, {"Location": f"{there.url}?{list_query(query)}"}, b""))
    came, failed, _ = run(get, here, headers={"Authorization": "Bearer cle"})
    assert (numbers(came), failed) == ([1, 2, 3, 4, 5], None)
    assert all("authorization" not in sent for sent in there.headers)


def list_query(query: Mapping[str, str]) -> str:
    return "&".join(f"{name}={value}" for name, value in query.items())


def test_a_redirect_that_loses_the_query_gets_it_again_without_the_key(get: Get, serve: Serve) -> None:
    there = serve(lambda query: three_pages(query) if query else error("badVerb"))
    here = serve(lambda _: (301, {"Location": there.url}, b""))
    came, failed, _ = run(get, here, headers={"Authorization": "Bearer cle"})
    assert (numbers(came), failed) == ([1, 2, 3, 4, 5], None)
    assert all("authorization" not in sent for sent in there.headers)


def test_a_redirect_on_the_same_host_that_loses_the_query_keeps_the_key(get: Get, serve: Serve) -> None:
    def answers(query: dict[str, str]) -> str | Reply:
        if not server.lines[-1].startswith("/oai/"):
            return (301, {"Location": "/oai/"}, b"")
        return three_pages(query) if query and "authorization" in server.headers[-1] else error("badVerb")

    server = serve(answers)
    came, failed, _ = run(get, server, headers={"Authorization": "Bearer cle"})
    assert (numbers(came), failed) == ([1, 2, 3, 4, 5], None)


def test_redirects_without_end_end(get: Get, serve: Serve) -> None:
    _, failed, pauses = run(get, serve(lambda _: (302, {"Location": "/oai?verb=x"}, b"")))
    assert failed is not None
    assert (failed.trouble, pauses) == (Trouble.HTTP, [])


def test_an_address_of_the_inside_is_not_asked_again() -> None:
    connector = Connector()
    pauses = Pauses()
    with pytest.raises(HarvestError) as caught:
        harvest.identify(connector.get, "http://127.0.0.1:9/oai", sleep=pauses)
    connector.close()
    assert (caught.value.trouble, pauses) == (Trouble.ADDRESS, [])


# -- servers that are busy, or down


def busy(status: int = 503, **headers: str) -> Reply:
    return (status, {name.replace("_", "-"): value for name, value in headers.items()}, b"busy")


def test_a_busy_server_is_waited_for_as_long_as_it_says(get: Get, serve: Serve) -> None:
    server = serve(once(busy(Retry_After="7"), busy(429, Retry_After="3")))
    came, failed, pauses = run(get, server)
    assert (numbers(came), failed, pauses) == ([1, 2, 3, 4, 5], None, [7.0, 3.0])


def test_a_busy_server_may_say_until_when_by_its_own_clock(get: Get, serve: Serve) -> None:
    theirs = NOW - timedelta(hours=2)
    dates = (theirs, theirs + timedelta(seconds=9), NOW + timedelta(seconds=4))
    date, until, ours = (format_datetime(one, usegmt=True) for one in dates)
    server = serve(once(busy(Date=date, Retry_After=until), busy(Retry_After=ours), busy(Retry_After=until)))
    came, failed, pauses = run(get, server)
    assert (numbers(came), failed, pauses) == ([1, 2, 3, 4, 5], None, [9.0, 4.0, 0.0])


@pytest.mark.parametrize("told", ["bientôt", "-5", "", "Mon, 99 Foo 2026"])
def test_a_wait_that_cannot_be_read_is_ours_to_choose(get: Get, serve: Serve, told: str) -> None:
    server = serve(once(busy(Retry_After=told.encode("ascii", "ignore").decode()), busy()))
    _, failed, pauses = run(get, server)
    assert (failed, pauses) == (None, [2.0, 4.0])


def test_a_server_that_is_busy_for_ever_is_left(get: Get, serve: Serve) -> None:
    server = serve(lambda _: busy(Retry_After="1"))
    came, failed, pauses = run(get, server)
    assert failed is not None
    assert (came, failed.trouble, pauses) == ([], Trouble.BUSY, [1.0, 1.0, 1.0])


def test_a_wait_that_is_too_long_is_not_begun(get: Get, serve: Serve) -> None:
    _, failed, pauses = run(get, serve(lambda _: busy(Retry_After="86400")))
    assert failed is not None
    assert (failed.trouble, pauses) == (Trouble.BUSY, [])


def test_all_waits_of_a_harvest_are_bounded_together(get: Get, serve: Serve) -> None:
    turns = iter(range(1000))

    def answers(query: dict[str, str]) -> str | Reply:
        number = next(turns)
        return busy(Retry_After="30") if number % 2 == 0 else page(record(number), token=f"t{number}")

    came, failed, pauses = run(get, serve(answers))
    assert failed is not None
    assert (failed.trouble, sum(pauses), len(came)) == (Trouble.BUSY, 90.0, 3)


def test_a_server_that_fails_now_and_then_is_asked_again(get: Get, serve: Serve) -> None:
    server = serve(once((500, {}, b"oops"), (502, {}, b""), page(record(1), token="deux"), None))
    came, failed, pauses = run(get, server)
    assert (numbers(came), failed, pauses) == ([1, 3, 4, 5], None, [2.0, 4.0, 2.0])


@pytest.mark.parametrize(
    ("answer", "trouble", "tries"),
    [
        ((500, {}, b"oops"), Trouble.HTTP, 3),
        ((404, {}, b"<html>Not found</html>"), Trouble.HTTP, 1),
        ((401, {}, b"<html>Connexion</html>"), Trouble.REFUSED, 1),
        ((403, {}, b"no"), Trouble.REFUSED, 1),
        ((200, {}, b"<html><form>Connexion</form></html>"), Trouble.NOT_OAI, 1),
        ((200, {}, b""), Trouble.BROKEN_XML, 3),
        ((200, {"Content-Encoding": "gzip"}, b"not gzip at all"), Trouble.NO_ANSWER, 3),
        ((200, {}, b"<OAI-PMH>" + b" " * 300_000), Trouble.TOO_LARGE, 1),
        (None, Trouble.NO_ANSWER, 3),
        (error("cannotDisseminateFormat"), Trouble.NO_FORMAT, 1),
        (error("badArgument"), Trouble.PROTOCOL, 1),
        (error("undreamt"), Trouble.PROTOCOL, 1),
        (envelope("<error code='noRecordsMatch'/><error code='badArgument'/>"), Trouble.PROTOCOL, 1),
        (envelope("<ListSets/>"), Trouble.PROTOCOL, 1),
    ],
)
def test_each_fault_ends_by_its_name(
    get: Get, serve: Serve, answer: str | Reply | None, trouble: Trouble, tries: int
) -> None:
    server = serve(lambda _: answer)
    came, failed, _ = run(get, server)
    assert failed is not None
    assert (came, failed.trouble, len(server.asked)) == ([], trouble, tries)
    assert "127.0.0.1" in failed.url


def test_a_server_that_is_not_there_is_said_not_to_answer(get: Get, serve: Serve) -> None:
    server = Server(three_pages)
    server.close()
    _, failed, pauses = run(get, server)
    assert failed is not None
    assert (failed.trouble, pauses) == (Trouble.NO_ANSWER, [2.0, 4.0])


def trickle() -> Iterator[bytes]:
    yield b"<OAI-PMH>"
    for _ in range(100):
        time.sleep(0.02)
        yield b" "


def test_a_trickle_is_cut_by_the_time_a_request_may_take(serve: Serve) -> None:
    server = serve(lambda _: (200, {}, trickle()))
    connector = Connector(allowed="127.0.0.1")
    started = time.monotonic()
    _, failed, _ = run(partial(connector.get, limits=Limits(seconds=0.15)), server)
    connector.close()
    assert failed is not None
    assert (failed.trouble, len(server.asked)) == (Trouble.NO_ANSWER, 3)
    assert time.monotonic() - started < 1.5


@pytest.mark.parametrize("status", [400, 404, 422, 500])
def test_errors_of_the_protocol_count_whatever_the_status(get: Get, serve: Serve, status: int) -> None:
    came, failed, _ = run(get, serve(lambda _: (status, {}, error("noRecordsMatch").encode())))
    assert (len(came), failed) == (1, None)


# -- lists that do not end as they should


def test_the_same_token_for_ever_is_endless(get: Get, serve: Serve) -> None:
    server = serve(lambda _: page(record(1), token="encore"))
    came, failed, _ = run(get, server)
    assert failed is not None
    assert (numbers(came), failed.trouble, len(server.asked)) == ([1], Trouble.ENDLESS, 2)


def test_new_tokens_that_bring_nothing_new_are_endless(get: Get, serve: Serve) -> None:
    turns = iter(range(1000))
    server = serve(lambda _: page(record(1), record(2), token=f"t{next(turns)}"))
    came, failed, _ = run(get, server)
    assert failed is not None
    assert (numbers(came), failed.trouble, len(server.asked)) == ([1, 2], Trouble.ENDLESS, 1 + QUICK.idle)


def test_new_records_for_ever_end_too(get: Get, serve: Serve) -> None:
    turns = iter(range(1000))
    server = serve(lambda _: page(record(number := next(turns)), token=f"t{number}"))
    came, failed, _ = run(get, server)
    assert failed is not None
    assert (failed.trouble, len(came)) == (Trouble.ENDLESS, QUICK.pages)


def test_one_token_for_a_whole_session_is_followed_while_records_are_new(get: Get, serve: Serve) -> None:
    turns = iter(range(4))
    server = serve(lambda _: page(record(n := next(turns)), token="session" if n < 3 else None))
    came, failed, _ = run(get, server)
    assert (numbers(came), failed) == ([0, 1, 2, 3], None)


def test_empty_pages_with_a_token_are_passed_over(get: Get, serve: Serve) -> None:
    server = serve(once(page(record(1), token="a"), page(token="b"), page(token="c"), page(token="trois")))
    came, failed, _ = run(get, server)
    assert (numbers(came), failed, len(came)) == ([1, 5], None, 5)


@pytest.mark.parametrize("size", ["1", "999999", "-3", "beaucoup"])
def test_a_wrong_size_of_the_whole_list_changes_nothing(get: Get, serve: Serve, size: str) -> None:
    server = serve(once(page(record(1), record(2), token="deux", size=size)))
    came, failed, _ = run(get, server)
    assert (numbers(came), failed) == ([1, 2, 3, 4, 5], None)


def test_records_that_come_twice_are_given_once_and_the_later_of_two(get: Get, serve: Serve) -> None:
    late, early = record(2, "2026-03-05T00:00:00Z"), record(2, "2026-03-04T00:00:00Z")
    server = serve(once(page(record(1), late, early, token="a"), page(record(1), late, record(3))))
    came, failed, _ = run(get, server)
    assert (numbers(came), failed) == ([1, 2, 3], None)
    assert came[0].items[1].datestamp == "2026-03-05T00:00:00Z"


@pytest.mark.parametrize(
    "answer", [error("badResumptionToken"), error("badArgument"), (410, {}, b""), (400, {}, b"<p>?</p>")]
)
def test_an_expired_token_asks_to_start_again(get: Get, serve: Serve, answer: str | Reply) -> None:
    came, failed, _ = run(get, serve(once(page(record(1), token="vieux"), answer)))
    assert failed is not None
    assert (numbers(came), failed.trouble) == ([1], Trouble.BAD_TOKEN)


# -- pages that are broken


def test_broken_records_are_told_and_the_harvest_goes_on(get: Get, serve: Serve) -> None:
    broken = page(record(1), record(2).replace("</title>", ""), record(9), token="trois")
    came, failed, _ = run(get, serve(once(broken)))
    assert (numbers(came), failed) == ([1, 9, 5], None)
    assert [len(batch.skipped) for batch in came] == [1, 0]
    assert "oai:x:2" in came[0].skipped[0]


def test_prefixes_and_wrong_namespaces_are_no_hindrance(get: Get, serve: Serve) -> None:
    def answers(query: dict[str, str]) -> str:
        text = three_pages(query).replace("http://www.openarchives.org/OAI/2.0/", "urn:autre")
        for name in ("OAI-PMH", "ListRecords", "record", "header", "identifier", "resumptionToken"):
            text = text.replace(f"<{name}", f"<o:{name}").replace(f"</{name}", f"</o:{name}")
        return text.replace(' xmlns="urn:autre"', ' xmlns:o="urn:autre"')

    came, failed, _ = run(get, serve(answers))
    assert (numbers(came), failed) == ([1, 2, 3, 4, 5], None)


def cut(text: str) -> Reply:
    """A page without its end, sent by a server that does not say how long it is."""
    return (200, {}, text[: text.index("oai:x:2") + 40].encode())


def test_a_page_that_is_cut_off_is_asked_again(get: Get, serve: Serve) -> None:
    came, failed, pauses = run(get, serve(once(cut(three_pages({})))))
    assert (numbers(came), failed, pauses) == ([1, 2, 3, 4, 5], None, [2.0])


def test_a_page_always_cut_off_gives_what_it_has_and_is_no_end(get: Get, serve: Serve) -> None:
    server = serve(lambda _: cut(three_pages({})))
    came, failed, _ = run(get, server)
    assert failed is not None
    assert (numbers(came), failed.trouble, len(server.asked)) == ([1], Trouble.BROKEN_XML, 3)
    assert not came[0].complete
    assert came[0].skipped[-1] == "La page s’arrête avant sa fin\u00a0: la suite n’est pas arrivée."


# -- dates and clocks


def dated(granularity: str, refuse: str = "none") -> Answers:
    def answers(query: dict[str, str]) -> str:
        if query["verb"] == "Identify":
            return identify(granularity)
        return error("badArgument") if refuse in query.get("from", "") else page(record(1))

    return answers


SINCE = Wanted(
    "oai_dc", since=datetime(2026, 3, 9, 15, 30, tzinfo=UTC), until=datetime(2026, 3, 9, 20, tzinfo=UTC)
)


@pytest.mark.parametrize(
    ("said", "refuse", "asked"),
    [
        ("YYYY-MM-DDThh:mm:ssZ", "none", [("2026-03-09T15:25:00Z", "2026-03-09T20:00:00Z")]),
        ("YYYY-MM-DD", "none", [("2026-03-09", "2026-03-09")]),
        ("n’importe quoi", "none", [("2026-03-09", "2026-03-09")]),
        (
            "YYYY-MM-DDThh:mm:ssZ",
            "T",
            [("2026-03-09T15:25:00Z", "2026-03-09T20:00:00Z"), ("2026-03-09", "2026-03-09")],
        ),
    ],
)
def test_dates_are_asked_in_the_granularity_of_the_server(
    get: Get, serve: Serve, said: str, refuse: str, asked: list[tuple[str, str]]
) -> None:
    server = serve(dated(said, refuse))
    came, failed, _ = run(get, server, wanted=SINCE)
    assert (numbers(came), failed) == ([1], None)
    assert [(query["from"], query["until"]) for query in server.asked if "from" in query] == asked


def test_a_day_written_in_the_zone_of_the_server_is_not_missed(get: Get, serve: Serve) -> None:
    server = serve(dated("YYYY-MM-DD"))
    run(get, server, wanted=Wanted("oai_dc", since=datetime(2026, 3, 9, 2, tzinfo=UTC)))
    assert server.asked[-1]["from"] == "2026-03-08"


def test_a_granularity_that_is_known_is_not_asked_for(get: Get, serve: Serve) -> None:
    server = serve(dated("YYYY-MM-DD"))
    run(get, server, wanted=SINCE, granularity="second")
    assert [query["verb"] for query in server.asked] == ["ListRecords"]


def test_a_server_without_identify_is_asked_by_days(get: Get, serve: Serve) -> None:
    server = serve(lambda query: error("badVerb") if query["verb"] == "Identify" else page(record(1)))
    came, failed, _ = run(get, server, wanted=SINCE)
    assert (numbers(came), failed, server.asked[-1]["from"]) == ([1], None, "2026-03-09")


@pytest.mark.parametrize("hours", [-2, 2])
def test_the_clock_that_counts_is_the_server_s(get: Get, serve: Serve, hours: int) -> None:
    theirs = NOW + timedelta(hours=hours)
    came, failed, _ = run(get, serve(lambda _: page(record(1), at=theirs)))
    assert (came[0].at, failed) == (theirs, None)


@pytest.mark.parametrize("said", ["1970-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "hier", ""])
def test_a_clock_that_cannot_be_is_replaced_by_ours(get: Get, serve: Serve, said: str) -> None:
    text = page(record(1)).replace(f"{NOW:%Y-%m-%dT%H:%M:%SZ}", said)
    came, _, _ = run(get, serve(lambda _: text))
    assert came[0].at == NOW


def test_a_clock_that_went_back_is_said_before_changes_are_missed(get: Get, serve: Serve) -> None:
    server = serve(lambda _: page(record(1), at=NOW - timedelta(days=400)))
    came, failed, _ = run(get, server, wanted=Wanted("oai_dc", since=NOW), granularity="second")
    assert failed is not None
    assert (came, failed.trouble) == ([], Trouble.CLOCK)


# -- what a repository is, and trying it


def test_sets_are_read_over_their_pages(get: Get, serve: Serve) -> None:
    def answers(query: dict[str, str]) -> str:
        number = int(query.get("resumptionToken", "0"))
        after = f"<resumptionToken>{number + 1}</resumptionToken>" if number < 2 else ""
        return envelope(f"<ListSets><set><setSpec>s{number}</setSpec></set>{after}</ListSets>")

    found = harvest.sets(get, serve(answers).url, patience=QUICK)
    assert found == (("s0", "s0"), ("s1", "s1"), ("s2", "s2"))


def test_a_repository_may_have_no_sets(get: Get, serve: Serve) -> None:
    assert harvest.sets(get, serve(lambda _: error("noSetHierarchy")).url) == ()


def test_sets_that_never_end_end(get: Get, serve: Serve) -> None:
    text = envelope(
        "<ListSets><set><setSpec>s</setSpec></set><resumptionToken>t</resumptionToken></ListSets>"
    )
    with pytest.raises(HarvestError) as caught:
        harvest.sets(get, serve(lambda _: text).url, patience=QUICK)
    assert caught.value.trouble is Trouble.ENDLESS


def repository(**said: str) -> Answers:
    def answers(query: dict[str, str]) -> str:
        match query["verb"]:
            case "Identify":
                return identify(**said)
            case "ListMetadataFormats":
                prefixes = said.get("formats", "oai_dc marcxml").split()
                told = (
                    f"<metadataFormat><metadataPrefix>{one}</metadataPrefix></metadataFormat>"
                    for one in prefixes
                )
                return envelope(f"<ListMetadataFormats>{''.join(told)}</ListMetadataFormats>")
            case "ListSets":
                return said.get("sets", error("noSetHierarchy"))
            case _:
                return said.get("records", three_pages(query))

    return answers


def tried(get: Get, server: Server, **how: object) -> harvest.Trial:
    return harvest.tested(get, server.url, sleep=Pauses(), clock=lambda: NOW, **how)  # type: ignore[arg-type]


def test_a_good_repository_is_tried_without_a_word(get: Get, serve: Serve) -> None:
    server = serve(lambda query: repository(base=server.url)(query))
    found = tried(get, server)
    assert (found.identity.name, found.formats, found.sets) == ("Centre", ("oai_dc", "marcxml"), ())
    assert [item.identifier for item in found.first.items] == ["oai:x:1", "oai:x:2"]
    assert found.warnings == ()
    assert server.asked[-1] == {"verb": "ListRecords", "metadataPrefix": "marcxml"}
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    ("said", "how", "word"),
    [
        ({"deleted": "no"}, {}, "moisson complète"),
        ({"base": "http://ailleurs.org/oai"}, {}, "http://ailleurs.org/oai"),
        ({"version": "1.1"}, {}, "version 1.1"),
        ({"formats": "oai_dc"}, {"prefix": "mods"}, "«\u00a0mods\u00a0»"),
        ({"sets": error("badVerb")}, {}, "ensembles"),
        ({"records": error("noRecordsMatch")}, {}, "aucune notice"),
        ({"records": page(record(1), "<record><header/></record>")}, {}, "pas pu être lues\u00a0: 1"),
        ({"records": page(record(1).replace("metadata", "rien"))}, {}, "vides\u00a0: 1"),
    ],
)
def test_what_is_odd_about_a_repository_is_said(
    get: Get, serve: Serve, said: dict[str, str], how: dict[str, str], word: str
) -> None:
    server = serve(lambda query: repository(**{"base": server.url} | said)(query))
    told = tried(get, server, **how).warnings
    assert len(told) == 1
    assert word in told[0]


@pytest.mark.parametrize(
    ("off", "word"),
    [
        (timedelta(hours=2), "avance de 2\u00a0heures"),
        (timedelta(minutes=-30), "retarde de 30\u00a0minutes"),
        (timedelta(days=-3), "retarde de 3\u00a0jours"),
    ],
)
def test_a_clock_that_is_off_is_said(get: Get, serve: Serve, off: timedelta, word: str) -> None:
    server = serve(lambda query: repository(base=server.url)(query))
    found = harvest.tested(get, server.url, sleep=Pauses(), clock=lambda: NOW - off)
    assert [word in told for told in found.warnings] == [True]


def test_trying_what_is_no_repository_raises(get: Get, serve: Serve) -> None:
    with pytest.raises(HarvestError) as caught:
        tried(get, serve(lambda _: "<html/>"))
    assert caught.value.trouble is Trouble.NOT_OAI


# -- what people are told


def test_every_trouble_has_its_french_words_and_what_to_do() -> None:
    assert set(HARVEST_TROUBLES) == set(Trouble)
    for trouble in Trouble:
        said = harvest_trouble(HarvestError(trouble, "detail"))
        assert said.endswith(".")
        assert len(said) > 60
        assert "detail" not in said
        assert explain(HarvestError(trouble)) == said


def test_memory_of_what_came_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harvest, "_REMEMBERED", 10)

    def get(url: str, *, headers: Mapping[str, str]) -> Fetched:
        number = int(parse_qs(urlsplit(url).query).get("resumptionToken", ["0"])[0])
        again = record(max(0, number - 5)) + record(0)  # the first is forgotten after ten others
        text = page(record(number), again, token=str(number + 1) if number < 20 else None)
        return Fetched(url=url, status=200, headers={}, body=text.encode())

    came = list(harvest.batches(get, "http://exemple.org/", Wanted("oai_dc"), patience=QUICK))
    assert list(dict.fromkeys(numbers(came))) == list(range(21))
    assert numbers(came).count(0) in (2, 3)
    assert len(numbers(came)) == 20 + numbers(came).count(0)
