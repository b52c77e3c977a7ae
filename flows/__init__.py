"""What one runs: importing any of it makes a person's mistakes one line in every log, whoever starts the run.

Prefect's server for a command imports it too, by the name of the handler in its log's settings.
"""

from flows.platform.failures import quiet_foreseen_errors
from flows.platform.prefect_server import end_with_command, is_command_server, queue_writers

quiet_foreseen_errors()
if is_command_server():
    end_with_command()
    queue_writers()
