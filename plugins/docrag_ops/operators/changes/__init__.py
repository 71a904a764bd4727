"""The one flow of every change: plan -> approve -> apply -> prove. The only code that changes anything.

Each change says in `operators/change_kinds/NAME.py` what it plans, applies and measures; everything else (limits,
approval, intents, locks, cooldowns, proof, the audit record) is here and in `core/changes.py`, once.
"""

from docrag_ops.operators.changes.apply import ApplyOperator
from docrag_ops.operators.changes.approve import ApproveOperator
from docrag_ops.operators.changes.flow import Change
from docrag_ops.operators.changes.plan import PlanOperator
from docrag_ops.operators.changes.prove import ProveOperator

__all__ = ["ApplyOperator", "ApproveOperator", "Change", "PlanOperator", "ProveOperator"]
