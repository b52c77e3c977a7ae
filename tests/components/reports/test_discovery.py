"""Discovery in sentences."""

from components.reports.discovery import LISTED, discovery_notes, identity_notes

FATES = {"born": ["x", "y"], "died": ["z"], "split": {"a": ["b", "c"]}, "merged": {"d": ["e", "f"]}}
IDENTITY = {"previous": "0123456789abcdef", "kept": 7, "mean_overlap": 0.875, **FATES}


def test_every_fate_is_told():
    notes = identity_notes(IDENTITY)
    assert (
        notes[0] == "Against champion 0123456789ab: 7 tasks kept, mean overlap 0.88; 2 born, 1 died, 1 split, 1 merged."
    )
    assert notes[1:] == ["Born: x; y.", "Died: z.", "a became: b; c.", "d holds what were: e; f."]


def test_long_lists_are_cut_and_counted():
    notes = identity_notes({**IDENTITY, "born": [str(n) for n in range(LISTED + 5)]})
    assert notes[1].endswith("11 and 5 more.")
    notes = identity_notes({**IDENTITY, "split": {str(n): ["p", "q"] for n in range(LISTED + 2)}})
    assert notes[LISTED + 2 :] == ["11 became: p; q.", "And 2 more split.", "d holds what were: e; f."]


def test_without_a_champion_or_figures_only_what_is_known_is_said():
    assert identity_notes({"previous": None}) == ["No champion to compare with: every task is new."]
    assert discovery_notes({"method": "none"}) == []
    said = discovery_notes({"method": "none", "reason": "one candidate", "neighbour_recall": 0.9731, "naming": "N."})
    assert said[0] == "Chosen partition: none; one candidate."
    assert "97.3%" in said[1]
    assert said[2] == "N."
