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
