"""
Searches every order in which copiers, changes of the source and faults can interleave.

A copier runs ordinary code that cannot be suspended, so it is rerun from its start with the answers
it has received so far, until it makes a call that has no answer yet. A whole situation is then a
value (the world and the answers of each copier), equal situations are visited once, and the first
counterexample found is a shortest one.
"""
