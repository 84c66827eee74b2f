"""The way in, of `migrate` and of `python -m migrate`: from its first moment on an interrupt is no traceback."""

import signal


def main() -> None:
    """Run the command line; what interrupts while it is read waits until it is."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    from migrate.cli.interrupt import heed, heed_no_more  # noqa: PLC0415 - now it may take time
    from migrate.cli.main import main as run  # noqa: PLC0415

    heed()
    try:
        run()
    finally:
        heed_no_more()


if __name__ == "__main__":
    main()
