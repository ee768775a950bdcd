from __future__ import annotations

from hypothesis import settings

# Speed is measured by `make bench`; a busy machine must not fail a property.
settings.register_profile("paquet", deadline=None)
settings.load_profile("paquet")
