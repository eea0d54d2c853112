"""The journal of a study: what was told is there again, a torn tail is cut off, nothing else is ever changed."""

from __future__ import annotations

import json
import zlib

import pytest

from engine.errors import RunFolderError
from sims.tuning.journal import ClockNote, Journal, TellRecord, read_journal
from sims.tuning.search.counts import Tell

TELLS = [
    TellRecord("baseline", Tell((0.5, 1.0 / 3.0), (30, 30), (11, 29), 0)),
    TellRecord("search", Tell((0.1, 0.2 + 0.1), (5, 5), (0, 5), 1)),
    TellRecord("search", Tell((5e-324, 0.9999999999999999), (5, 0), (2, 0), 2)),
]


def written(path, records, seal="seal"):
    with Journal(path, seal) as journal:
        for record in records:
            journal.add(record)
    return path.read_bytes()


def remembered(journal):
    found = []
    while (record := journal.next()) is not None:
        found.append(record)
    return found


def test_what_was_told_is_there_again(tmp_path):
    records = [*TELLS, ClockNote("spent_s", 12.345), TELLS[0]]
    data = written(tmp_path / "journal.txt", records)
    journal = Journal(tmp_path / "journal.txt", "seal")
    assert (journal.unread, remembered(journal), journal.unread) == (True, records, False)
    journal.close()
    assert (tmp_path / "journal.txt").read_bytes() == data
    assert read_journal(tmp_path / "journal.txt") == [record for record in records if isinstance(record, TellRecord)]


def test_a_tail_torn_anywhere_is_cut_off_and_the_rest_appended(tmp_path):
    whole = written(tmp_path / "whole.txt", TELLS)
    ends = [n for n in range(1, len(whole) + 1) if whole[n - 1 : n] == b"\n"]
    for length in range(len(whole) + 1):
        path = tmp_path / "journal.txt"
        path.write_bytes(whole[:length])
        journal = Journal(path, "seal")
        found = remembered(journal)
        assert found == TELLS[: max(sum(end <= length for end in ends) - 1, 0)]
        for record in TELLS[len(found) :]:
            journal.add(record)
        journal.close()
        assert path.read_bytes() == whole


def test_whatever_byte_is_wrong_no_wrong_record_is_believed(tmp_path):
    whole = written(tmp_path / "whole.txt", TELLS)
    first = whole.index(b"\n") + 1
    for place in range(first, len(whole)):
        path = tmp_path / "journal.txt"
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.raises(RunFolderError, match="damaged"):
            read_journal(path)
        journal = Journal(path, "seal")
        found = remembered(journal)
        journal.close()
        assert found == TELLS[: whole[first : place + 1].count(b"\n", 0, -1)]


def test_the_journal_of_another_study_is_refused_and_stays_as_it_is(tmp_path):
    data = written(tmp_path / "journal.txt", TELLS)
    with pytest.raises(RunFolderError, match="belongs to other work"):
        Journal(tmp_path / "journal.txt", "other")
    assert (tmp_path / "journal.txt").read_bytes() == data


def test_a_folder_without_a_journal_is_no_study(tmp_path):
    with pytest.raises(RunFolderError, match=r"no journal\.txt, so it is not a study"):
        read_journal(tmp_path / "journal.txt")


def test_the_disk_has_every_record_at_once(tmp_path):
    journal = Journal(tmp_path / "journal.txt", "seal")
    journal.add(TELLS[0])  # a process that is killed now loses nothing
    assert read_journal(tmp_path / "journal.txt") == TELLS[:1]
    journal.close()


@pytest.mark.parametrize("record", [["search"], ["search", "x"], ["search", 1, [0.5], [3], [1, 2]], [1, 2, 3, 4, 5], 7])
def test_a_record_that_no_study_writes_is_refused(tmp_path, record):
    path = tmp_path / "journal.txt"
    written(path, TELLS)
    text = json.dumps(record).encode()
    path.write_bytes(path.read_bytes() + b"%08x %s\n" % (zlib.crc32(text), text))
    for read in (lambda: read_journal(path), lambda: Journal(path, "seal")):
        with pytest.raises(RunFolderError, match="a journal holds counts of settings"):
            read()


def test_a_link_in_the_place_of_the_journal_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "journal.txt").symlink_to(tmp_path / "mine.txt")
    with pytest.raises(RunFolderError, match="got a link"):
        Journal(tmp_path / "journal.txt", "seal")
    assert (tmp_path / "mine.txt").read_text() == "mine"
