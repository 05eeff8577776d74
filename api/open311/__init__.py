"""Open311 GeoReport v2: what other programs file and read (docs/open311.md)."""
