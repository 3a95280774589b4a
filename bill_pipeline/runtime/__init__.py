"""The machine and the process under us: signals, pools, core dumps, what a full disk says."""
