"""Thin operators: hook -> core -> return. `checks` reads; `changes` is the only code that changes anything."""
