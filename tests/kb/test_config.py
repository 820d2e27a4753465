from pathlib import Path

import pytest

from kb import config
from kb.errors import ConfigError


def test_environment_wins_over_file_over_default(tmp_path: Path):
    (tmp_path / "kb.toml").write_text('port = 9000\ncentre_name = "Centre du Nord"\n', encoding="utf-8")
    loaded = config.load(tmp_path, {"KB_PORT": "9001", "KB_DATA": "elsewhere", "PATH": "/bin"})
    assert (loaded.port, loaded.centre_name, loaded.per_page) == (9001, "Centre du Nord", 20)


@pytest.mark.parametrize("text", ["prot = 9000", 'port = "neuf"', "port = true", "port ="])
def test_a_mistake_in_the_file_is_an_error(tmp_path: Path, text: str):
    (tmp_path / "kb.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError):
        config.load(tmp_path, {})


def test_an_unknown_variable_is_an_error(tmp_path: Path):
    with pytest.raises(ConfigError, match="KB_PROT"):
        config.load(tmp_path, {"KB_PROT": "1"})


def test_the_template_reads_back_as_the_defaults(tmp_path: Path):
    lines = config.template().splitlines()
    active = [line.removeprefix("#") if " = " in line else line for line in lines]
    (tmp_path / "kb.toml").write_text("\n".join(active), encoding="utf-8")
    assert config.load(tmp_path, {}) == config.load(tmp_path / "nowhere", {}).__class__(data=tmp_path)


# -- types


@pytest.mark.parametrize(
    ("written", "read"),
    [("true", True), ("True", True), ("FALSE", False), ("false", False)],
)
def test_yes_and_no_are_true_and_false(tmp_path: Path, written: str, read: bool):
    assert config.load(tmp_path, {"KB_SECOND_FACTOR": written}).second_factor is read
    (tmp_path / "kb.toml").write_text(f"second_factor = {written.lower()}", encoding="utf-8")
    assert config.load(tmp_path, {}).second_factor is read


@pytest.mark.parametrize("written", ["", "1", "0", "yes", "oui", "on", "vrai", " true"])
def test_nothing_else_is_a_yes_or_a_no(tmp_path: Path, written: str):
    with pytest.raises(ConfigError, match="second_factor doit être true"):
        config.load(tmp_path, {"KB_SECOND_FACTOR": written})


@pytest.mark.parametrize("text", ["second_factor = 1", "second_factor = 'oui'", "second_factor = []"])
def test_nothing_else_in_the_file_is_a_yes_or_a_no(tmp_path: Path, text: str):
    (tmp_path / "kb.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="second_factor"):
        config.load(tmp_path, {})


@pytest.mark.parametrize(("written", "read"), [("587", 587), (" 25 ", 25), ("-1", -1)])
def test_a_number_in_the_environment_is_read(tmp_path: Path, written: str, read: int):
    assert config.load(tmp_path, {"KB_SMTP_PORT": written}).smtp_port == read


@pytest.mark.parametrize("written", ["", "neuf", "5-", "--5", "²", "1.5", "1e3", "-"])
def test_what_is_no_number_is_an_error_that_names_the_setting(tmp_path: Path, written: str):
    with pytest.raises(ConfigError, match="KB_PORT : port doit être un nombre entier"):
        config.load(tmp_path, {"KB_PORT": written})


# -- values that make sense


@pytest.mark.parametrize("security", config.SECURITIES)
def test_ways_to_reach_the_mail_server(tmp_path: Path, security: str):
    assert config.load(tmp_path, {"KB_SMTP_SECURITY": security}).smtp_security == security


@pytest.mark.parametrize("security", ["", "ssl", "STARTTLS", "starttls ", "non"])
def test_another_way_to_reach_the_mail_server_is_an_error(tmp_path: Path, security: str):
    with pytest.raises(ConfigError, match="starttls, tls, none"):
        config.load(tmp_path, {"KB_SMTP_SECURITY": security})


@pytest.mark.parametrize(
    "zone", ["", "Mars/Base", "../../etc/passwd", "/etc/localtime", "America", "UTC+4", "\x00"]
)
def test_a_time_zone_that_does_not_exist_is_an_error(tmp_path: Path, zone: str):
    with pytest.raises(ConfigError, match="time_zone"):
        config.load(tmp_path, {"KB_TIME_ZONE": zone})


@pytest.mark.parametrize("zone", ["America/Martinique", "Europe/Paris", "UTC"])
def test_a_time_zone_that_exists_is_taken(tmp_path: Path, zone: str):
    assert config.load(tmp_path, {"KB_TIME_ZONE": zone}).time_zone == zone


@pytest.mark.parametrize(
    "url",
    [
        *(
            "fonds.exemple.fr",
            "ftp://fonds.exemple.fr",
            "javascript:alert(1)",
            "//fonds.exemple.fr",
            "/fonds",
        ),
        *("https:fonds.exemple.fr", "https://", "https:///fonds", "https://[fonds", "https://:8000"),
    ],
)
def test_a_public_address_without_https_or_a_name_is_an_error(tmp_path: Path, url: str):
    with pytest.raises(ConfigError, match="public_url"):
        config.load(tmp_path, {"KB_PUBLIC_URL": url})


@pytest.mark.parametrize(
    "given",
    [
        {"KB_SESSION_IDLE_MINUTES": "0"},
        {"KB_SESSION_HOURS": "0"},
        {"KB_SESSION_HOURS": "-1"},
        {"KB_PROXIES": "-1"},
    ],
)
def test_times_and_counts_that_make_no_sense_are_errors(tmp_path: Path, given: dict[str, str]):
    with pytest.raises(ConfigError, match="session_hours"):
        config.load(tmp_path, given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"KB_ANSWER_DAYS": "0"}, "answer_days : 0 n’est pas possible ; écrivez 1 ou plus"),
        ({"KB_RETENTION_MONTHS": "-2"}, "retention_months : -2 n’est pas possible ; écrivez 1 ou plus"),
        (
            {"KB_ANSWER_DAYS": "trois"},
            "KB_ANSWER_DAYS : answer_days doit être un nombre entier, et non 'trois'",
        ),
    ],
)
def test_promises_that_cannot_be_kept_are_told_in_french(tmp_path: Path, given: dict[str, str], said: str):
    with pytest.raises(ConfigError) as raised:
        config.load(tmp_path, given)
    assert str(raised.value) == said


# -- what follows from the settings


@pytest.mark.parametrize(
    ("url", "secure"),
    [
        ("", False),
        ("http://fonds.exemple.fr", False),
        ("https://fonds.exemple.fr", True),
        ("https://fonds.exemple.fr:8443/carbet/", True),
        ("HTTPS://fonds.exemple.fr", True),
    ],
)
def test_pages_are_secure_when_people_reach_them_by_https(tmp_path: Path, url: str, secure: bool):
    assert config.load(tmp_path, {"KB_PUBLIC_URL": url}).secure is secure


@pytest.mark.parametrize(
    ("given", "hosts"),
    [
        ({}, ["127.0.0.1", "localhost"]),
        (
            {"KB_PUBLIC_URL": "https://Fonds.exemple.fr:8443/x"},
            ["fonds.exemple.fr", "127.0.0.1", "localhost"],
        ),
        (
            {"KB_TRUSTED_HOSTS": " a.exemple.fr, b.exemple.fr ,,localhost"},
            ["a.exemple.fr", "b.exemple.fr", "localhost", "127.0.0.1"],
        ),
        ({"KB_HOST": "192.0.2.7"}, ["127.0.0.1", "localhost", "192.0.2.7"]),
        ({"KB_HOST": "0.0.0.0"}, ["127.0.0.1", "localhost"]),
        ({"KB_HOST": "::"}, ["127.0.0.1", "localhost"]),
    ],
)
def test_the_names_under_which_pages_may_be_asked_for(
    tmp_path: Path, given: dict[str, str], hosts: list[str]
):
    assert list(config.load(tmp_path, given).hosts) == hosts


@pytest.mark.parametrize(
    ("given", "sender"),
    [
        ({}, "carbet@localhost"),
        ({"KB_CONTACT": "centre@exemple.fr"}, "centre@exemple.fr"),
        ({"KB_CONTACT": "https://exemple.fr/@contact"}, "carbet@localhost"),
        ({"KB_CONTACT": "Maison de la ville"}, "carbet@localhost"),
        ({"KB_CONTACT": "centre@exemple.fr", "KB_MAIL_FROM": "robot@exemple.fr"}, "robot@exemple.fr"),
    ],
)
def test_mail_comes_from_an_address_in_any_case(tmp_path: Path, given: dict[str, str], sender: str):
    assert config.load(tmp_path, given).sender == sender


def test_where_each_value_comes_from_is_told(tmp_path: Path):
    (tmp_path / "kb.toml").write_text('port = 9000\ncentre_name = "Nord"\n', encoding="utf-8")
    environment = {"KB_PORT": "9001", "KB_SECOND_FACTOR": "false", "KB_DATA": "ailleurs", "PATH": "/bin"}
    told = config.origins(config.load(tmp_path, environment), environment)
    assert (told["port"], told["second_factor"]) == ("environment", "environment")
    assert (told["centre_name"], told["host"]) == ("file", "default")
    assert set(told) == {setting.name for setting in config.SETTINGS}


def test_settings_that_hold_secrets_are_known_as_such():
    names = {setting.name for setting in config.SETTINGS}
    assert set(config.HIDDEN) <= names
    assert {name for name in names if "password" in name} <= set(config.HIDDEN)
