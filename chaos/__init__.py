"""Real processes, real servers, faults drawn by a seed; afterwards the books are read."""
