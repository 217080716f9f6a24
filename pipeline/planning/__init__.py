"""What a run would need, before it runs: sizes without weights, a timed layer, and what is free."""

from .plan import Plan, PlannedStage, plan_run

__all__ = ["Plan", "PlannedStage", "plan_run"]
