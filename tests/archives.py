"""Archives made in a test."""

import io
import tarfile
import zipfile


def zipped(members, **options):
    """A zip archive as bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", **{"compression": zipfile.ZIP_DEFLATED} | options) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return packed.getvalue()


def tarred(members, mode="w:gz"):
    """A tar archive as bytes."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as archive:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()
