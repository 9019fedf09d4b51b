"""Packs a program in Python into one file: pack.py TARGET INTERPRETER DIRECTORY...

The file is what python3 -m zipapp makes, but the same bytes at every build: the times, modes and order of files stay out of it.
"""

import pathlib
import sys
import zipfile


def pack(target: pathlib.Path, interpreter: str, directories: list[pathlib.Path]) -> None:
    """Writes the Python files below the directories, by their paths in them."""
    with target.open("wb") as out:
        out.write(f"#!{interpreter}\n".encode())
        with zipfile.ZipFile(out, "w") as archive:
            for top in directories:
                for path in sorted(top.rglob("*")):
                    name = path.relative_to(top).as_posix()
                    if path.suffix == ".py":
                        archive.writestr(zipfile.ZipInfo(name), path.read_bytes())
                    elif path.is_dir() and path.name != "__pycache__":  # packages without __init__.py are found by their directories
                        archive.writestr(zipfile.ZipInfo(name + "/"), b"")
    target.chmod(0o755)


pack(pathlib.Path(sys.argv[1]), sys.argv[2], [pathlib.Path(arg) for arg in sys.argv[3:]])
