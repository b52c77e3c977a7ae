"""What one runs: importing any of it makes a person's mistakes one line in every log, whoever starts the run."""

from flows.platform.failures import quiet_foreseen_errors

quiet_foreseen_errors()
