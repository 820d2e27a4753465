"""How passwords are kept, and which are refused."""

from __future__ import annotations

import unicodedata

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type

from kb import passwords
from kb.passwords import LONGEST, SHORTEST, Weakness, hashed, outdated, verified, weakness

GOOD = (
    "trois mangues sous la pluie",
    "zèbre-parapluie-cuivre",
    "gruyère tambour océan",
    "Le colibri boit à 6 h du soir",
    "L’igname pousse de nuit",
    "pneu crevé avant Noël",
    "quatre crabes jouent aux dominos",
    "correcte cheval pile agrafe",
    "vfhzktrqbpxm",
    "kX9#vTq2!mLp",
    "9fk2-xq8r-mm3w",
    "ñandú saxofón brújula",
    "κάτι που θυμάμαι μόνο εγώ",
    "我喜欢在雨中吃芒果和菠萝的感觉",
    "🍍🥥🌴🦀🐢🌋🎺🥁🎷🎻🎹🪘",
)

KEYBOARD = (
    *("azertyuiop12", "Azerty123456!", "azertyuiop2024", "qsdfghjklmwx", "wxcvbnwxcvbn", "azertyqsdfgh"),
    *("aqwzsxedcrfv", "poiuytrezaqsd", "mlkjhgfdsqwx", "azerty azerty", "a z e r t y u i o p"),
    *("qwertyuiop12", "Qwertyuiop123!", "1qaz2wsx3edc", "zaqwsxcderfv", "zxcvbnmzxcvbnm", "1q2w3e4r5t6y"),
    *("123456789012", "012345678910", "098765432109", "1234567890°+", "123azerty123", "qwerty123456"),
)
REPEATED = (
    *(
        "aaaaaaaaaaaa",
        "111111111111",
        "............",
        " " * 12,
        "abcabcabcabc",
        "123123123123",
        "azeazeazeaze",
    ),
    *("soleilsoleil", "doudoudoudou", "bonjourbonjour", "motdepassemotdepasse", "chocolat chocolat"),
    *(
        "julienjulien",
        "papillonpapillon",
        "20242024202420",
        "19851985198519",
        "carbetcarbet",
        "Été2024Été2024",
    ),
    *("passwordpassword", "iloveyouiloveyou", "adminadminadmin", "dragondragon", "abcdefghijklm"),
)
WORD_AND_NUMBER = (
    *("motdepasse123", "MotDePasse2024", "Motdepasse2025!", "m0td3p@ss3123", "bonjour12345", "Bienvenue2024"),
    *("soleil972972", "princesse123", "chocolat1234", "ordinateur123", "bibliothèque1", "Documentation2024"),
    *("administrateur1", "admin1234567", "janvier2024!", "Octobre2024!!", "lundi01012024", "printemps2024"),
    *("password1234", "P@ssw0rd2024", "Welcome2024!", "iloveyou1234", "letmein12345", "sunshine1234"),
)
NAME_AND_YEAR = (
    *("nicolas12345", "isabelle1970", "alexandre2000", "stephanie1980", "antoine1990!", "michael12345"),
    *("olympique1899", "marseille2024", "superman1234"),
)
PLACE_AND_NUMBER = (
    *(
        "martinique972",
        "Martinique972!",
        "martinique97200",
        "fortdefrance972",
        "Fort-de-France",
        "paris75001!!",
    ),
    *("lamentin97232", "schoelcher97233", "madinina972972", "guadeloupe971", "toulouse31000", "caraibes2024"),
    *("politiquedelaville", "centrederessources", "quartiers2024", "reponses2024!"),
)
SENTENCES = ("mot de passe", "mon mot de passe", "mot de passe 1", "motdepasse motdepasse")

LOCAL = (
    # runs and words of French keyboards and lists of leaks
    *(
        "1a2z3e4r5t6y",
        "azerty1234azerty",
        "ouvretoi12345",
        "Admin2024Admin",
        "hiver2023hiver",
    ),
    # places of Martinique, with their postal code or that of the island
    *("saintpierre972", "sainteanne972", "trinite97220", "lerobert97231", "rivierepilote", "carbet972carbet"),
    # what a crowd sings
    *("allezlesbleus", "allezlom1899"),
)


@pytest.mark.parametrize("password", GOOD)
def test_a_password_that_nobody_tries_first_is_accepted(password: str):
    assert weakness(password) is None
    assert weakness(password, ("Ana Beauregard", "ana.beauregard@exemple.fr", "Ville Caraïbe")) is None


@pytest.mark.parametrize(
    "password", [*KEYBOARD, *REPEATED, *WORD_AND_NUMBER, *NAME_AND_YEAR, *PLACE_AND_NUMBER, *SENTENCES]
)
def test_a_password_that_everybody_tries_first_is_refused(password: str):
    assert len(password) >= SHORTEST
    assert weakness(password) is Weakness.GUESSABLE


@pytest.mark.parametrize("password", LOCAL)
def test_a_password_that_is_tried_first_in_this_country_is_refused(password: str):
    assert weakness(password) is Weakness.GUESSABLE


@pytest.mark.parametrize("password", ["motdepasse2024", "bibliotheque12", "martinique972"])
def test_capitals_and_accents_do_not_save_a_common_word(password: str):
    for dressed in (
        password.upper(),
        password.title(),
        password.replace("e", "é"),
        password.replace("i", "ï"),
    ):
        assert weakness(dressed) is Weakness.GUESSABLE


@pytest.mark.parametrize(
    "password",
    [
        *("AnaBeauregard1985", "beauregard2024", "beauregardana12", "ana.beauregard", "Beauregard97232!"),
        *("ana.beauregard@exemple.fr", "b3aur3gard2024", "beauregardbeauregard", "Ana&Beauregard!1985"),
        *("villecaraibe972", "Ville-Caraïbe-2024", "centre ville caraibe"),
    ],
)
def test_what_is_known_of_the_person_and_the_centre_is_refused(password: str):
    known = ("Ana Beauregard", "ana.beauregard@exemple.fr", "Ville Caraïbe")
    assert weakness(password, known) is Weakness.GUESSABLE


@pytest.mark.parametrize(
    "password", ["Éloïse Désiré 1985", "eloisedesire85", "eloise-desire-972", "ELOISEDESIRE"]
)
def test_a_known_name_is_seen_with_and_without_its_accents(password: str):
    assert weakness(password, ("Éloïse Désiré",)) is Weakness.GUESSABLE
    assert weakness(password, (unicodedata.normalize("NFD", "Éloïse Désiré"),)) is Weakness.GUESSABLE


@pytest.mark.parametrize(
    "password", ["", "x", "kX9#vTq2!mL", "é" * 11, unicodedata.normalize("NFD", "éàüîôçÉÀÛ")]
)
def test_too_short_is_counted_in_characters_as_they_are_kept(password: str):
    assert weakness(password) is Weakness.SHORT


def test_a_long_password_is_accepted_up_to_the_limit():
    long = ("trois mangues sous la pluie, " * 5)[:LONGEST]
    assert len(long) == LONGEST
    assert weakness(long) is None
    assert weakness(long + "!") is Weakness.LONG
    assert weakness(unicodedata.normalize("NFD", ("mémé à l’été tôt sûr, " * 9))[:150]) is None


@pytest.mark.parametrize(
    "password",
    [
        "œuvre sœur cœur bœuf nœud vœu œil œuf mœurs chœur manœuvre œdème fœtus",
        "Straße Größe Fuß Gruß Maß süß weiß heiß groß Spaß Schloß Kuß Nuß muß",
        "½ tasse de sucre, ¼ de lait, ¾ de farine, ⅓ de beurre, ⅔ de rhum vieux",
    ],
)
def test_letters_that_unfold_into_several_are_accepted_in_a_long_password(password: str):
    assert weakness(password) is None


def test_the_hash_kept_is_argon2id_as_strong_as_rfc_9106_asks():
    kept = hashed("trois mangues sous la pluie")
    parameters = extract_parameters(kept)
    assert kept.startswith("$argon2id$")
    assert parameters.type is Type.ID
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) >= (65536, 3, 4)
    assert (parameters.salt_len, parameters.hash_len) >= (16, 32)
    assert "mangues" not in kept
    assert not outdated(kept)


@pytest.mark.usefixtures("quick_hashes")
def test_the_same_password_is_kept_differently_each_time():
    assert hashed(GOOD[0]) != hashed(GOOD[0])


@pytest.mark.usefixtures("quick_hashes")
@pytest.mark.parametrize("password", [*GOOD[:5], "x", "p" * LONGEST, "avec\x00zéro dedans"])
def test_the_right_password_is_verified_and_no_other(password: str):
    kept = hashed(password)
    assert verified(password, kept)
    for other in (password + " ", password[:-1], password.swapcase() + "!", "", password[::-1] + "?"):
        assert not verified(other, kept)


@pytest.mark.usefixtures("quick_hashes")
def test_a_password_is_the_same_however_the_keyboard_composes_accents():
    composed, apart = (unicodedata.normalize(form, "zèbre à l’été façon Noël") for form in ("NFC", "NFD"))
    assert composed != apart
    assert verified(apart, hashed(composed))
    assert verified(composed, hashed(apart))
    assert not verified("zebre a l’ete facon Noel", hashed(composed))


@pytest.mark.usefixtures("quick_hashes")
@pytest.mark.parametrize("password", ["", "nobody has this password", "trois mangues sous la pluie"])
def test_nothing_is_right_when_there_is_no_hash(password: str):
    assert verified(password, None) is False
    assert verified(password, "") is False


@pytest.mark.usefixtures("quick_hashes")
@pytest.mark.parametrize(
    "kept", ["clair", "$argon2id$v=19$m=64,t=1,p=1$abcd", "$2b$12$abcdefghijklmnopqrstuv"]
)
def test_a_damaged_hash_lets_nobody_in(kept: str):
    assert verified("trois mangues sous la pluie", kept) is False


@pytest.mark.usefixtures("quick_hashes")
def test_a_very_long_password_costs_no_more_and_is_wrong():
    assert not verified("a" * 2_000_000, hashed("a" * LONGEST))


@pytest.mark.usefixtures("quick_hashes")
def test_a_hash_of_other_parameters_is_outdated_but_still_verified():
    former = PasswordHasher(time_cost=2, memory_cost=32, parallelism=1).hash(GOOD[0])
    assert outdated(former)
    assert verified(GOOD[0], former)
    assert not outdated(hashed(GOOD[0]))


def test_words_that_passwords_are_built_on_are_kept_folded():
    assert len(passwords._FRENCH) == len(set(passwords._FRENCH))
    assert all(word.isascii() and word.islower() for word in passwords._FRENCH)
