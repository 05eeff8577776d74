"""The line: places, their order, and the ways to get one."""
