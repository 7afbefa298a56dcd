"""
Searches every order in which copiers, a changing source and bad luck can meet.

A copier's code is ordinary and cannot be stopped halfway, so it is run again from its start with
the answers it has had so far, until it makes a call that has no answer yet. A whole situation is
then a value (the world and what each copier was told), equal situations are visited once, and the
first counterexample found is a shortest one.
"""
