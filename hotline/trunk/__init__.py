"""The trunks: caps of outgoing calls, circuit breakers, the order of trunks, whose fault a failure was."""
