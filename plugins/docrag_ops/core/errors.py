"""The errors of this project.

DocRagOpsError
├── DefinitionError         a file below include/ is wrong: nothing is judged until it is mended
├── CouldNotMeasureError    a system did not answer, or not with a measurement: the verdict is `unknown`
│   └── UnreachableError    the system as a whole does not answer: no further question is worth asking
└── ChangeError             a step of a change went wrong; the steps after it are not begun
    ├── StepFailedError     … but it concerns this step alone: the others are done, and the run is red
    │   └── StepInterruptedError  … by something that passes (a lock, a restart): worth another attempt
    └── ChangeRefusedError  nothing may be changed: not approved, not as planned, too soon, or not here
"""


class DocRagOpsError(Exception):
    """Base of all errors of this project; its text is written for the operator."""


class DefinitionError(DocRagOpsError):
    """A record, environment, query or template below `include/` cannot be used as it stands."""


class CouldNotMeasureError(DocRagOpsError):
    """One question got no usable answer; the check that asked it is `unknown`."""


class UnreachableError(CouldNotMeasureError):
    """The whole system does not answer; every check that needs it is `unknown`."""


class ChangeError(DocRagOpsError):
    """A step of a change went wrong, or the change did not do what it was for."""


class StepFailedError(ChangeError):
    """A step went wrong for reasons of its own subject; the steps after it can be done all the same."""


class StepInterruptedError(StepFailedError):
    """A step was interrupted by something that passes: a lock that was held, a session that was ended, a restart."""


class ChangeRefusedError(ChangeError):
    """A change may not be made, and nothing was changed."""
