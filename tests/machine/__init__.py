"""
The whole core in one process: real worker, upkeep, sweep and webhook between imitated services.

A run is a thread that moves only when it is told to, so that runs can be interleaved, killed and
failed at each of their calls, and the same choices always lead to the same end.
"""
