"""The supervisor's room: desks and lines at this moment, and what is wrong with them."""
