"""Problems that citizens report, until they say themselves that they are solved."""
