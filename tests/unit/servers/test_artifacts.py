"""Archives from upstream: what is kept, and every way in which a bad one is refused."""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
import threading
import zipfile
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from provision.errors import PaquetError
from provision.process.commands import Surroundings, run
from provision.servers import artifacts
from provision.servers.artifacts import Upstream
from provision.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provision.servers.artifacts import Artifact

VERSION = "31.0.2"
VERSION_PHP = "<?php\n$OC_Version = array(31,0,2,1);\n$OC_VersionString = '{}';\n"
needs_gpg = pytest.mark.skipif(not shutil.which("gpg"), reason="gpg is not installed")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.model_validate(
        {
            "operator": {"name": "A", "zone": "paquet.test", "contact": "a@paquet.test"},
            "inventory": tmp_path / "inventory.yml",
            "key_file": tmp_path / "key",
            "state": tmp_path / "var",
            "cache": tmp_path / "cache",
        }
    )


def a_tar(path: Path, files: dict[str, str], extra: tarfile.TarInfo | None = None) -> Path:
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w:bz2") as opened:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            opened.addfile(member, io.BytesIO(content.encode()))
        if extra is not None:
            opened.addfile(extra)
    return path


def good_files(version: str = VERSION) -> dict[str, str]:
    return {
        "nextcloud/index.php": "<?php " + "x" * 5000,
        "nextcloud/version.php": VERSION_PHP.format(version),
    }


def good(tmp_path: Path, suffix: str = ".tar.gz") -> Path:
    path = tmp_path / f"nextcloud{suffix}"
    if suffix != ".zip":
        return a_tar(path, good_files())
    with zipfile.ZipFile(path, "w") as opened:
        for name, content in good_files().items():
            opened.writestr(name, content)
    return path


def add(settings: Settings, version: str, archive: Path, sha256: str = "") -> Artifact:
    return artifacts.add(settings, artifacts.look(settings, version, archive, sha256), archive)


@pytest.mark.parametrize("suffix", [".tar.gz", ".tar.bz2", ".zip"])
def test_a_good_archive_is_kept_under_its_digest(
    settings: Settings, tmp_path: Path, suffix: str
) -> None:
    archive = good(tmp_path, suffix)
    kept = add(settings, VERSION, archive, artifacts.digest(archive))
    assert artifacts.cached(settings, "nextcloud") == [kept]
    assert artifacts.newest(settings, "nextcloud") == kept
    assert artifacts.offered(settings, "nextcloud") == [kept]
    assert Path(kept.path).name == f"nextcloud-{VERSION}-{kept.sha256}{suffix}"
    kinds = {one.suffix for one in Path(kept.path).parent.iterdir()}
    assert kinds == {Path(kept.path).suffix, ".json"}


def test_the_newest_version_is_found_by_number_not_by_letter(
    settings: Settings, tmp_path: Path
) -> None:
    for version in ("31.0.9", "31.0.10", "31.0.2"):
        archive = a_tar(tmp_path / f"{version}.tar.gz", good_files(version))
        add(settings, version, archive)
    assert artifacts.newest(settings, "nextcloud").version == "31.0.10"


def test_an_empty_cache_says_how_to_fill_it(settings: Settings) -> None:
    with pytest.raises(PaquetError, match="holds no archive") as refused:
        artifacts.newest(settings, "nextcloud")
    assert "paquet artifact" in refused.value.hint


def test_an_archive_that_changed_in_the_cache_is_not_offered(
    settings: Settings, tmp_path: Path
) -> None:
    kept = add(settings, VERSION, good(tmp_path))
    with Path(kept.path).open("ab") as opened:
        opened.write(b"\0")
    with pytest.raises(PaquetError, match="has the digest"):
        artifacts.offered(settings, "nextcloud")


def link(name: str, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member


def cut_short(tmp_path: Path) -> Path:
    archive = good(tmp_path)
    archive.write_bytes(archive.read_bytes()[:-60])
    return archive


def cut_behind_the_end_mark(tmp_path: Path) -> Path:
    archive = good(tmp_path)
    archive.write_bytes(archive.read_bytes()[:-4])
    return archive


def with_a_changed_byte(tmp_path: Path) -> Path:
    archive = good(tmp_path, ".tar.bz2")
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 0xFF
    archive.write_bytes(content)
    return archive


def another_version(tmp_path: Path) -> Path:
    return a_tar(tmp_path / "a.tar.gz", good_files("31.0.3"))


def without_a_version(tmp_path: Path) -> Path:
    return a_tar(tmp_path / "a.tar.gz", {"nextcloud/index.php": ""})


def two_versions(tmp_path: Path) -> Path:
    path = tmp_path / "a.tar.gz"
    first, second = (a_tar(tmp_path / f"{n}.tar.gz", good_files()) for n in "12")
    joined = io.BytesIO()
    with tarfile.open(fileobj=joined, mode="w") as opened:
        for archive in (first, second):
            with tarfile.open(archive) as source:
                for member in source:
                    opened.addfile(member, source.extractfile(member))
    path.write_bytes(gzip.compress(joined.getvalue()))
    return path


def outside(tmp_path: Path) -> Path:
    return a_tar(tmp_path / "a.tar.gz", good_files() | {"nextcloud/../../etc/cron.d/x": "x"})


def absolute(tmp_path: Path) -> Path:
    return a_tar(tmp_path / "a.tar.gz", good_files() | {"/etc/cron.d/x": "x"})


def beside_the_folder(tmp_path: Path) -> Path:
    return a_tar(tmp_path / "a.tar.gz", good_files() | {"other/x.php": "x"})


def with_a_link(tmp_path: Path) -> Path:
    return a_tar(tmp_path / "a.tar.gz", good_files(), link("nextcloud/data", "/etc"))


def outside_in_zip(tmp_path: Path) -> Path:
    archive = good(tmp_path, ".zip")
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr("nextcloud/../x", "x")
    return archive


def with_a_link_in_zip(tmp_path: Path) -> Path:
    archive = good(tmp_path, ".zip")
    with zipfile.ZipFile(archive, "a") as opened:
        member = zipfile.ZipInfo("nextcloud/data")
        member.external_attr = 0o120777 << 16
        opened.writestr(member, "/etc")
    return archive


def no_archive(tmp_path: Path) -> Path:
    (tmp_path / "a.tar.gz").write_text("<html>404</html>", "utf-8")
    return tmp_path / "a.tar.gz"


def absent(tmp_path: Path) -> Path:
    return tmp_path / "absent.tar.gz"


@pytest.mark.parametrize(
    ("tampered", "says"),
    [
        (cut_short, "no whole archive"),
        (cut_behind_the_end_mark, "no whole archive"),
        (with_a_changed_byte, "no whole archive"),
        (another_version, "it is 31.0.3, not 31.0.2"),
        (without_a_version, "exactly one nextcloud/version.php"),
        (two_versions, "exactly one nextcloud/version.php"),
        (outside, "outside of nextcloud/"),
        (absolute, "outside of nextcloud/"),
        (beside_the_folder, "outside of nextcloud/"),
        (with_a_link, "is a link"),
        (outside_in_zip, "outside of nextcloud/"),
        (with_a_link_in_zip, "is a link"),
        (no_archive, "no tar.gz, tar.bz2 or zip"),
        (absent, "There is no file"),
    ],
)
def test_a_tampered_archive_is_refused_and_not_kept(
    settings: Settings, tmp_path: Path, tampered: Callable[[Path], Path], says: str
) -> None:
    with pytest.raises(PaquetError, match=says) as refused:
        add(settings, VERSION, tampered(tmp_path))
    assert refused.value.hint
    assert not list((settings.cache / "artifacts").glob("*"))
    assert not list((settings.cache / "artifacts").glob(".new-*"))


def test_a_file_that_is_another_one_after_the_look_is_refused(
    settings: Settings, tmp_path: Path
) -> None:
    archive = good(tmp_path)
    seen = artifacts.look(settings, VERSION, archive)
    archive.write_bytes(archive.read_bytes() + b"\0")
    with pytest.raises(PaquetError, match="has the digest"):
        artifacts.add(settings, seen, archive)
    assert not list((settings.cache / "artifacts").glob("*"))


@pytest.mark.parametrize("sha256", ["0" * 64, "abc", "g" * 64])
def test_a_wrong_digest_is_refused(settings: Settings, tmp_path: Path, sha256: str) -> None:
    with pytest.raises(PaquetError, match="digest"):
        add(settings, VERSION, good(tmp_path), sha256)
    assert artifacts.cached(settings, "nextcloud") == []


@pytest.mark.parametrize("version", ["30.0.1", "36.0.0", "31", "31.0", "31.0.2; id", "../31.0.2"])
def test_an_unknown_version_is_refused(settings: Settings, tmp_path: Path, version: str) -> None:
    with pytest.raises(PaquetError):
        add(settings, version, good(tmp_path))


def test_each_version_names_its_php() -> None:
    windows = {major: artifacts.php_window(f"{major}.0.1") for major in range(31, 36)}
    assert windows == {
        31: ("8.1", "8.4"),
        32: ("8.1", "8.4"),
        33: ("8.2", "8.5"),
        34: ("8.2", "8.5"),
        35: ("8.3", "8.5"),
    }


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """A real web server on the loopback, with tmp_path/web."""
    (tmp_path / "web").mkdir()
    handler = partial(Quiet, directory=str(tmp_path / "web"))
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/nextcloud-{{version}}.tar.bz2"
        server.shutdown()


class Signer:
    """A key of our own, made by gpg."""

    def __init__(self, home: Path) -> None:
        home.mkdir(mode=0o700)
        self.around = Surroundings(environment={"GNUPGHOME": str(home)})
        words = ["--passphrase=", "--quick-generate-key", "a@test", "ed25519", "sign", "never"]
        self.gpg(*words)
        listed = self.gpg("--with-colons", "--list-keys").splitlines()
        self.fingerprint = next(line.split(":")[9] for line in listed if line.startswith("fpr"))

    def gpg(self, *words: str) -> str:
        return run(["gpg", "--batch", "--yes", *words], surroundings=self.around).stdout

    def sign(self, archive: Path) -> None:
        self.gpg("--armor", f"--output={archive}.asc", "--detach-sign", str(archive))

    def keyring(self, path: Path) -> Path:
        self.gpg("--armor", f"--output={path}", "--export")
        return path


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(tmp_path / "gpg")


@needs_gpg
def test_a_signed_archive_is_fetched(
    settings: Settings, tmp_path: Path, served: str, signer: Signer
) -> None:
    archive = a_tar(tmp_path / "web" / f"nextcloud-{VERSION}.tar.bz2", good_files())
    signer.sign(archive)
    upstream = Upstream(served, signer.fingerprint)
    kept = artifacts.fetch(settings, VERSION, signer.keyring(tmp_path / "key.asc"), upstream)
    assert kept.origin.startswith("signed")
    assert artifacts.cached(settings, "nextcloud") == [kept]


@needs_gpg
def test_an_archive_signed_by_another_key_of_the_keyring_is_refused(
    settings: Settings, tmp_path: Path, served: str, signer: Signer
) -> None:
    signer.sign(a_tar(tmp_path / "web" / f"nextcloud-{VERSION}.tar.bz2", good_files()))
    with pytest.raises(PaquetError, match="not signed by upstream"):
        artifacts.fetch(settings, VERSION, signer.keyring(tmp_path / "key.asc"), Upstream(served))
    assert artifacts.cached(settings, "nextcloud") == []


@needs_gpg
def test_an_archive_changed_after_signing_is_refused(
    settings: Settings, tmp_path: Path, served: str, signer: Signer
) -> None:
    archive = a_tar(tmp_path / "web" / f"nextcloud-{VERSION}.tar.bz2", good_files())
    signer.sign(archive)
    a_tar(archive, good_files() | {"nextcloud/evil.php": "<?php"})
    upstream = Upstream(served, signer.fingerprint)
    with pytest.raises(PaquetError, match="not signed by upstream"):
        artifacts.fetch(settings, VERSION, signer.keyring(tmp_path / "key.asc"), upstream)


def test_without_a_key_nothing_is_fetched(settings: Settings) -> None:
    with pytest.raises(PaquetError, match="no signature can be verified") as refused:
        artifacts.fetch(settings, VERSION)
    assert Upstream.fingerprint in refused.value.hint


def test_what_cannot_be_fetched_says_how_to_bring_it(
    settings: Settings, tmp_path: Path, served: str
) -> None:
    (tmp_path / "key").write_bytes(b"\x99")
    with pytest.raises(PaquetError, match="Cannot fetch") as refused:
        artifacts.fetch(settings, VERSION, tmp_path / "key", Upstream(served))
    assert "artifact add" in refused.value.hint
