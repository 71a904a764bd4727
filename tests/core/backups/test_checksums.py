"""Checksums that are kept beside backups."""

import pytest

from docrag_ops.core.backups.checksums import kept_checksum

SUM, OTHER = "0a" * 32, "1b" * 32


@pytest.mark.parametrize(
    "text",
    [
        SUM,
        f"{SUM.upper()}\r\n",
        f"{SUM}  a.dump\n",
        f"{SUM} *./daily/a.dump\n",
        f"SHA256 (a.dump) = {SUM}\n",
        f"SHA2-256(a.dump)= {SUM}\n",
        f"# made at night\n{OTHER}  b.dump\n{SUM}  a.dump\n",
    ],
)
def test_checksum_is_found_however_it_is_written(text):
    assert kept_checksum(text, "a.dump", digits=64, names_it=False) == SUM


@pytest.mark.parametrize("text", ["", "a.dump", f"{SUM}00  a.dump", "0a" * 20])
def test_what_is_no_checksum_is_none(text):
    assert kept_checksum(text, "a.dump", digits=64, names_it=False) == ""


def test_of_a_list_only_the_line_of_the_file_counts():
    text = f"{OTHER}  b.dump\n{OTHER}  aa.dump\n"
    assert kept_checksum(text, "a.dump", digits=64, names_it=True) == ""
