"""Process settings: where they come from, and how all problems are told at once."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from ops_console.errors import SettingsProblem
from ops_console.settings import default_data_dir, read_settings, unknown_variables

KEY = "cWJ3b28gdGVzdHMgdXNlIHRoaXMgb25lIGtleSBvbmw="


def test_without_any_setting_an_sqlite_file_in_the_data_folder_is_used(tmp_path: Path) -> None:
    settings = read_settings({"QBWOO_DATA_DIR": str(tmp_path)})
    assert settings.database_url == f"sqlite:///{tmp_path}/qbwoo.db"
    assert settings.database_file == tmp_path / "qbwoo.db"
    assert settings.secret_key is None
    assert settings.public_url is None
    assert settings.log_level == "INFO"
    assert not settings.allow_private_stores
    assert settings.trusted_proxies == ()


def test_the_data_folder_follows_the_xdg_rule() -> None:
    assert default_data_dir({"XDG_DATA_HOME": "/srv/data"}) == Path("/srv/data/qbwoo")
    assert default_data_dir({"XDG_DATA_HOME": "relative"}) == Path.home() / ".local/share/qbwoo"
    assert default_data_dir({}) == Path.home() / ".local/share/qbwoo"


def test_all_problems_are_reported_at_once_with_name_value_and_expectation(tmp_path: Path) -> None:
    with pytest.raises(SettingsProblem) as caught:
        read_settings(
            {
                "QBWOO_DATABASE_URL": "mysql://root:hunter2@db/x",
                "QBWOO_SECRET_KEY": "too-short",
                "QBWOO_PUBLIC_URL": "qbwoo.example.com",
                "QBWOO_LOG_LEVEL": "loud",
                "QBWOO_ALLOW_PRIVATE_STORES": "maybe",
                "QBWOO_TRUSTED_PROXIES": "10.0.0.1/8",
            }
        )
    problems = caught.value.problems
    assert [line.partition(":")[0] for line in problems] == [
        "QBWOO_DATABASE_URL",
        "QBWOO_SECRET_KEY",
        "QBWOO_PUBLIC_URL",
        "QBWOO_LOG_LEVEL",
        "QBWOO_ALLOW_PRIVATE_STORES",
        "QBWOO_TRUSTED_PROXIES",
    ]
    assert "'loud'" in problems[3]
    assert "DEBUG, INFO, WARNING, ERROR" in problems[3]
    assert "hunter2" not in str(caught.value)
    assert "too-short" not in str(caught.value)


def test_a_setting_may_come_from_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    settings = read_settings(
        {"QBWOO_DATA_DIR": str(tmp_path), "QBWOO_SECRET_KEY_FILE": str(tmp_path / "key")}
    )
    assert settings.secret_key == KEY
    assert KEY not in repr(settings)


def test_a_file_that_is_missing_is_a_problem_of_its_variable(tmp_path: Path) -> None:
    with pytest.raises(SettingsProblem, match=r"QBWOO_SECRET_KEY_FILE: .*No such file"):
        read_settings({"QBWOO_SECRET_KEY_FILE": str(tmp_path / "none")})


def test_a_value_and_its_file_contradict_each_other(tmp_path: Path) -> None:
    with pytest.raises(SettingsProblem, match="both are set"):
        read_settings({"QBWOO_SECRET_KEY": KEY, "QBWOO_SECRET_KEY_FILE": str(tmp_path / "key")})


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    config = tmp_path / "qbwoo.toml"
    config.write_text(
        f'data_dir = "{tmp_path}"\npublic_url = "https://file.example.com/"\nallow_private_stores = true\n'
        'trusted_proxies = ["10.0.0.0/8", "::1"]\n'
    )
    settings = read_settings({"QBWOO_CONFIG": str(config), "QBWOO_PUBLIC_URL": "https://env.example.com/"})
    assert settings.public_url == "https://env.example.com"
    assert settings.data_dir == tmp_path
    assert settings.allow_private_stores
    assert settings.trusted_proxies == (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1"))


def test_an_unknown_key_and_broken_toml_in_the_file_are_problems(tmp_path: Path) -> None:
    config = tmp_path / "qbwoo.toml"
    config.write_text('databse_url = "x"\n')
    with pytest.raises(SettingsProblem, match=r"databse_url in .* is not known"):
        read_settings({"QBWOO_CONFIG": str(config)})
    config.write_text("public_url = \n")
    with pytest.raises(SettingsProblem, match="is not TOML"):
        read_settings({"QBWOO_CONFIG": str(config)})


def test_a_misspelt_variable_is_noticed() -> None:
    environ = {"QBWOO_DATABSE_URL": "x", "QBWOO_SECRET_KEY_FILE": "y", "QBWOO_TEST_POSTGRES_URL": "z"}
    assert unknown_variables(environ) == ["QBWOO_DATABSE_URL"]


@pytest.mark.parametrize(
    "given", ["postgres://u:p@db/x", "postgresql://u:p@db/x", "postgresql+psycopg://u:p@db/x"]
)
def test_every_way_to_name_a_postgresql_database_is_taken(given: str, tmp_path: Path) -> None:
    settings = read_settings({"QBWOO_DATA_DIR": str(tmp_path), "QBWOO_DATABASE_URL": given})
    assert settings.database_url == "postgresql+psycopg://u:p@db/x"
    assert settings.database_file is None
    assert settings.shown_database_url == "postgresql+psycopg://u:***@db/x"


@pytest.mark.parametrize("given", ["sqlite://", "sqlite:///:memory:", "oracle://x", "no url"])
def test_a_database_that_would_not_last_or_is_not_supported_is_refused(given: str) -> None:
    with pytest.raises(SettingsProblem, match="QBWOO_DATABASE_URL"):
        read_settings({"QBWOO_DATABASE_URL": given})
