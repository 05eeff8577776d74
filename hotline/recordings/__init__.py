"""Recordings and voice messages: files, retention, decoding of voices, and the sandbox of decoders."""
