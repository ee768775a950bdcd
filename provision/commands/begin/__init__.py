"""Begin: settings, rehearsals, lab machines."""
