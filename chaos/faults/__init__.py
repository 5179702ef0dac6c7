"""What goes wrong: each fault a function with a name, that returns when it is over."""

from chaos.faults import machines, papers, processes
from chaos.faults.drawing import FAULTS, Fault, deck

__all__ = ["FAULTS", "Fault", "deck", "machines", "papers", "processes"]
