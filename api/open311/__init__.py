"""Open311 GeoReport v2, for other programs that report and read (docs/open311.md)."""
