#!/usr/bin/env python3
"""Draws the rows of rows.txt.gz: telephone numbers of all countries, and what libphonenumber says of them.

To draw them again, after rlibphonenumber was updated (its Readme states its metadata version; both stand in
OF_ONE_METADATA of main.rs, too):

    pip install phonenumbers==VERSION        # of the same metadata version
    python3 ivr/core/tests/numbers/generate.py

The same version of phonenumbers gives the same file. phonenumbers (https://github.com/daviddrysdale/python-phonenumbers)
is Google's libphonenumber in Python; both, and the numbering plans whose patterns and verdicts are in the rows, are
under the Apache License 2.0. Example numbers are drawn from patterns: none was taken from anybody's directory.

The file: `#` begins a comment; `> VERDICT` says what holds for the rows after it, until the next one:

    > US subscriber     a valid number of this country and kind, whose E.164 spelling is the row itself
    > misspelled        ROW TAB E164: valid, but its E.164 spelling is another text
    > none              of the shape + and 7 to 15 digits, and no valid number
    > shapeless         of another shape
    > typed US          ROW TAB E164: what a person there types, and the number; without one it is none
"""

import gzip
import random
import re
from collections import defaultdict
from pathlib import Path

try:
    from re import _constants as const
    from re import _parser as parser
except ImportError:  # before Python 3.11
    import sre_constants as const
    import sre_parse as parser

import phonenumbers as lib
from phonenumbers import PhoneMetadata, PhoneNumberFormat, PhoneNumberType

OF_A_TYPE = 36  # numbers drawn from the pattern of each type of each plan
OF_A_LENGTH = 6  # random ones of each boundary length
MUTATED = 170  # misspelled ones of each plan
TYPED = 34  # of each country
SHAPE = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)

TYPES = [
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan",
    "voicemail", "general_desc",
]
KINDS = {
    PhoneNumberType.FIXED_LINE: "subscriber",
    PhoneNumberType.MOBILE: "subscriber",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "subscriber",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.PERSONAL_NUMBER: "personal",
    PhoneNumberType.TOLL_FREE: "toll-free",
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.SHARED_COST: "shared-cost",
    PhoneNumberType.UAN: "universal-access",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.VOICEMAIL: "voicemail",
}

chance = random.Random(20240501)


def plans():
    """Every numbering plan: its name, calling code and metadata."""
    for region in sorted(lib.SUPPORTED_REGIONS):
        yield region, lib.country_code_for_region(region), PhoneMetadata.metadata_for_region(region)
    for code in sorted(lib.COUNTRY_CODES_FOR_NON_GEO_REGIONS):
        yield "001", code, PhoneMetadata.metadata_for_nongeo_region(code)


def digits(count):
    return "".join(chance.choice("0123456789") for _ in range(count))


def matching(pattern):
    """A text that the pattern matches; None if it is hard to find."""
    for _ in range(20):
        text = drawn(parser.parse(pattern))
        if re.fullmatch(pattern, text):
            return text
    return None


def drawn(nodes):
    return "".join(drawn_node(op, argument) for op, argument in nodes)


def drawn_node(op, argument):
    if op is const.LITERAL:
        return chr(argument)
    if op is const.IN:
        return chance.choice([c for part in argument for c in members(*part)])
    if op is const.SUBPATTERN:
        return drawn(argument[3])
    if op is const.BRANCH:
        return drawn(chance.choice(argument[1]))
    if op in (const.MAX_REPEAT, const.MIN_REPEAT):
        least, most, body = argument
        return "".join(drawn(body) for _ in range(chance.randint(least, most)))
    if op in (const.ASSERT, const.ASSERT_NOT):
        return ""  # the match decides
    raise ValueError(f"a pattern with {op}")


def members(op, argument):
    if op is const.LITERAL:
        return [chr(argument)]
    if op is const.RANGE:
        return [chr(c) for c in range(argument[0], argument[1] + 1)]
    if op is const.CATEGORY and argument is const.CATEGORY_DIGIT:
        return list("0123456789")
    raise ValueError(f"a set with {op}")


def of_types(metadata):
    """National numbers of every type of a plan."""
    for name in TYPES:
        description = getattr(metadata, name)
        pattern = description and description.national_number_pattern
        if pattern and pattern != "NA":
            yield from filter(None, (matching(pattern) for _ in range(OF_A_TYPE)))


def of_boundary_lengths(metadata):
    """Random national numbers, as long as the plan's shortest and longest, and one digit beside."""
    lengths = [length for length in metadata.general_desc.possible_length if length > 0]
    around = {length + more for length in (min(lengths), max(lengths)) for more in (-1, 0, 1)}
    for length in sorted(around | set(lengths)):
        for _ in range(OF_A_LENGTH):
            yield digits(max(length, 1))


def mutated(national, code, metadata):
    """The number with something wrong, as a carrier or a person may write it; often it stays valid."""
    at = chance.randrange(len(national))
    other = chance.choice("0123456789")
    prefix = metadata.national_prefix or "0"
    spelled = f"+{code}{national}"
    ways = [
        lambda: f"+{code}{national[:at]}{other}{national[at + 1:]}",
        lambda: f"+{code}{national[:at]}{other}{national[at:]}",
        lambda: f"+{code}{national[:at]}{national[at + 1:]}",
        lambda: f"+{code}{prefix}{national}",
        lambda: f"+{code}0{national}",
        lambda: f"+{code}{code}{national}",
        lambda: f"+{code}{national.lstrip('0')}",
        lambda: f"+{code}{national}{digits(chance.randint(1, 4))}",
        lambda: f"+{national}",
        lambda: f"+{chance.choice(CODES)}{national}",
        lambda: f"+{code}{other}{national[1:]}",
        lambda: f"+{code}{chance.choice(['9', '15', '1', '8', '044', '045'])}{national}",
        lambda: f"+00{code}{national}",
        lambda: f"+{code}(0){national}",
        lambda: f"{code}{national}",
        lambda: f"{spelled[:-3]} {spelled[-3:]}",
        lambda: f"{spelled[:-4]}-{spelled[-4:]}",
        lambda: f"{spelled};ext={other}",
        lambda: f"{spelled}x{other}",
        lambda: f"tel:{spelled}",
        lambda: f"＋{code}{national}",
        lambda: f"+{code}{national.translate(str.maketrans('0123456789', '０１２３４５６７８９'))}",
        lambda: f"+{code}{national.translate(str.maketrans('0123456789', '٠١٢٣٤٥٦٧٨٩'))}",
        lambda: f"{spelled} ",
        lambda: f"+{spelled}",
    ]
    # What is still + and digits is the harder part: most are of it.
    return chance.choice(ways[:12] * 5 + ways[12:])()


def typed(number, region):
    """What a person of that country may type for one of its numbers, as the page's form takes it."""
    e164 = lib.format_number(number, PhoneNumberFormat.E164)
    national = lib.national_significant_number(number)
    prefix = PhoneMetadata.metadata_for_region(region).national_prefix or ""
    ways = [
        lambda: lib.format_number(number, PhoneNumberFormat.NATIONAL),
        lambda: lib.format_number(number, PhoneNumberFormat.INTERNATIONAL),
        lambda: lib.format_number(number, PhoneNumberFormat.RFC3966),
        lambda: lib.format_out_of_country_calling_number(number, region),
        lambda: national,
        lambda: prefix + national,
        lambda: f"00{e164[1:]}",
        lambda: e164[1:],
        lambda: f"{e164[:4]} ({e164[4:6]}) {e164[6:]}",
        lambda: national[:-1],
        lambda: national + digits(1),
    ]
    text = chance.choice(ways)()
    # The form refuses letters; those of no plan's format are digits.
    return text if re.fullmatch(r"(tel:)?[0-9+() ./-]+", text) else national


def parsed(text, region=None):
    try:
        number = lib.parse(text, region)
    except lib.NumberParseException:
        return None
    return number if lib.is_valid_number(number) else None


def meant(text, region):
    """The number that a person of this country typed, in E.164; None if it is none, or longer than E.164 allows."""
    number = parsed(text, region)
    if number is None and text.startswith("00"):
        # Our form takes the international prefix of most of the world everywhere.
        number = parsed(f"+{text[2:]}")
    spelled = number and lib.format_number(number, PhoneNumberFormat.E164)
    return spelled if spelled and SHAPE.fullmatch(spelled) else None


def verdict(text):
    """What holds for this text, and how libphonenumber spells it if that is another text."""
    if not SHAPE.fullmatch(text):
        return "shapeless", None
    number = parsed(text)
    if number is None:
        return "none", None
    spelled = lib.format_number(number, PhoneNumberFormat.E164)
    if spelled != text:
        return "misspelled", spelled
    return f"{lib.region_code_for_number(number)} {KINDS[lib.number_type(number)]}", None


CODES = sorted({code for _, code, _ in plans()})


def rows():
    """All rows by verdict."""
    found = defaultdict(dict)
    for region, code, metadata in plans():
        nationals = list(of_types(metadata))
        texts = [f"+{code}{national}" for national in nationals]
        texts += [f"+{code}{national}" for national in of_boundary_lengths(metadata)]
        texts += [mutated(chance.choice(nationals), code, metadata) for _ in range(MUTATED)]
        for text in texts:
            what, spelled = verdict(text)
            found[what][text] = spelled
        if region == "001":
            continue
        numbers = [number for number in map(parsed, texts[: len(nationals)]) if number]
        for _ in range(TYPED):
            text = typed(chance.choice(numbers), region)
            found[f"typed {region}"][text] = meant(text, region)
    return found


def locked(crate):
    """The version of a crate that the project is built with."""
    lock = (Path(__file__).parents[4] / "Cargo.lock").read_text()
    return re.search(rf'name = "{crate}"\nversion = "([^"]+)"', lock).group(1)


def main():
    found = rows()
    count = sum(len(texts) for texts in found.values())
    head = [
        f"# {count} rows by generate.py from phonenumbers {lib.__version__}; Apache License 2.0",
        f"# rlibphonenumber {locked('rlibphonenumber')}",
    ]
    lines = head + [line for what in sorted(found) for line in group(what, found[what])]
    text = "".join(f"{line}\n" for line in lines).encode()
    target = Path(__file__).with_name("rows.txt.gz")
    with open(target, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(text)
    print(f"{count} rows, {len(text)} octets, packed {target.stat().st_size}")


def group(what, texts):
    yield f"> {what}"
    for text, spelled in sorted(texts.items()):
        yield f"{text}\t{spelled}" if spelled else text


if __name__ == "__main__":
    main()
