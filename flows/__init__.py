"""What one runs: importing any of it makes a person's mistakes one line in every log, whoever starts the run.

Prefect's server for a command imports it too, by the name of the handler in its log's settings.
"""

from components.tracking.owner import parent_process
from flows.platform.failures import quiet_foreseen_errors
from flows.platform.prefect_server import is_command_server, leave_terminal, queue_writers
from flows.platform.together import end_with, named_starter

quiet_foreseen_errors()
if is_command_server():
    leave_terminal()
    queue_writers()
    end_with(parent_process())
elif starter := named_starter():
    end_with(starter)
