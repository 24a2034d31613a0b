"""Words that know no array: errors, dtypes, containers, modes, and the checks of arguments."""
