from __future__ import annotations

import base64
import datetime as dt
import plistlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import pypdfium2
import pytest
import zxingcpp
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from lxml import html
from pydantic import SecretStr
from weasyprint.urls import FatalURLFetchingError

from provision.errors import PaquetError
from provision.paper import page_pdf
from provision.phones import kits
from provision.phones.devices import Support
from provision.phones.kits import write_kit
from provision.phones.links import davx5_link, nextcloud_link
from provision.phones.mobileconfig import read_signer
from provision.phones.qr import qr_code
from provision.phones.thunderbird import thunderbird_code
from provision.rendering import render
from tests.unit.phones.phone_certificates import make_chain
from tests.unit.phones.phone_examples import LIGHT, NEXTCLOUD, PLAIN_SECRET, assert_golden, syncs

if TYPE_CHECKING:
    from pathlib import Path

    from provision.languages import Language
    from provision.phones.devices import Sync


EVERY = [
    replace(base, kind=kind)
    for base in (NEXTCLOUD, LIGHT)
    for kind in ("android", "ios", "desktop")
]
every_kit = pytest.mark.parametrize("sync", EVERY, ids=lambda sync: f"{sync.kind}-{sync.cloud}")


def page(sync: Sync, profile: bytes | None = None, *, signed: bool = False) -> str:
    return render("kit/page.html", kits.sheet_words(sync, profile, signed=signed))


def sheet(sync: Sync, language: Language, *, signed: bool = False) -> str:
    """Return the text of the page of a user of this language, spaces made plain."""
    reader = replace(sync, language=language)
    (found,) = html.fromstring(page(reader, signed=signed)).xpath("//section")
    return re.sub(r"\s+", " ", found.text_content())


def codes_on(pdf: bytes) -> set[str]:
    """Photograph every page at 200 dpi and read its codes."""
    document = pypdfium2.PdfDocument(pdf)
    images = [document[at].render(scale=200 / 72).to_pil() for at in range(len(document))]
    document.close()
    return {str(code.text) for image in images for code in zxingcpp.read_barcodes(image)}


def modules_of(text: str) -> int:
    """Return how many modules wide the code of `text` is, without its quiet zone."""
    box = html.fragment_fromstring(qr_code(text, correction=correction_of(text)).svg)
    return int(box.get("viewbox", box.get("viewBox")).split()[2]) - 8


def correction_of(text: str) -> Literal["l", "m"]:
    return "l" if text.startswith("[") else "m"


def words_on(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    texts = [document[at].get_textpage().get_text_range() for at in range(len(document))]
    document.close()
    return texts


@every_kit
def test_the_page_is_the_golden_one(sync: Sync) -> None:
    profile = b"<plist/>" if sync.kind == "ios" else None
    text = page(sync, profile=profile, signed=sync.cloud == "nextcloud")
    assert_golden(f"{sync.kind}-{sync.cloud}.html", text)


@every_kit
def test_the_page_refers_to_nothing_outside_itself(sync: Sync) -> None:
    text = page(sync, profile=b"x")
    tree = html.fromstring(text)
    assert not tree.xpath("//script | //link | //img | //iframe | //object | //*[@src]")
    targets = {re.split("[:#]", link.get("href"))[0] for link in tree.xpath("//a")}
    assert targets <= {"", "davx5", "nc", "data"}
    (style,) = tree.xpath("//style")
    assert "url(" not in style.text
    assert "@import" not in style.text
    (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_paper_that_asks_for_the_network_is_a_bug() -> None:
    with pytest.raises(FatalURLFetchingError, match="outside itself"):
        page_pdf('<img src="http://198.51.100.1/x.png">', "")
    with pytest.raises(FatalURLFetchingError, match="outside itself"):
        page_pdf('<img src="file:///etc/passwd">', "")
    with pytest.raises(FatalURLFetchingError, match="outside itself"):
        page_pdf("", "@import url(http://198.51.100.1/x.css)")


@every_kit
def test_the_page_speaks_the_users_language_alone(sync: Sync) -> None:
    text = page(sync)
    assert html.fromstring(text).xpath("//*/@lang") == [sync.language]
    assert ("Besoin d’aide" in text) == (sync.language == "fr")
    assert ("Need help" in text) == (sync.language == "en")


@every_kit
@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_paper_is_one_sheet_in_either_language(
    sync: Sync, language: Literal["fr", "en"], tmp_path: Path
) -> None:
    kit = write_kit(replace(sync, language=language), tmp_path)
    (text,) = words_on(kit.pdf.read_bytes())
    assert ("Besoin d’aide" in text) == (language == "fr")
    assert ("Need help" in text) == (language == "en")
    assert " ".join(re.findall("....", PLAIN_SECRET)) in re.sub(r"\s+", " ", text)
    assert sync.address in text


@every_kit
def test_the_paper_is_one_sheet_where_two_with_long_names_work_together(
    sync: Sync, tmp_path: Path
) -> None:
    support = Support(
        name="Association des Amis du Libre en Normandie",
        telephone="02 33 00 00 00",
        email="support-abonnes@association-des-amis.test",
        sold_by="Atelier du Web Libre de la Manche",
        supported_by="Association des Amis du Libre en Normandie",
    )
    long = replace(
        sync,
        address="jeanne.martin@jeanne.paquet.test",
        files_url="https://jeanne.paquet.test/remote.php/dav/files/jeanne.martin@jeanne.paquet.test/",
        language="fr",
        support=support,
    )
    (text,) = words_on(write_kit(long, tmp_path).pdf.read_bytes())
    assert "Vendu par Atelier du Web" in text


@every_kit
def test_the_codes_are_read_back_from_the_paper(sync: Sync, tmp_path: Path) -> None:
    expected = set()
    if sync.kind == "android":
        expected |= {davx5_link(sync), thunderbird_code(sync)}
    if sync.kind != "desktop" and sync.cloud == "nextcloud":
        expected |= {nextcloud_link(sync)}
    assert codes_on(write_kit(sync, tmp_path).pdf.read_bytes()) == expected


def test_the_codes_of_a_long_name_and_a_long_secret_are_still_read(tmp_path: Path) -> None:
    sync = replace(NEXTCLOUD, display_name="É" * 64, secret=SecretStr("Ab3" * 24))
    pdf = write_kit(sync, tmp_path).pdf.read_bytes()
    assert codes_on(pdf) == {davx5_link(sync), thunderbird_code(sync), nextcloud_link(sync)}
    assert len(words_on(pdf)) <= 2


def test_the_codes_keep_their_quiet_zone_on_paper(tmp_path: Path) -> None:
    """The page must not cut it: a scanner then needs luck."""
    document = pypdfium2.PdfDocument(write_kit(NEXTCLOUD, tmp_path).pdf.read_bytes())
    image = document[0].render(scale=300 / 72).to_pil().convert("L")
    document.close()
    found = zxingcpp.read_barcodes(image)
    assert len(found) == 3
    for code in found:
        top_left, bottom_right = code.position.top_left, code.position.bottom_right
        module = (bottom_right.x - top_left.x) / modules_of(str(code.text))
        far = round(3.5 * module)
        near = round(0.5 * module)
        around = (top_left.x - far, top_left.y - far, bottom_right.x + far, bottom_right.y + far)
        inside = (far - near, far - near)
        ring = image.crop(around)
        width, height = ring.size
        ring.paste(255, (*inside, width - inside[0], height - inside[1]))
        assert ring.getextrema()[0] > 200


def test_a_code_can_be_tapped_on_the_phone_that_shows_the_page() -> None:
    links = html.fromstring(page(NEXTCLOUD)).xpath("//p[@class='tap']/a/@href")
    assert set(links) == {davx5_link(NEXTCLOUD), nextcloud_link(NEXTCLOUD)}


@pytest.mark.parametrize(
    ("language", "steps"),
    [
        ("fr", ["F-Droid", "Binary Eye", "Se connecter", "Ajouter un compte", "cochez"]),
        ("fr", ["K-9 Mail ne lit pas le code", "Terminé", "quatre heures", "webcals://", "ICSx⁵"]),
        ("en", ["F-Droid", "Binary Eye", "Login", "Create account", "tick", "K-9 Mail does not"]),
        ("en", ["Done", "four hours", "webcals://", "Tasks app"]),
    ],
)
def test_the_sheet_of_an_android_says_what_a_code_cannot_do(
    language: Literal["fr", "en"], steps: list[str]
) -> None:
    text = sheet(NEXTCLOUD, language)
    for step in steps:
        assert step in text


def test_groups_are_categories_on_nextcloud_only() -> None:
    assert "Les groupes sont des catégories pour chacun des contacts" in sheet(NEXTCLOUD, "fr")
    assert "Groups are per-contact categories" in sheet(NEXTCLOUD, "en")
    assert "catégories" not in sheet(LIGHT, "fr")


def test_a_light_cloud_gives_its_files_by_webdav() -> None:
    assert "Points de montage WebDAV" in sheet(LIGHT, "fr")
    assert LIGHT.files_url in sheet(LIGHT, "fr")
    assert "Nextcloud" not in page(LIGHT)


def test_the_sheet_is_honest_about_late_notifications_and_lost_phones() -> None:
    assert "notifications de Nextcloud et de Talk peuvent tarder" in sheet(NEXTCLOUD, "fr")
    assert "Ce qui est déjà sur l’appareil y reste" in sheet(NEXTCLOUD, "fr")
    assert "04 76 00 00 00" in sheet(NEXTCLOUD, "en")


def test_an_iphone_is_told_to_go_to_settings_and_what_it_will_see_there() -> None:
    phone = replace(NEXTCLOUD, kind="ios")
    signed, plain = sheet(phone, "fr", signed=True), sheet(phone, "fr", signed=False)
    assert "VPN et gestion de l’appareil" in signed
    assert ("« Vérifié »" in signed, "« Non signé »" in signed) == (True, False)
    assert ("« Vérifié »" in plain, "« Non signé »" in plain) == (False, True)


def test_a_computer_is_shown_thunderbird_and_the_address_of_the_files() -> None:
    text = sheet(replace(LIGHT, kind="desktop"), "fr")
    assert "davs://zoe.paquet.test/files/zoe@zoe.paquet.test/" in text
    assert "Carnet d’adresses CardDav" in text
    assert "Microsoft" in text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fr", ["votre adresse", "Continuer", "IMAP", "Continuer", "la clé"]),
        ("en", ["your address", "Continue", "IMAP", "Continue", "the key"]),
    ],
)
def test_a_computer_is_led_through_thunderbird_in_its_own_order(
    language: Language, words: list[str]
) -> None:
    """Thunderbird 153, localization/*/messenger/accountcreation/accountHub.ftl."""
    last = {
        "fr": ["Continuer", "déjà cochés", "Continuer", "Terminer"],
        "en": ["Continue", "ticked already", "Continue", "Finish"],
    }
    text, at = sheet(replace(NEXTCLOUD, kind="desktop"), language), 0
    for word in words + last[language]:
        at = text.index(word, at) + len(word)
    assert "Terminé," not in text
    assert "Connecter à côté" not in text


def test_a_computers_files_come_by_the_application_of_its_own_cloud() -> None:
    """The browser asks for a password that nobody has, and takes the key behind a second button."""
    computer = replace(NEXTCLOUD, kind="desktop")
    french, english = sheet(computer, "fr"), sheet(computer, "en")
    assert "Installez Nextcloud pour ordinateur" in french
    assert "Connexion à l’aide d’un mot de passe d’application" in french
    assert "Alternative log in using app password" in english
    assert "davs://" not in french + english


@every_kit
@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_sheet_tells_who_to_call_and_never_to_call_without_a_number(
    sync: Sync, language: Language
) -> None:
    lost = {"fr": "Appareil perdu, volé, vendu ?", "en": "Device lost, stolen, sold?"}[language]
    call = {"fr": "Appelez le 04 76 00 00 00", "en": "Call 04 76 00 00 00"}[language]
    silent = replace(sync, support=replace(sync.support, telephone=""))
    told = sheet(sync, language).partition(lost)[2]
    written = sheet(silent, language).partition(lost)[2]
    assert call in told
    assert "aide@amis.test" in written
    assert not re.search(r"Appelez|Call |04 76", sheet(silent, language))


@every_kit
def test_a_sheet_names_who_sold_and_who_supports(sync: Sync) -> None:
    assert "Vendu par Boutique Libre, suivi par Les Amis du Libre" in sheet(sync, "fr")
    assert "Sold by Boutique Libre, supported by Les Amis du Libre" in sheet(sync, "en")


@pytest.mark.parametrize("kind", ["android", "ios", "desktop"])
def test_a_light_clouds_sheet_says_how_somebody_is_invited(
    kind: Literal["android", "ios", "desktop"],
) -> None:
    light, nextcloud = replace(LIGHT, kind=kind), replace(NEXTCLOUD, kind=kind)
    sentences: dict[Language, str] = {
        "fr": "L’agenda d’un téléphone n’envoie pas d’invitation.",
        "en": "a phone’s calendar sends no invitation.",
    }
    for language, sentence in sentences.items():
        assert sentence in sheet(light, language)
        assert sentence not in sheet(nextcloud, language)


@settings(deadline=None)
@given(syncs(replace(NEXTCLOUD, kind="desktop")))
def test_names_are_read_back_from_the_page_and_change_nothing_else(sync: Sync) -> None:
    same_secret = replace(NEXTCLOUD, kind="desktop", secret=sync.secret)
    tree, plain = html.fromstring(page(sync)), html.fromstring(page(same_secret))
    assert [element.tag for element in tree.iter()] == [element.tag for element in plain.iter()]
    shown = ["".join(name.itertext()) for name in tree.xpath("//section[1]//bdi")]
    named = sync.support
    expected = [sync.device_name, sync.operator_name, sync.display_name, named.name]
    expected += [named.telephone, named.email, named.telephone]
    assert shown == [*expected, named.sold_by, named.supported_by]
    secret = "".join(tree.xpath("//section[1]//p[@class='secret']/span/text()"))
    assert secret == sync.secret.get_secret_value()


@pytest.mark.parametrize("kind", ["android", "ios"])
def test_a_hostile_name_is_only_text_on_a_phones_page_and_paper(
    kind: Literal["android", "ios"], tmp_path: Path
) -> None:
    name = """"'><script>alert(1)</script>{{ 7 * 7 }}&lt;"""
    sync = replace(NEXTCLOUD, kind=kind, display_name=name, support=Support(name, "", name))
    kit = write_kit(sync, tmp_path)
    tree = html.fromstring(kit.html.read_text())
    assert not tree.xpath("//script")
    assert name in tree.xpath("string(//h1)")
    assert "alert(1)</script>{{ 7 * 7 }}&lt;" in words_on(kit.pdf.read_bytes())[0]


def test_every_name_is_kept_from_turning_the_line_around() -> None:
    turned = replace(NEXTCLOUD, display_name="\u202eevil", operator_name="\u202eevil")
    for name in html.fromstring(page(turned)).xpath("//body//*[contains(text(), '\u202e')]"):
        assert name.tag == "bdi"


@pytest.mark.parametrize("sync", EVERY[:3], ids=lambda sync: sync.kind)
def test_a_kit_is_for_its_owner_only(sync: Sync, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "kit"
    folder.mkdir(parents=True)
    (folder / "kit.html").write_text("old, and open to all")
    (folder / "kit.html").chmod(0o666)
    folder.chmod(0o755)
    kit = write_kit(sync, folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert sorted(folder.iterdir()) == sorted(kit.files)
    assert {path.stat().st_mode & 0o777 for path in kit.files} == {0o600}
    assert (kit.profile is not None) == (sync.kind == "ios")


def test_a_kit_that_cannot_be_made_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit = write_kit(NEXTCLOUD, tmp_path)
    before = {path: path.read_bytes() for path in kit.files}
    monkeypatch.setattr("provision.process.files.os.fsync", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_kit(replace(NEXTCLOUD, display_name="New"), tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_iphones_profile_is_signed_and_also_inside_the_page(tmp_path: Path) -> None:
    chain = make_chain(ec.generate_private_key(ec.SECP256R1()))
    signer = read_signer(chain.fullchain, chain.key)
    kit = write_kit(replace(NEXTCLOUD, kind="ios"), tmp_path, signer)
    assert kit.profile
    profile = kit.profile.read_bytes()
    assert profile[:1] == b"\x30"
    links = html.fromstring(kit.html.read_text()).xpath("//a[@download]/@href")
    assert {base64.b64decode(link.partition("base64,")[2]) for link in links} == {profile}
    assert "Vérifié" in words_on(kit.pdf.read_bytes())[0]


def test_without_a_signer_the_profile_is_plain_and_the_sheet_says_so(tmp_path: Path) -> None:
    kit = write_kit(replace(NEXTCLOUD, kind="ios"), tmp_path)
    assert kit.profile
    assert plistlib.loads(kit.profile.read_bytes())["PayloadType"] == "Configuration"
    assert "Non signé" in words_on(kit.pdf.read_bytes())[0]


def test_an_expired_certificate_signs_nothing(tmp_path: Path) -> None:
    chain = make_chain(ec.generate_private_key(ec.SECP256R1()), until=2027)
    signer = read_signer(chain.fullchain, chain.key)
    sync = replace(NEXTCLOUD, kind="ios", issued=dt.date(2027, 1, 2))
    with pytest.raises(PaquetError, match="expired on 2027-01-01"):
        write_kit(sync, tmp_path / "kit", signer)
    assert not (tmp_path / "kit").exists()
