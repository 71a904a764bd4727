"""The platform in miniature: real PostgreSQL, Redis, Prometheus and Alertmanager, and stand-ins for the rest.

`python -m tests.sandbox up|down|status|fault NAME [off]|faults`, run from the root of the repository.

    settings     ports, folders and sizes, all from the environment
    processes    which processes are ours, started and stopped by pid and start time
    lifecycle    what `up` starts, in which order, and what `down` undoes
    faults       what can be broken on purpose, and put right again
"""
