"""Random gradient programs, held against each other and against arithmetic of 60 digits: ``unigrad fuzz``."""
