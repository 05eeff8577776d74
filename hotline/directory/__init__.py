"""Staff from the office's directory: sign-in, roles from groups, and the end of sessions when somebody
leaves.
"""
