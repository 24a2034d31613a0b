"""Faults put into rules, adapters and the engine, to see who finds them: ``unigrad mutate``.

Libraries for this were looked at: mutmut and cosmic-ray. mutmut 3 rewrites functions into trampolines and runs pytest's
tests; it changes nothing outside of ``def``, and our rules are lambdas in calls of ``vjp``. cosmic-ray writes each
mutant to disk and starts a command for it, which with frameworks to import is seconds for each. Neither has the faults
of this field: a conjugate left out, a tie given to one side, a sum over broadcast axes forgotten. What is here changes
the syntax tree of one place, puts the code into the functions that have it in a forked process, and runs the cases that
went through that place.
"""
