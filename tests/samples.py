"""The samples of all platforms, and what each is planned with."""

from pathlib import Path

from migrate.kit.declare import Options
from migrate.settings import Settings

SAMPLES = Path(__file__).parent.parent / "sample_data"
PLATFORMS = sorted(path.name for path in SAMPLES.iterdir())


def settings(platform, **options):
    """What a platform's sample is planned with."""
    return Settings(platform=platform, spec=spec(platform), options=Options(**options))


def spec(platform):
    """The sample's spec, where the platform needs one."""
    path = SAMPLES / platform / "spec.toml"
    return path if path.exists() else None
