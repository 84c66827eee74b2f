"""What is read of an object, front to back: what its storage answers in vain is said of the source that it is."""

import hashlib
from collections.abc import Callable
from typing import BinaryIO

from migrate.errors import Unfit
from migrate.inputs.streams import STEP, Stream
from migrate.stores.tallies import Tally
from migrate.stores.troubles import Trouble


class Far(Stream):
    """Such a stream; of a member of an archive, whose blocks are others', all that it gives is noted in the tally."""

    def __init__(
        self, stream: BinaryIO, unfit: Callable[[Trouble], Unfit], tally: Tally | None = None
    ) -> None:
        super().__init__()
        self._stream, self._unfit, self._tally = stream, unfit, tally
        self._digest, self._size = hashlib.blake2b(digest_size=32), 0

    def piece(self) -> bytes | None:
        """Return the next bytes; raise `Unfit` where they cannot be had."""
        try:
            data = self._stream.read(STEP)
        except Trouble as error:
            raise self._unfit(error) from None
        if self._tally is not None:
            self._digest.update(data)
            self._size += len(data)
            if not data:
                self._tally.stream = self._size, self._digest.hexdigest()
        return data or None

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()
        super().close()
