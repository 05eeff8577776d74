"""The files that Vite builds: their folder, and how browsers cache them."""

import re
from mimetypes import guess_type
from pathlib import Path
from typing import Any

from fastapi import Response
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers
from starlette.types import Scope

BUILT = Path(__file__).parent.parent / "web" / "dist"

_NAMED_BY_CONTENT = re.compile(r"-[\w-]{8}\.(js|css)$")


class Assets(StaticFiles):
    """The built files. Vite puts a hash of the content in each name, except for web/public/ and the fonts."""

    def file_response(
        self, full_path: Any, stat_result: Any, scope: Scope, status_code: int = 200
    ) -> Response:
        """Serve a file: compressed if the browser accepts it, and cached for ever if its name has a hash."""
        if not _NAMED_BY_CONTENT.search(str(full_path)):
            return super().file_response(full_path, stat_result, scope, status_code)
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        squeezed = Path(f"{full_path}.br")
        if "br" in Headers(scope=scope).get("accept-encoding", "") and squeezed.exists():
            kind, _ = guess_type(full_path)
            headers |= {"Content-Encoding": "br", "Vary": "Accept-Encoding"}  # else GZipMiddleware adds Vary
            return FileResponse(squeezed, status_code, headers, kind)
        return FileResponse(full_path, status_code, headers)
