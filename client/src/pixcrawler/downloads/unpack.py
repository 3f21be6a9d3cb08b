"""Unpacks the ZIP of a dataset. Its names and sizes are not trusted."""

import re
import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Final

from pixcrawler.errors import BrokenDownload, WrongUse

MAX_FILES: Final = 5_000_000
MAX_RATIO: Final = 20
"""The images of a dataset are stored without compression, and its texts compress to a tenth or so."""

_ALLOWANCE_BYTES = 256 * 1024 * 1024
_PIECE_BYTES = 1 << 20
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"\\|?*]|^\s|\s$')
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


def unpack(archive: Path) -> Path:
    """Unpacks a ZIP into a folder beside it, which has its name without `.zip`. Returns the folder.

    The folder has its name only when it is whole. If it exists and has the files of the ZIP, nothing is done.

    Raises:
        WrongUse: the file is no ZIP, or the folder exists and has other files.
        BrokenDownload: the ZIP is damaged or not safe, or there is no room for its files.
    """
    if archive.suffix.lower() != ".zip":
        raise WrongUse(
            f"{archive} is no ZIP. Shards are read as they are, for example by the library webdataset."
        )
    folder, unfinished = archive.with_suffix(""), archive.with_suffix(".unpacking")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            if folder.is_dir():
                _check_folder(opened, folder)
                return folder
            _check_size(opened, archive)
            unfinished.mkdir()
            for info in opened.infolist():
                _write(opened, info, unfinished)
        unfinished.replace(folder)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise BrokenDownload(f"{archive} is damaged: {error}") from error
    except OSError as error:
        raise BrokenDownload(f"{archive} cannot be unpacked: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def names_in(archive: Path) -> list[str]:
    """Returns the paths of the files of a ZIP that `unpack` has unpacked, below its folder."""
    with zipfile.ZipFile(archive) as opened:
        return [_path_of(info).as_posix() for info in opened.infolist() if not info.is_dir()]


def _check_folder(opened: zipfile.ZipFile, folder: Path) -> None:
    """Compares the names and the sizes of the files of a ZIP with those in a folder, which may have further files."""
    for info in opened.infolist():
        path = folder / _path_of(info)
        if not info.is_dir() and not (path.is_file() and path.stat().st_size == info.file_size):
            raise WrongUse(f"{folder} is there, but {path} is not that of the ZIP. Move the folder away.")


def _check_size(opened: zipfile.ZipFile, archive: Path) -> None:
    infos = opened.infolist()
    if len(infos) > MAX_FILES:
        raise BrokenDownload(f"{archive} has more than {MAX_FILES:,} files.")
    total, packed = sum(info.file_size for info in infos), archive.stat().st_size
    if total > MAX_RATIO * packed + _ALLOWANCE_BYTES:
        raise BrokenDownload(f"{archive} would grow to {total:,} bytes, which no dataset does.")
    free = shutil.disk_usage(archive.parent).free
    if total > free:
        raise BrokenDownload(f"{archive} needs {total:,} bytes unpacked, but the disk has {free:,} free.")


def _write(opened: zipfile.ZipFile, info: zipfile.ZipInfo, folder: Path) -> None:
    """Writes one file. Reading checks its CRC-32, and ends at the size that `_check_size` has counted."""
    path = _path_of(info)
    if info.is_dir():
        (folder / path).mkdir(parents=True, exist_ok=True)
        return
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    # "x": a second file of the same name is refused, also where the case of letters does not matter
    with opened.open(info) as source, (folder / path).open("xb") as target:
        shutil.copyfileobj(source, target, _PIECE_BYTES)


def _path_of(info: zipfile.ZipInfo) -> PurePosixPath:
    """Returns the path of a file in the folder.

    Raises:
        BrokenDownload: the name leaves the folder or is not safe on each system, or it is a link or a device.
    """
    kind = stat.S_IFMT(info.external_attr >> 16)
    parts = info.filename.rstrip("/").split("/")
    wrong = any(
        part in {"", ".", ".."} or _UNSAFE.search(part) or part.endswith(".") or _DEVICES.fullmatch(part)
        for part in parts
    )
    # the library replaces backslashes on Windows and cuts names at NUL, so the name as stored is looked at, too
    if wrong or "\x00" in info.orig_filename or kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise BrokenDownload(f"The ZIP has a file that is not safe to unpack: {info.filename!r}")
    # other methods may need much memory, and no dataset uses them
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise BrokenDownload(
            f"The ZIP has a file whose compression is not used by datasets: {info.filename!r}"
        )
    return PurePosixPath(*parts)
