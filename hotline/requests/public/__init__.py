"""Pages and figures of requests that everybody may see."""
