"""What a package contains, and what it must not."""

import zipfile

import pytest

from infra.package.build import Package, PackageError, _pins, _runs_on_platform, app_files
from infra.package.report import CEILING_MB, print_report


@pytest.mark.parametrize(
    ("tag", "runs"),
    [
        ("py3-none-any", True),
        ("cp313-cp313-manylinux_2_28_x86_64", True),
        ("cp313-cp313-manylinux_2_36_x86_64", True),
        ("cp313-cp313-manylinux_2_39_x86_64", False),
        ("cp313-cp313-manylinux2014_x86_64", True),
        ("cp313-cp313-linux_x86_64", False),
        ("cp313-cp313-manylinux_2_28_aarch64", False),
        ("cp313-cp313-musllinux_1_2_x86_64", False),
        ("cp313-cp313-macosx_11_0_arm64", False),
    ],
)
def test_only_wheels_for_the_platform_are_packed(tag, runs):
    assert _runs_on_platform(tag) is runs


def test_the_files_of_the_app_are_those_that_funcignore_leaves():
    files = set(app_files())
    tops = {name.partition("/")[0] for name in files}
    assert tops == {
        "function_app.py",
        "functions",
        "shared",
        "pixcrawler_sources",
        "host.json",
        "requirements.txt",
    }
    assert not [name for name in files if "__pycache__" in name or name.endswith(".pyc")]


def test_an_extra_is_packed_as_it_is_pinned():
    (pin,) = _pins(("parquet",))
    assert pin.startswith("pyarrow==")
    assert "--hash=sha256:" in pin


@pytest.mark.parametrize("extra", ["dev", "none"])
def test_an_extra_that_is_not_for_packages_is_refused(extra):
    with pytest.raises(PackageError, match=extra):
        list(_pins((extra,)))


def test_a_package_above_its_ceiling_is_reported(tmp_path, capsys, monkeypatch):
    path = tmp_path / "pixcrawler.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("function_app.py", "cv2/a", "opencv_python_headless.libs/b", "numpy-2.0.dist-info/c"):
            folder = "" if name == "function_app.py" else ".python_packages/lib/site-packages/"
            archive.writestr(folder + name, bytes(1000))
    monkeypatch.setattr("infra.package.report.CEILING_MB", 0.001)
    assert not print_report(Package(path, tmp_path, ()))
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines[2:-1]} == {"the", "opencv_python_headless", "numpy"}
    assert "ceiling" in lines[-1]
    assert print_report(Package(path, tmp_path, ("parquet",)))
    assert CEILING_MB > 100
