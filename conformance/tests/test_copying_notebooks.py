"""``unigrad notebooks``: copies all of them, keeps what is there, and says what is wrong."""

from pathlib import Path

from unigrad.cli import main
from unigrad.teaching import notebooks

NOTEBOOKS = {file.name for file in (Path(__file__).parents[2] / "notebooks").glob("*.ipynb")}


def test_copies_all_and_keeps_what_is_there(tmp_path, capsys):
    folder = tmp_path / "some" / "folder"
    assert main(["notebooks", str(folder)]) == 0
    assert {file.name for file in folder.glob("*.ipynb")} == NOTEBOOKS
    changed = folder / sorted(NOTEBOOKS)[0]
    changed.write_text("mine")
    assert main(["notebooks", str(folder)]) == 0
    assert changed.read_text() == "mine"
    said = capsys.readouterr().out
    assert "0 files copied" in said
    assert f"jupyter notebook {folder}" in said


def test_says_what_is_wrong(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    assert main(["notebooks", str(tmp_path / "file")]) != 0
    assert "is a file; name a folder" in capsys.readouterr().err
    monkeypatch.setattr(notebooks, "PLACES", (tmp_path / "nowhere",))
    assert main(["notebooks", str(tmp_path / "new")]) != 0
    assert "missing from this installation" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
